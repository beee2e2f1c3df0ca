"""From a case and its answers to trials: the place where generate, score and record meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.errors import ModelError, ScorerError
from pytest_ftgate.record import Outcome, Trial, TrialError, TrialKey
from pytest_ftgate.scorers import score_case

if TYPE_CHECKING:
    from pytest_ftgate.completions import Completion
    from pytest_ftgate.models import Request
    from pytest_ftgate.scorers.spec import ScorerSpec


def requests_of(case: EvalCase, arms: Sequence[Arm]) -> list[Request]:
    """What one item needs, arms interleaved."""
    from pytest_ftgate.models import Request  # noqa: PLC0415  (not before the first answer is needed)

    return [
        Request(case=case, arm=arm, repeat=repeat) for repeat in range(1, case.repeat + 1) for arm in arms
    ]


def judge_case(
    case: EvalCase, item: str, arms: Sequence[Arm], answer: Callable[[Request], Completion],
    table: Mapping[str, ScorerSpec],
) -> Iterator[Trial]:  # fmt: skip
    """The trials of one item; an answer that can't be had, or a failing scorer, makes its trial errored."""
    for request in requests_of(case, arms):
        key = TrialKey(case.suite, case.id, request.arm, request.repeat, item)
        try:
            completion = answer(request)
        except ModelError as error:
            yield errored(key, error.kind, str(error))
            continue
        yield score_answer(case, key, completion, table)


def score_answer(
    case: EvalCase, key: TrialKey, completion: Completion, table: Mapping[str, ScorerSpec]
) -> Trial:
    """The trial of one answer."""
    try:
        scores = score_case(case, completion, table)
    except ScorerError as error:
        return errored(key, "scorer", str(error), completion)
    passed = all(score.passed for score in scores)
    return Trial(
        key=key, outcome=Outcome.PASSED if passed else Outcome.FAILED, completion=completion, scores=scores
    )


def errored(key: TrialKey, kind: str, message: str, completion: Completion | None = None) -> Trial:
    """A trial that says nothing of the model: it is neither a pass nor a failure."""
    error = TrialError(kind=kind, message=message)
    return Trial(key=key, outcome=Outcome.ERRORED, completion=completion, error=error)

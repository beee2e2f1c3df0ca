"""From a case and its answers to trials: the place where generate, score and record meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_ftgate.cases import EvalCase
from pytest_ftgate.errors import ModelError, ScorerError
from pytest_ftgate.models.boundary import safe_message
from pytest_ftgate.record import Outcome, Trial, TrialError, TrialKey
from pytest_ftgate.scorers import BARE, score_case

if TYPE_CHECKING:
    from pytest_ftgate.cases import Arm
    from pytest_ftgate.completions import Completion
    from pytest_ftgate.models import Request
    from pytest_ftgate.plugin.eval_test import EvalTest
    from pytest_ftgate.scorers.spec import Bench, ScorerSpec


def judge_case(
    test: EvalTest,
    answer: Callable[[Request], Completion],
    table: Mapping[str, ScorerSpec],
    bench: Callable[[EvalTest, Arm, int], Bench],
) -> Iterator[Trial]:
    """The trials of one test; an answer that can't be had, or a failing scorer, makes its trial errored."""
    for request in test.requests():
        key = test.trial_key(request.arm, request.repeat)
        try:
            completion = answer(request)
        except ModelError as error:
            yield errored(key, error.kind, str(error))
            continue
        yield score_answer(test.case, key, completion, table, bench(test, request.arm, request.repeat))


def score_answer(
    case: EvalCase,
    key: TrialKey,
    completion: Completion,
    table: Mapping[str, ScorerSpec],
    bench: Bench = BARE,
) -> Trial:
    """The trial of one answer."""
    try:
        scores = score_case(case, completion, table, bench=bench)
    except ScorerError as error:
        return errored(key, "scorer", str(error), completion)
    passed = all(score.passed for score in scores)
    return Trial(
        key=key, outcome=Outcome.PASSED if passed else Outcome.FAILED, completion=completion, scores=scores
    )


def errored(key: TrialKey, kind: str, message: str, completion: Completion | None = None) -> Trial:
    """A trial that says nothing of the model: it is neither a pass nor a failure."""
    error = TrialError(kind=kind, message=safe_message(message))
    return Trial(key=key, outcome=Outcome.ERRORED, completion=completion, error=error)

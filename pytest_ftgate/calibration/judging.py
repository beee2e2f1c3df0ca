"""One labelled answer judged by a check: what the judge says of it beside what people say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_ftgate.calibration.labels import Label
from pytest_ftgate.calibration.results import Judged
from pytest_ftgate.cases import Arm, EvalCase, Expectation
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers import BUILTIN, Bench, Question, questions_of, score_case

PAIR = "prefer"
_RESULTS = {"win": "a", "loss": "b", "tie": "tie"}
_WORDS = {"pass": "pass", "fail": "fail", "true": "pass", "false": "fail", "yes": "pass", "no": "fail"}


class LabelError(ValueError):
    """Why a label is none; the message says what would be one."""


def label_of(check: Expectation, written: object) -> str:
    """A written label as one of those that are compared; raises `LabelError`.

    Of one answer: `pass` or `fail`, true or false, or a grade on the check's scale, which passes as the check
    has it. Of two: `a`, `b` or `tie`.
    """
    word = str(written).strip().lower()
    if check.scorer == PAIR:
        if word not in _RESULTS.values():
            raise LabelError(f"the label {written!r} is none of a, b and tie")
        return word
    scale = _grades(check)
    if scale is not None and word.removeprefix("-").isdigit():
        low, high, at_least = scale
        if low <= int(word) <= high:
            return "pass" if int(word) >= at_least else "fail"
    if word in _WORDS and (scale is None or not word.isdigit()):
        return _WORDS[word]
    grades = f", or a grade from {scale[0]} to {scale[1]}" if scale else ""
    raise LabelError(f"the label {written!r} is neither pass nor fail{grades}")


def _grades(check: Expectation) -> tuple[int, int, float] | None:
    """Lowest, highest and first passing grade; None where a check has no scale."""
    if check.scorer != "judge":
        return None
    scale = check.options.get("scale", (0, 1))
    low, high = min(map(int, scale)), max(map(int, scale))
    return low, high, float(check.options.get("at_least", high))


def labelled_case(check: Expectation, label: Label, around: EvalCase) -> EvalCase:
    """The case that was answered: `around` with the label's prompt, and this check alone."""
    if label.reference is not None:
        check = replace(check, options={**check.options, "reference": label.reference})
    own = (*around.messages, *(turn.message for turn in around.turns))
    asked = own if label.prompt is None else ({"role": "user", "content": label.prompt},)
    return replace(around, messages=asked, turns=(), expect=(check,), answer=None, accept_truncated=True)


def questions_about(case: EvalCase, label: Label) -> list[Question]:
    """What the judge is going to be asked."""
    completion, bench = _answers(label)
    try:
        return questions_of(case, completion, BUILTIN, bench=bench)
    except ScorerError:
        return []  # judging says why


def judged(case: EvalCase, check: Expectation, label: Label, ask: Callable[[Question], Completion]) -> Judged:
    """What the judge says of a labelled answer; an error is no label."""
    human = label_of(check, label.label)
    if label.judge is not None:
        return Judged(line=label.line, human=human, judge=label_of(check, label.judge), said="as recorded")
    completion, bench = _answers(label)
    try:
        (score,) = score_case(case, completion, bench=replace(bench, ask=ask))
    except ScorerError as error:
        return Judged(line=label.line, human=human, judge=None, said=str(error))
    if check.scorer == PAIR:
        said = _RESULTS[str(score.details["result"])]
    else:
        said = "pass" if score.passed else "fail"
    return Judged(line=label.line, human=human, judge=said, said=score.explanation)


def pairs_of(found: Sequence[Judged]) -> list[tuple[str, str]]:
    """The labels of all answers that both labelled, the people's first."""
    return [(one.human, one.judge) for one in found if one.judge is not None]


def _answers(label: Label) -> tuple[Completion, Bench]:
    """The answer, or the first of two with the other as its opponent."""
    first, *others = (Completion(text=text) for text in label.answers)
    return first, Bench(arm=Arm.MODEL, opponent=others[0] if others else None)

"""Scores one answer by all expectations of its case; whatever a scorer does wrong becomes a `ScorerError`."""

from __future__ import annotations

import dataclasses
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pytest_ftgate.cases import EvalCase, Expectation, Turn
from pytest_ftgate.completions import Completion, turn_answers
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers.answer import cut_answer
from pytest_ftgate.scorers.deadline import Deadline, DeadlineExceededError
from pytest_ftgate.scorers.explain import bounded, printable, short_path, verdict
from pytest_ftgate.scorers.grading import Question
from pytest_ftgate.scorers.isolation import isolated
from pytest_ftgate.scorers.score_check import checked_score
from pytest_ftgate.scorers.spec import BARE, Bench, ScorerSpec, Subject
from pytest_ftgate.scores import Score

Table = Mapping[str, ScorerSpec]
_Result = TypeVar("_Result")

#: Seconds for one scorer on one answer.
DEADLINE_S = 10.0
_PACKAGE = str(Path(__file__).parents[1]) + os.sep


def score_with(
    table: Table, case: EvalCase, completion: Completion, deadline_s: float = DEADLINE_S, bench: Bench = BARE
) -> tuple[Score, ...]:
    """One score for each expectation of the case, in order; a truncated answer gets a failed one more.

    Those of a conversation's turns come first. Raises ScorerError if any scorer can't judge the answer.
    """
    if not case.checks:
        return ()
    if case.turns:
        return _score_turns(table, case, completion, deadline_s, bench)
    subject = Subject(case=case, completion=completion, text=completion.text, bench=bench)
    return (*_scored(table, case, subject, deadline_s), *_truncated(case, completion))


def questions_with(
    table: Table, case: EvalCase, completion: Completion, deadline_s: float, bench: Bench
) -> list[Question]:
    """What scoring this answer is going to ask graders, each question once.

    Raises `ScorerError` where the answer can't be judged; scoring it says so again.
    """
    *turns, whole = _subjects(case, completion, bench)
    parts: list[tuple[EvalCase | Turn, Subject]] = [*zip(case.turns, turns, strict=False), (case, whole)]
    asked: dict[str, Question] = {}
    for expected, part in parts:
        cut = _cut(expected, part, deadline_s) if expected.expect else part
        for leaf in (leaf for top in expected.expect for leaf in top.leaves()):
            for question in table[leaf.scorer].questions(leaf.options, cut) if leaf.scorer in table else ():
                asked[question.digest] = question
    return [*asked.values()]


def _subjects(case: EvalCase, completion: Completion, bench: Bench) -> Iterator[Subject]:
    """What is judged by each turn of a conversation, if it is one, and then by the case: the whole."""
    own = turn_answers(completion) if case.turns else ()
    other = turn_answers(bench.opponent) if case.turns and bench.opponent is not None else ()
    for number, answer in enumerate(own):
        opponent = other[number] if number < len(other) else None
        at_turn = dataclasses.replace(bench, opponent=opponent, opponent_before=other[:number])
        yield Subject(case=case, completion=answer, text=answer.text, bench=at_turn, before=own[:number])
    at_end = dataclasses.replace(bench, opponent_before=other[:-1]) if other else bench
    yield Subject(case=case, completion=completion, text=completion.text, bench=at_end, before=own[:-1])


def _score_turns(
    table: Table, case: EvalCase, completion: Completion, deadline_s: float, bench: Bench
) -> tuple[Score, ...]:
    """Each turn's expectations on its answer; the case's on the last, with what the whole took and cost."""
    *subjects, whole = _subjects(case, completion, bench)
    if len(subjects) != len(case.turns):
        raise ScorerError(
            f"the conversation has {len(case.turns)} turns, and answers to {len(subjects)}: "
            "judge the completion that asking the case returned"
        )
    scores: list[Score] = []
    for number, (turn, subject) in enumerate(zip(case.turns, subjects, strict=True), 1):
        try:
            found = (*_scored(table, turn, subject, deadline_s), *_truncated(case, subject.completion))
        except ScorerError as error:
            raise ScorerError(f"turn {number}: {error}") from error
        scores += [
            dataclasses.replace(score, explanation=f"turn {number}: {score.explanation}") for score in found
        ]
    return (*scores, *_scored(table, case, whole, deadline_s))


def _scored(table: Table, expected: EvalCase | Turn, subject: Subject, deadline_s: float) -> Iterator[Score]:
    """The scores of what the case, or one of its turns, expects of this answer."""
    if expected.expect:
        cut = _cut(expected, subject, deadline_s)
        yield from map(_Scoring(table, cut, deadline_s).tree, expected.expect)


def _cut(expected: EvalCase | Turn, subject: Subject, deadline_s: float) -> Subject:
    """The subject with the text that the `answer:` rule leaves of it."""
    if (rule := expected.answer) is None:
        return subject
    text = _guarded("answer", deadline_s, lambda: cut_answer(rule, subject.completion.text))
    return dataclasses.replace(subject, text=text)


def _truncated(case: EvalCase, completion: Completion) -> tuple[Score, ...]:
    if completion.finish_reason != "length" or case.accept_truncated:
        return ()
    said = "the answer was cut off at the token limit; raise max_tokens, or set `accept_truncated: true`"
    return (verdict("finish_reason", False, said),)


@dataclasses.dataclass(frozen=True, slots=True)
class _Scoring:
    """The expectations of one case applied to one answer."""

    table: Table
    subject: Subject
    deadline_s: float

    def tree(self, expectation: Expectation) -> Score:
        """The score of a check or a composite, with the name and weight that the case gives it."""
        score = self._composite(expectation) if expectation.children else self._leaf(expectation)
        given = expectation.scorer, expectation.name, expectation.weight
        if given == (score.scorer, score.name, score.weight):
            return score
        scorer, name, weight = given
        return dataclasses.replace(score, scorer=scorer, name=name, weight=weight)

    def _leaf(self, expectation: Expectation) -> Score:
        spec = self.table.get(expectation.scorer)
        if spec is None:
            raise ScorerError(f"unknown scorer '{expectation.scorer}'; it is not installed in this run")
        if spec.quick or spec.needs(expectation.options):
            result = self._judged_quickly(spec, expectation.options)
        else:
            result = _guarded(spec.name, self.deadline_s, lambda: self._judged(spec, expectation.options))
        try:
            return checked_score(result)
        except ScorerError as error:
            raise ScorerError(f"scorer '{spec.name}' {error}") from None

    def _judged_quickly(self, spec: ScorerSpec, options: Mapping[str, Any]) -> Score:
        try:
            return spec.score(options, self.subject)
        except Exception as error:
            raise _error_of(spec.name, error) from error

    def _judged(self, spec: ScorerSpec, options: Mapping[str, Any]) -> Score:
        if not spec.own_code:
            return spec.score(options, self.subject)
        with isolated(self.subject.case):
            return spec.score(options, self.subject)

    def _composite(self, expectation: Expectation) -> Score:
        """The best value, the worst, or the rest to 1: so De Morgan's laws hold for values too."""
        children = tuple(map(self.tree, expectation.children))
        values, passed = [child.value for child in children], [child.passed for child in children]
        if expectation.scorer == "any_of":
            value, good = max(values), any(passed)
        elif expectation.scorer == "all_of":
            value, good = min(values), all(passed)
        else:
            value, good = 1 - min(values), not all(passed)
        said = f"{expectation.scorer}: {_REASON[expectation.scorer, good]}"
        inner = "; ".join(child.explanation for child in children)
        explanation = bounded(f"{said} ({inner})")
        return Score(
            scorer=expectation.scorer, value=value, passed=good, explanation=explanation, children=children
        )


_REASON = {
    ("any_of", True): "one passed",
    ("any_of", False): "none passed",
    ("all_of", True): "all passed",
    ("all_of", False): "not all passed",
    ("not", True): "failed, as expected",
    ("not", False): "passed, and should not",
}


def _guarded(name: str, deadline_s: float, judge: Callable[[], _Result]) -> _Result:
    """Runs a scorer within its time; what it raises is its error, what a signal raised meanwhile is not."""
    guard = Deadline(deadline_s)
    try:
        with guard:
            result = judge()
    except DeadlineExceededError:
        pass
    except BaseException as error:
        # Ctrl-C and other owners' alarms must end the run; the same types raised by the scorer must not.
        if guard.foreign:
            raise
        if not guard.expired:
            raise _error_of(name, error) from error
    if guard.expired:
        raise ScorerError(f"scorer '{name}' did not finish within {deadline_s:g} s")
    return result


def _error_of(name: str, error: BaseException) -> ScorerError:
    if isinstance(error, ScorerError):
        return ScorerError(f"scorer '{name}': {error}")
    where = _place_of(error)
    text = printable(str(error))[:500]
    said = f"raised {type(error).__name__}" + (f": {text}" if text else "")
    return ScorerError(f"scorer '{name}'{f' ({where})' if where else ''} {said}")


def _place_of(error: BaseException) -> str:
    """`file:line` of the first frame of somebody else's code below ours, "" if there is none."""
    for frame, line in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if not filename.startswith((_PACKAGE, "<")):
            return f"{short_path(filename)}:{line}"
    return ""

"""Why one trial came out as it did: in one line for headlines and tables, in full for a failed case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pytest_ftgate.record import Outcome, Trial
from pytest_ftgate.reports.inert import PREFIX, folded, inert_block, inert_line
from pytest_ftgate.scores import Score

_MAX_SCORES = 25
_MAX_DEPTH = 6
_INDENT = "    "
_TURN = re.compile(r"turn \d+: ")


def short_reason(trial: Trial) -> str:
    """One harmless line: the error, or the first check that failed; it never starts with a model's text."""
    if trial.error is not None:
        return inert_line(f"{trial.error.kind}: {trial.error.message}")
    missed = [score for score in trial.scores if not score.passed]
    if missed:
        return f"{score_name(missed[0])}: {inert_line(said_of(missed[0]))}"
    if trial.outcome is Outcome.PASSED:
        return "passed"
    if is_truncated(trial):
        return "the answer was cut off (finish reason 'length')"
    return "the test failed outside the case's own checks"


def score_name(score: Score) -> str:
    """The name that the author gave the entry, else the scorer's."""
    return inert_line(score.name or score.scorer, limit=80)


def is_truncated(trial: Trial) -> bool:
    """Whether the answer ended because the token limit was reached."""
    return trial.completion is not None and trial.completion.finish_reason == "length"


def score_lines(scores: Sequence[Score], *, depth: int = 0, counts: bool = True) -> Iterator[str]:
    """Every check with its mark and explanation; the parts of composites are indented below them.

    Only a failure that counts is marked in capitals: not one in an `any_of` or `not` that passed.
    """
    indent = "  " + _INDENT * depth
    for score in scores[:_MAX_SCORES]:
        counts_here = counts and not score.passed and score.scorer != "not"
        yield from _score(score, "pass" if score.passed else "FAIL" if counts else "fail", indent)
        if score.children and depth < _MAX_DEPTH:
            yield from score_lines(score.children, depth=depth + 1, counts=counts_here)
    if len(scores) > _MAX_SCORES:
        yield f"{indent}({len(scores) - _MAX_SCORES} more checks)"


def _score(score: Score, mark: str, indent: str) -> Iterator[str]:
    head = f"{indent}{mark} {score_name(score)}"
    said = said_of(score)
    if "\n" in said:
        yield f"{head}:"
        yield from inert_block(said, limit=1500, max_lines=30, prefix=f"{indent}{PREFIX}")
    else:
        first, *rest = folded(f"{head}: {inert_line(said, limit=1500)}", 78)
        yield first
        yield from (f"{indent}   : {part}" for part in rest)


def said_of(score: Score) -> str:
    """The explanation without the scorer's name at its head, since ours stands there; a turn's is kept."""
    said = score.explanation.strip()
    turn = found[0] if (found := _TURN.match(said)) else ""
    return turn + said.removeprefix(turn).removeprefix(f"{score.scorer}:").strip() or "no explanation"

"""Entries of an expectation by name: which a case has, which a score tells of. Nothing here judges.

A name is a scorer's or the one that the author gave. What stands inside `not` counts only by the name of the
`not` itself; inside `any_of` one passed entry of the name suffices, elsewhere all must pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction

from pytest_ftgate.cases import Expectation
from pytest_ftgate.scores import Score
from pytest_ftgate.summary.case_results import exact, mean


def has_entry(check: Expectation, names: Collection[str]) -> bool:
    """Whether the check, or one inside it, goes by one of the names."""
    if _is_named(check, names):
        return True
    return check.scorer != "not" and any(has_entry(child, names) for child in check.children)


def is_covered(check: Expectation, names: Collection[str]) -> bool:
    """Whether entries of these names decide the whole check."""
    if _is_named(check, names):
        return True
    return (
        check.scorer != "not"
        and bool(check.children)
        and all(is_covered(child, names) for child in check.children)
    )


def entry_names(check: Expectation) -> Iterator[str]:
    """The names that a metric can call this check's entries by."""
    yield check.name or check.scorer
    if check.scorer != "not":
        for child in check.children:
            yield from entry_names(child)


def entry_passed(score: Score, names: Collection[str]) -> bool | None:
    """Whether the entries of these names passed; None if there are none."""
    if _is_named(score, names):
        return score.passed
    if score.scorer == "not":
        return None
    parts = [passed for child in score.children if (passed := entry_passed(child, names)) is not None]
    if not parts:
        return None
    return any(parts) if score.scorer == "any_of" else all(parts)


def entry_value(score: Score, names: Collection[str]) -> Fraction | None:
    """The mean value of the entries of these names, the best inside `any_of`; None if there are none."""
    if _is_named(score, names):
        return exact(score.value)
    if score.scorer == "not":
        return None
    parts = [value for child in score.children if (value := entry_value(child, names)) is not None]
    if not parts:
        return None
    return max(parts) if score.scorer == "any_of" else mean(parts)


def scores_named(score: Score, name: str) -> Iterator[Score]:
    """The scores of one scorer, those inside `not` left out."""
    if score.scorer == name:
        yield score
    elif score.scorer != "not":
        for child in score.children:
            yield from scores_named(child, name)


def _is_named(entry: Expectation | Score, names: Collection[str]) -> bool:
    return entry.scorer in names or entry.name in names

"""Which cases a criterion takes, and what becomes of one that is split or names what is not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from pytest_ftgate.cases import Expectation
from pytest_ftgate.gates.criteria import Criterion, Gate, Per
from pytest_ftgate.gates.entries import has_entry
from pytest_ftgate.record.plan import PlannedCase

SELECTORS: tuple[Per, ...] = ("role", "suite", "category", "tag")
#: How alike two names are of which one is taken for a misspelling of the other.
_NEAR = 0.8


def split(
    criterion: Criterion, cases: Sequence[PlannedCase]
) -> list[tuple[Criterion, Sequence[PlannedCase]]]:
    """`per: category` makes one criterion per category of the selected cases, none of cases without."""
    selected = [case for case in cases if selects(criterion, case)]
    if criterion.per is None:
        return [(criterion, selected)]
    wanted: tuple[str, ...] = getattr(criterion, criterion.per)
    parts: dict[str, list[PlannedCase]] = {value: [] for value in wanted}
    for case in selected:
        for value in values_of(case, criterion.per):
            if not wanted or value in wanted:
                parts.setdefault(value, []).append(case)
    if not parts:
        return [(criterion, ())]
    return [(_one_of(criterion, criterion.per, value), parts[value]) for value in sorted(parts)]


def absent(
    criterion: Criterion, cases: Sequence[PlannedCase], gate: Gate
) -> list[tuple[Criterion, Sequence[PlannedCase]]]:
    """One more criterion, which nothing can meet, for each name in a list that nothing planned answers to.

    Else a misspelt category, or one whose file is gone, would drop out of `category: [a, b]` unseen, and its
    absence would help the model ship.
    """
    found: list[tuple[Criterion, Sequence[PlannedCase]]] = []
    for selector in SELECTORS:
        wanted: tuple[str, ...] = getattr(criterion, selector)
        if not wanted or selector == criterion.per:
            continue
        known = {value for case in cases for value in values_of(case, selector)}
        if not known.isdisjoint(wanted):
            gone = [value for value in wanted if value not in known]
            found += [(_one_of(criterion, selector, value), ()) for value in gone]
    if not gate.is_default:
        selected = [case for case in cases if selects(criterion, case)]
        misspelt = _misspelt(criterion.metric, selected, cases)
        found += [
            (replace(criterion, name=f"{criterion.name}[{name}]", metric=(name,)), selected)
            for name in misspelt
        ]
    return found


def selects(criterion: Criterion, case: PlannedCase) -> bool:
    """Whether all selectors of the criterion take the case."""
    for selector in SELECTORS:
        wanted = getattr(criterion, selector)
        if wanted and not any(value in wanted for value in values_of(case, selector)):
            return False
    return True


def values_of(case: PlannedCase, selector: Per) -> tuple[str, ...]:
    """What a selector compares of a case: its tags, or the one value that it has."""
    return case.tags if selector == "tag" else (str(getattr(case, selector)),)


def _misspelt(
    names: Sequence[str], selected: Sequence[PlannedCase], cases: Sequence[PlannedCase]
) -> list[str]:
    """Names in a list of metrics that no entry goes by, and that resemble one of an entry not in the list.

    Others are left alone: a list may name scorers that these cases do not use.
    """
    if not any(has_entry(check, names) for case in selected for check in case.expect):
        return []
    known = {name for case in cases for check in case.expect for name in _all_names(check)}
    others = known.difference(names)
    return [name for name in names if name not in known and get_close_matches(name, others, 1, _NEAR)]


def _all_names(check: Expectation) -> Iterator[str]:
    """Both names of this check and of all that stands in it."""
    yield from (check.scorer, *([check.name] if check.name else []))
    for child in check.children:
        yield from _all_names(child)


def _one_of(criterion: Criterion, per: Per, value: str) -> Criterion:
    only = {selector: getattr(criterion, selector) for selector in SELECTORS} | {per: (value,)}
    return replace(criterion, name=f"{criterion.name}[{value}]", **only)

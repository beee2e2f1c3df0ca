"""What of the cases can be read without a script: changes in full, and a capped list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_ftgate.cases import Arm
from pytest_ftgate.reports.html.cases import (
    KINDS,
    CaseJson,
    anchor_of,
    case_json,
    kind_of,
    reason_of,
    state_of,
)
from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.outcomes import samples_of
from pytest_ftgate.summary import CaseResult

#: Most changes of a kind that are shown in full, most characters of their texts, and most rows of the list.
_MOST_CHANGES = {"regression": 60, "error": 20, "fixed": 20}
_MOST_OF_ONE_ARM = {"failed": 60, "error": 20}
_TEXT = 4_000
_MOST_ROWS = 500
#: Most further changes of a kind whose names are links.
_MOST_NAMED = 300
#: Most values of a filter to choose from, the most frequent ones; a link may lead to another.
_MOST_CHOICES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Cases of one kind: all of them are counted, some shown."""

    kind: str
    title: str
    total: int
    cases: tuple[CaseJson, ...]
    #: Anchors and ids of more of them, which stand in the list of every case alone.
    more: tuple[tuple[str, str], ...]

    @property
    def left(self) -> int:
        """How many are not even named."""
        return self.total - len(self.cases) - len(self.more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the list can be narrowed by; `choices` are values and how they read."""

    field: str
    label: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Every case, with its filters, and the rows of the list without a script."""

    total: int
    filters: tuple[Filter, ...]
    rows: tuple[CaseJson, ...]


_TITLES = {
    "regression": "Regressions: the baseline passed, the model did not",
    "error": "Errors: nobody knows how the model would have done",
    "fixed": "Fixed: the model passed, the baseline did not",
    "failed": "Failed: nothing to compare with",
}


def changed(cases: Sequence[CaseResult]) -> list[Change]:
    """What needs reading first comes first; where nothing is compared, that is what failed."""
    is_paired = any(case.pair for case in cases)
    made = [
        _change(kind, most, [case for case in cases if kind_of(case) == kind])
        for kind, most in (_MOST_CHANGES if is_paired else _MOST_OF_ONE_ARM).items()
    ]
    return [change for change in made if change.total or change.kind in ("regression", "failed")]


def _change(kind: str, most: int, cases: Sequence[CaseResult]) -> Change:
    """Cases of one kind, each category in turn, what must pass first."""
    named = samples_of(cases, most + _MOST_NAMED)
    return Change(
        kind=kind,
        title=_TITLES[kind],
        total=len(cases),
        cases=tuple(case_json(case, _TEXT) for case in named[:most]),
        more=tuple((anchor_of(case), inert_line(case.planned.id)) for case in named[most:]),
    )


def listed(cases: Sequence[CaseResult], changes: Sequence[Change], criteria: Sequence[str]) -> Listed:
    """All cases, sorted by what needs reading first, as little of each as a row shows.

    `criteria` are the names of those that read any case, in the order in which the cases name them.
    """
    shown = {case["anchor"] for change in changes for case in change.cases}
    return Listed(
        total=len(cases),
        filters=tuple(_filters(cases, criteria)),
        rows=tuple(_row(case, is_shown=anchor_of(case) in shown) for case in cases[:_MOST_ROWS]),
    )


def _filters(cases: Sequence[CaseResult], criteria: Sequence[str]) -> Iterator[Filter]:
    """All outcomes, and whatever else has something to choose from."""
    counts = Counter(map(kind_of, cases))
    kinds = tuple((kind, f"{kind} ({counts[kind]})") for kind in KINDS if counts[kind])
    yield Filter(field="kind", label="Outcome", choices=kinds)
    planned = [case.planned for case in cases]
    values = {
        "role": Counter(str(case.role) for case in planned),
        "category": Counter(inert_line(case.category) for case in planned),
        "suite": Counter(inert_line(case.suite) for case in planned),
        "tag": Counter(inert_line(tag) for case in planned for tag in case.tags),
    }
    most = {field: found.most_common(_MOST_CHOICES) for field, found in values.items()}
    choices = {field: sorted(name for name, _ in found) for field, found in most.items()}
    choices = {"criterion": list(criteria), **choices}
    for field, names in choices.items():
        if len(names) > 1 or (names and field in ("criterion", "tag")):
            yield Filter(field=field, label=field.capitalize(), choices=tuple((name, name) for name in names))


def _row(case: CaseResult, *, is_shown: bool) -> CaseJson:
    """A row; `is_shown` if the case stands in full above, where its link leads."""
    return {
        "is_shown": is_shown,
        "anchor": anchor_of(case),
        "id": inert_line(case.planned.id),
        "suite": inert_line(case.planned.suite),
        "category": inert_line(case.planned.category),
        "kind": kind_of(case),
        "reason": reason_of(case)[:300],
        "arms": {str(arm): state_of(case, arm) for arm in Arm},
    }

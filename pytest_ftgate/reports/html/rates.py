"""Pass rates of the page: by role, suite and category, of both arms, with intervals and differences."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftgate.gates import Assessment
from pytest_ftgate.reports.html.cases import filter_of
from pytest_ftgate.reports.html.drawing import UNIT
from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.numbers import NOTHING, p_value, percent, percent_interval, points, points_interval
from pytest_ftgate.summary import Group, Rate

_MAX_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One arm of a group: its rate as text, and where it is drawn."""

    rate: str
    interval: str
    low: str
    high: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRow:
    """One group; `delta` is in points. `is_flagged` if it dropped by more than five of them.

    `filter` is the fragment that leads to its cases, "" of all.
    """

    name: str
    filter: str
    n: int
    model: Side | None
    baseline: Side | None
    delta: str
    delta_interval: str
    p: str
    wins: int
    losses: int
    is_flagged: bool
    #: Whether no change at all lies within the interval of a flagged one.
    may_be_noise: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTable:
    """Groups of one kind, the worst changed first."""

    title: str
    rows: tuple[RateRow, ...]
    left_out: int


def rate_tables(assessment: Assessment) -> list[RateTable]:
    """All cases with the roles, then categories, and suites and tags where there are several."""
    confidence = float(assessment.gate.confidence)
    by: dict[str, list[Group]] = {}
    for group in assessment.summary.groups:
        by.setdefault(group.by, []).append(group)
    overall = [*by.get("all", []), *by.get("role", [])]
    kinds = [("All cases, and by role", overall), ("By category", by.get("category", []))]
    kinds += [(f"By {kind}", by[kind]) for kind in ("suite", "tag") if len(by.get(kind, [])) > 1]
    return [_table(title, groups, confidence) for title, groups in kinds if groups]


def paired_note(assessment: Assessment) -> str:
    """Which cases the changes are of, where that are not all; "" else."""
    whole = next((group for group in assessment.summary.groups if group.by == "all"), None)
    if whole is None or whole.baseline is None:
        return ""
    if whole.paired == whole.n == whole.model.n == whole.baseline.n:
        return ""
    both = "1 case" if whole.paired == 1 else f"{whole.paired} cases"
    return (
        "n counts the cases that were planned, each rate those that were judged; changes, p, won and lost "
        f"are of the {both} that both arms have, so a change need not be the difference of the two rates."
    )


def _table(title: str, groups: list[Group], confidence: float) -> RateTable:
    ordered = groups if groups[0].by == "all" else sorted(groups, key=_worst_first)
    rows = tuple(_row(group, confidence) for group in ordered[:_MAX_ROWS])
    return RateTable(title=title, rows=rows, left_out=len(ordered) - len(rows))


def _worst_first(group: Group) -> tuple[float, str]:
    return (float(group.delta) if group.delta is not None else 1.0, group.value)


def _row(group: Group, confidence: float) -> RateRow:
    bounds = group.delta_interval(confidence)
    return RateRow(
        name=inert_line(group.value, limit=120) if group.by != "all" else "all cases",
        filter=filter_of(group.by, inert_line(group.value)) if group.by != "all" else "",
        n=group.n,
        model=_side(group.model, confidence),
        baseline=_side(group.baseline, confidence),
        delta=points(group.delta),
        delta_interval=points_interval(bounds) if bounds else "",
        p=p_value(group.p_value) if group.paired else NOTHING,
        wins=group.wins,
        losses=group.losses,
        is_flagged=group.flagged,
        may_be_noise=bounds is not None and bounds[1] >= 0,
    )


def _side(rate: Rate | None, confidence: float) -> Side | None:
    bounds = rate.interval(confidence) if rate is not None else None
    if rate is None or rate.rate is None or bounds is None:
        return None
    low, high = UNIT.span(*bounds)
    return Side(
        rate=percent(rate.rate),
        interval=percent_interval(bounds),
        low=low,
        high=high,
        at=UNIT.at(float(rate.rate)),
    )

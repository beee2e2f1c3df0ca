"""Criteria of the page: a row each, with the interval drawn against the threshold."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from pytest_ftgate.gates import Assessment, CriterionResult, Status
from pytest_ftgate.record import CaseKey
from pytest_ftgate.reports.html.cases import filter_of
from pytest_ftgate.reports.html.drawing import Scale
from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.numbers import observed, observed_interval

SIGNS = {Status.GO: "✓", Status.NO_GO: "✕", Status.INCONCLUSIVE: "?", Status.NOT_MEASURED: "–"}  # noqa: RUF001
_KINDS = {Status.GO: "good", Status.NO_GO: "bad", Status.INCONCLUSIVE: "open", Status.NOT_MEASURED: "open"}
_THRESHOLD = re.compile(r"(≥|≤) (-?\d+(?:\.\d+)?)\s?(%?)\Z")
_DECIDED_BY = {"point": "estimate", "strict": "bounds"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Places of the marks: the interval's ends, what was observed, the threshold, and what meets it."""

    low: str
    high: str
    observed: str
    threshold: str
    meets_x: str
    meets_width: str
    zero: str | None
    is_bounded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionRow:
    """One criterion, its texts harmless; `kind` is good, bad or open, `reads` the cases that it reads."""

    name: str
    status: str
    sign: str
    kind: str
    observed: str
    interval: str
    threshold: str
    n: int
    by: str
    reason: str
    decides: bool
    reads: Collection[CaseKey]
    drawing: Drawing | None

    @property
    def filter(self) -> str:
        """The fragment that leads to these cases."""
        return filter_of("criterion", self.name)


def criterion_rows(assessment: Assessment) -> list[CriterionRow]:
    """All criteria, those that decide first, and of these the blocking ones."""
    order = (Status.NO_GO, Status.INCONCLUSIVE, Status.NOT_MEASURED, Status.GO)
    results = sorted(assessment.verdict.criteria, key=lambda one: (not one.decides, order.index(one.status)))
    reads = assessment.read_cases()
    return [_row(one, reads.get(one.name, ())) for one in results]


def could_be_noise(result: CriterionResult) -> bool:
    """Whether the threshold lies inside the interval of what was observed."""
    bound = threshold_of(result)
    return (
        bound is not None and result.interval is not None and result.interval[0] < bound < result.interval[1]
    )


def threshold_of(result: CriterionResult) -> float | None:
    """The threshold in the unit of the metric, from its text; None where the text says something else."""
    found = _THRESHOLD.fullmatch(result.threshold)
    return None if found is None else float(found[2]) / (100 if found[3] else 1)


def _row(result: CriterionResult, reads: Collection[CaseKey]) -> CriterionRow:
    return CriterionRow(
        name=inert_line(result.name),
        status=str(result.status),
        sign=SIGNS[result.status],
        kind=_KINDS[result.status],
        observed=observed(result),
        interval=observed_interval(result),
        threshold=inert_line(result.threshold, limit=60),
        n=result.n,
        by=_DECIDED_BY.get(result.evidence, ""),
        reason=inert_line(result.reason, limit=1000),
        decides=result.decides,
        reads=reads,
        drawing=_drawing(result),
    )


def _drawing(result: CriterionResult) -> Drawing | None:
    bound = threshold_of(result)
    if result.observed is None or bound is None or not math.isfinite(result.observed):
        return None
    value = float(result.observed)
    ends = result.interval if result.interval and all(map(math.isfinite, result.interval)) else (value, value)
    scale = _scale(result, [*ends, value, bound])
    edges = (bound, scale.high) if result.threshold.startswith("≥") else (scale.low, bound)
    start, end = scale.span(*edges)
    return Drawing(
        low=scale.at(ends[0]),
        high=scale.at(ends[1]),
        observed=scale.at(value),
        threshold=scale.at(bound),
        meets_x=start,
        meets_width=f"{max(float(end[:-1]) - float(start[:-1]), 0.8):.2f}%",
        zero=scale.at(_NEUTRAL[result.compare]) if result.compare in _NEUTRAL else None,
        is_bounded=ends[0] < ends[1],
    )


#: Where the arms are alike.
_NEUTRAL = {"delta": 0.0, "ratio": 1.0}


def _scale(result: CriterionResult, values: list[float]) -> Scale:
    """Rates from 0 to 1; differences and ratios around no difference; all else from 0."""
    if result.compare == "value" and "%" in result.threshold and min(values) >= 0 and max(values) <= 1:
        return Scale(low=0.0, high=1.0)
    low, high = (
        min(*values, _NEUTRAL.get(result.compare, 0.0)),
        max(*values, _NEUTRAL.get(result.compare, 0.0)),
    )
    room = (high - low or 1.0) * 0.12
    return Scale(low=low - room if low < 0 or result.compare == "ratio" else low, high=high + room)

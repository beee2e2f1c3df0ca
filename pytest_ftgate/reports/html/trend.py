"""Trends of the page: the model's pass rates over earlier runs, as small drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_ftgate.gates import Assessment
from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.numbers import percent

_MOST_RUNS = 40
_HEIGHT = 44.0


class PastRate(Protocol):
    """Share of cases that passed, 0…1, with its interval."""

    @property
    def rate(self) -> float:
        """Share that passed."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both bounds, 0…1."""


class PastGroup(Protocol):
    """The cases of a category or role, or all of them."""

    @property
    def model(self) -> PastRate | None:
        """The model's rate; None where nothing was measured."""


class PastRun(Protocol):
    """An earlier run: its id, its verdict's word, when it ended, what is comparable, and its groups."""

    @property
    def run_id(self) -> str:
        """The id."""

    @property
    def finished(self) -> str:
        """ISO 8601."""

    @property
    def verdict(self) -> str:
        """The word."""

    @property
    def gate(self) -> str:
        """Digest of the gate."""

    @property
    def plan(self) -> str:
        """Digest of the plan."""

    def group(self, by: str, value: str) -> PastGroup | None:
        """The group of that name; None where the run had none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One run in the drawing: places in percent and pixels, and what it says."""

    x: str
    y: str
    low: str
    high: str
    is_ship: bool
    is_comparable: bool
    is_this: bool
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRow:
    """One group over the runs; `band_y` and `band_height` hold what is within noise of the last SHIP."""

    name: str
    now: str
    dots: tuple[Dot, ...]
    band_y: str
    band_height: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    run: PastRun | None
    rate: float
    interval: tuple[float, float] | None


def trends(assessment: Assessment, history: Sequence[PastRun]) -> list[TrendRow]:
    """A row for all cases, for each role and category; empty without an earlier run."""
    earlier = [run for run in history if run.run_id != assessment.record.run.run_id][-_MOST_RUNS:]
    if not earlier:
        return []
    groups = [group for group in assessment.summary.groups if group.by in ("all", "role", "category")]
    rows = []
    for group in groups:
        points = [point for run in earlier if (point := _point(run, group.by, group.value)) is not None]
        rate, bounds = group.model.rate, group.model.interval(float(assessment.gate.confidence))
        if points and rate is not None:
            points.append(_Point(run=None, rate=float(rate), interval=bounds))
            name = "all cases" if group.by == "all" else inert_line(group.value, limit=120)
            rows.append(_row(name, points, assessment))
    return rows


def _point(run: PastRun, by: str, value: str) -> _Point | None:
    group = run.group(by, value)
    if group is None or group.model is None:
        return None
    return _Point(run=run, rate=group.model.rate, interval=group.model.interval)


def _row(name: str, points: Sequence[_Point], assessment: Assessment) -> TrendRow:
    shipped = [one for one in points if one.run is not None and one.run.verdict == "SHIP" and one.interval]
    band = shipped[-1].interval if shipped else None
    width = max(len(points) - 1, 1)
    return TrendRow(
        name=name,
        now=percent(points[-1].rate),
        dots=tuple(_dot(one, at / width, assessment) for at, one in enumerate(points)),
        band_y=_y(band[1]) if band else "",
        band_height=f"{max((band[1] - band[0]) * (_HEIGHT - 8), 1):.1f}" if band else "",
    )


def _dot(point: _Point, share: float, assessment: Assessment) -> Dot:
    run, this = point.run, assessment.record.run
    low, high = point.interval or (point.rate, point.rate)
    told = (
        (run.finished, run.verdict, run.run_id)
        if run
        else (this.finished, assessment.verdict.word, this.run_id)
    )
    return Dot(
        x=f"{3 + 94 * share:.2f}%",
        y=_y(point.rate),
        low=_y(low),
        high=_y(high),
        is_ship=told[1] == "SHIP",
        is_comparable=run is None
        or (run.gate, run.plan) == (assessment.gate.digest, assessment.record.plan.digest),
        is_this=run is None,
        says=inert_line(f"{told[0][:16].replace('T', ' ')} {told[1]}, {percent(point.rate)}, run {told[2]}"),
    )


def _y(rate: float) -> str:
    return f"{4 + (1 - rate) * (_HEIGHT - 8):.1f}"

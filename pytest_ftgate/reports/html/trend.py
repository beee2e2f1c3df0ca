"""Trends of the page: the model's pass rates over earlier runs, as small drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ftgate.gates import Assessment
from pytest_ftgate.history import HistoryRate, HistoryRun, Trend, history_run, trends_of
from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.numbers import NOTHING, percent, percent_interval

#: Most runs that are drawn, and most among which the last SHIP is looked for.
_MOST_RUNS, _MOST_READ = 40, 400
_MOST_ROWS = 60
#: Of a drawing, and what of it stays free above and below for signs.
_HEIGHT, _MARGIN = 44.0, 8.0


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
    """One group over the runs; the band holds what is within noise, `place` says where this run is."""

    name: str
    now: str
    place: str
    band: str
    dots: tuple[Dot, ...]
    band_y: str
    band_height: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """A row for all cases, for each role and category, and how many have no room.

    `runs` are drawn: when, by which verdict, of which model, and the rate of all cases.
    """

    rows: tuple[TrendRow, ...]
    left_out: int
    runs: tuple[tuple[str, str, str, str], ...]


def trends(assessment: Assessment, history: Sequence[HistoryRun]) -> Trends | None:
    """None without an earlier run, and for a run that is not whole: its rates are those of other cases."""
    this = history_run(assessment)
    if this is None:
        return None
    own = (this.run_id, this.started)
    before = [run for run in history if run.started <= this.started and (run.run_id, run.started) != own]
    earlier = before[-_MOST_READ:]
    if not earlier:
        return None
    runs = [*earlier, this]
    told = [trend for trend in trends_of(runs) if trend.rates[-1] is not None]
    shown = runs[-_MOST_RUNS:]
    return Trends(
        rows=tuple(_row(trend, shown) for trend in told[:_MOST_ROWS]),
        left_out=max(len(told) - _MOST_ROWS, 0),
        runs=tuple(map(_listed, shown)),
    )


def _listed(run: HistoryRun) -> tuple[str, str, str, str]:
    whole = run.group("all", "all")
    rate = percent(whole.model.rate) if whole is not None and whole.model is not None else NOTHING
    return inert_line(run.when), inert_line(run.verdict), inert_line(_model(run)), rate


def _model(run: HistoryRun) -> str:
    model = run.models.get("model")
    return model.title if model is not None else "no model"


def _row(trend: Trend, runs: Sequence[HistoryRun]) -> TrendRow:
    band, last = trend.band, trend.rates[-1]
    dots = [
        _dot(rate, at / (len(runs) - 1), run, runs[-1])
        for at, (rate, run) in enumerate(zip(trend.rates[-len(runs) :], runs, strict=True))
        if rate is not None
    ]
    return TrendRow(
        name=_name(trend),
        now=percent(last.rate if last is not None else None),
        place=trend.place or "",
        band=f"{percent_interval((band.low, band.high))}, {band.of}" if band else "",
        dots=tuple(dots),
        band_y=_y(band.high) if band else "",
        band_height=f"{max((band.high - band.low) * (_HEIGHT - 2 * _MARGIN), 1):.1f}" if band else "",
    )


def _name(trend: Trend) -> str:
    return {"all": "all cases", "role": f"role {trend.value}"}.get(
        trend.by, inert_line(trend.value, limit=120)
    )


def _dot(rate: HistoryRate, share: float, run: HistoryRun, this: HistoryRun) -> Dot:
    low, high = rate.interval or (rate.rate, rate.rate)
    return Dot(
        x=f"{3 + 94 * share:.2f}%",
        y=_y(rate.rate),
        low=_y(low),
        high=_y(high),
        is_ship=run.is_ship,
        is_comparable=run.is_comparable(this),
        is_this=run is this,
        says=inert_line(
            f"{run.when} {run.verdict}, {percent(rate.rate)}, {_model(run)}, run {run.run_id}", limit=300
        ),
    )


def _y(rate: float) -> str:
    return f"{_MARGIN + (1 - rate) * (_HEIGHT - 2 * _MARGIN):.1f}"

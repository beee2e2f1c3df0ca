"""Past runs for a terminal: a row for each of them, and the trend of each category beside its noise band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_ftgate.gates import Word
from pytest_ftgate.history import HistoryRate, HistoryRun, Trend, last_ship, trends_of
from pytest_ftgate.reports.inert import harmless_start
from pytest_ftgate.reports.lines import (
    Line,
    Segment,
    Style,
    as_ascii,
    cells,
    line,
    pad,
    shorten,
    shorten_middle,
)
from pytest_ftgate.reports.numbers import NOTHING, percent, percent_interval, share
from pytest_ftgate.reports.page import Page
from pytest_ftgate.reports.terminal import WORD_STYLES

_MIN_WIDTH, _MAX_WIDTH = 80, 160
_GAP = "  "
_LEAST_NAME, _COMFORTABLE_NAME = 8, 30
#: Columns of a date with its time, and of the longest verdict.
_STARTED, _VERDICT = 16, 12
#: The columns of the signs before a run, and the space behind them.
_MARKS = 3
#: Where the baseline's rate stands in a trend, which has no room for it on narrow terminals.
_BASELINE = 3
_BARS, _TENTHS = "▁▂▃▄▅▆▇█", "0123456789"
_SHIP, _OTHER, _GAP_IN_TREND = "*", "x", "."
_PLACE_STYLES: dict[str, Style] = {"below": "red", "above": "green", "within": "plain", NOTHING: "plain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is asked for: so many of the last runs, and of one category only if it is named."""

    last: int = 20
    category: str | None = None

    @property
    def group(self) -> tuple[str, str]:
        """The cases that the rows of runs speak of."""
        return ("category", self.category) if self.category is not None else ("all", "all")


def render_history(
    runs: Sequence[HistoryRun], shown: Shown, *, width: int, ascii_only: bool = False
) -> Sequence[Line]:
    """The last runs, then the trends; `width` is the terminal's, of which 80 to 160 columns are used."""
    page = Page(width=min(max(width, _MIN_WIDTH), _MAX_WIDTH), ascii_only=ascii_only)
    trends = [trend for trend in trends_of(runs) if _is_asked(trend, shown)]
    made = [*_runs(runs, shown, page), line(), *_trends(trends, runs, shown, page)]
    return [as_ascii(row) for row in made] if ascii_only else made


def history_json(runs: Sequence[HistoryRun], shown: Shown) -> dict[str, object]:
    """The same for programs: the last runs with their marks, and each trend with its band."""
    ship = last_ship(runs)
    return {
        "schema": "ftgate.history_report/1",
        "runs": [
            {**run.as_json(), "last_ship": run is ship, "comparable": run.is_comparable(runs[-1])}
            for run in runs[-shown.last :]
        ],
        "trends": [_trend_json(trend, shown) for trend in trends_of(runs) if _is_asked(trend, shown)],
    }


def _trend_json(trend: Trend, shown: Shown) -> dict[str, object]:
    rates = [None if rate is None else rate.as_json() for rate in trend.rates[-shown.last :]]
    band = trend.band
    told = band and {
        "low": band.low,
        "high": band.high,
        "run_id": band.run_id,
        "started": band.when,
        "of": band.of,
    }
    return {"by": trend.by, "value": trend.value, "rates": rates, "band": told, "last": trend.place}


def _is_asked(trend: Trend, shown: Shown) -> bool:
    return shown.category is None or (trend.by, trend.value) == shown.group


def _runs(runs: Sequence[HistoryRun], shown: Shown, page: Page) -> Iterator[Line]:
    told, ship = runs[-shown.last :], last_ship(runs)
    header = ("started", "verdict", "model", _title(shown, runs[-1]), "n", "baseline")
    rows = [_run(run, shown, page) for run in told]
    widths = [max(map(cells, column)) for column in zip(header, *rows, strict=True)]
    taken = _MARKS + sum(widths) - widths[2] + len(_GAP) * (len(widths) - 1)
    widths[2] = min(widths[2], max(page.width - taken, _LEAST_NAME))
    yield line(Segment(" " * _MARKS + _GAP.join(_padded(header, widths)), "dim"))
    for run, row in zip(told, rows, strict=True):
        yield _row(run, row, widths, is_ship=run is ship, is_other=not run.is_comparable(runs[-1]))
    yield from _legend(told, ship, runs[-1], page)


def _title(shown: Shown, last: HistoryRun) -> str:
    name = "all cases" if shown.category is None else "category"
    return f"{name}, {share(last.confidence)} CI"


def _run(run: HistoryRun, shown: Shown, page: Page) -> tuple[str, ...]:
    group = run.group(*shown.group)
    model = run.models.get("model")
    name = model.title if model is not None else NOTHING
    rate, baseline = (group.model, group.baseline) if group is not None else (None, None)
    return (
        shorten(harmless_start(page.text(run.when)), _STARTED),
        shorten(page.text(run.verdict), _VERDICT),
        page.text(name, limit=200),
        _rate(rate),
        NOTHING if group is None else str(group.n),
        percent(baseline.rate) if baseline is not None else NOTHING,
    )


def _rate(rate: HistoryRate | None) -> str:
    if rate is None:
        return NOTHING
    return f"{percent(rate.rate)} {percent_interval(rate.interval) if rate.interval else ''}".rstrip()


def _row(
    run: HistoryRun, row: Sequence[str], widths: Sequence[int], *, is_ship: bool, is_other: bool
) -> Line:
    style: Style = "dim" if is_other else "plain"
    word: Style = WORD_STYLES[Word(run.verdict)] if run.verdict in set(Word) else "plain"
    started, verdict, *rest = _padded(row, widths)
    return line(
        Segment(_SHIP if is_ship else " ", "green"),
        Segment(_OTHER if is_other else " ", style),
        Segment(f" {started}{_GAP}", style),
        Segment(verdict, style if is_other else word),
        Segment((_GAP + _GAP.join(rest)).rstrip(), style),
    )


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Texts left, numbers right."""
    return [
        pad(shorten_middle(text, width), width, right=at > 2)
        for at, (text, width) in enumerate(zip(row, widths, strict=True))
    ]


def _legend(
    told: Sequence[HistoryRun], ship: HistoryRun | None, last: HistoryRun, page: Page
) -> Iterator[Line]:
    if ship is None:
        yield from page.paragraph("no run here is a SHIP", style="dim")
    elif any(run is ship for run in told):
        yield from page.paragraph(f"{_SHIP} the last SHIP", style="dim")
    else:
        earlier = page.text(f"the last SHIP is earlier: run {ship.run_id}, started {ship.started[:16]}")
        yield from page.paragraph(earlier, style="dim")
    if any(not run.is_comparable(last) for run in told):
        why = f"{_OTHER} not comparable with the last run: other cases, or another gate"
        yield from page.paragraph(why, style="dim")


def _trends(trends: Sequence[Trend], runs: Sequence[HistoryRun], shown: Shown, page: Page) -> Iterator[Line]:
    """Names, bars, last rates, bands and where the rates lie; what the bands are of stands below."""
    told = [run.is_comparable(runs[-1]) for run in runs[-shown.last :]]
    header: tuple[str, ...] = ("", "trend", "last", "baseline", "noise band", "it is", "band of")
    rows = [_trend(trend, told, runs[-1], page) for trend in trends]
    widths = [max(map(cells, column)) for column in zip(header, *rows, strict=True)]
    gaps = len(_GAP) * (len(widths) - 1)
    if sum(widths[1:]) + min(widths[0], _COMFORTABLE_NAME) + gaps > page.width:
        header, *rows = (row[:_BASELINE] + row[_BASELINE + 1 :] for row in (header, *rows))
        del widths[_BASELINE]
        gaps -= len(_GAP)
    widths[0] = min(widths[0], max(page.width - sum(widths[1:]) - gaps, _LEAST_NAME))
    yield line(Segment(_GAP.join(_aligned(header, widths)).rstrip(), "dim"))
    for row in rows:
        *before, place, of = _aligned(row, widths)
        style = _PLACE_STYLES[place.rstrip()]
        yield line(_GAP.join(before) + _GAP, Segment(place, style), (_GAP + of).rstrip())
    yield from page.paragraph(_explained(trends, runs[-1], told, page), style="dim")


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Name and bars left, then rates right, and what is said of them left."""
    first = len(row) - 3
    return [
        pad(shorten_middle(text, width), width, right=1 < at < first)
        for at, (text, width) in enumerate(zip(row, widths, strict=True))
    ]


def _trend(trend: Trend, comparable: Sequence[bool], last_run: HistoryRun, page: Page) -> tuple[str, ...]:
    last, band = trend.rates[-1], trend.band
    group = last_run.group(trend.by, trend.value)
    baseline = group.baseline if group is not None else None
    name = trend.value if trend.by != "role" else f"role {trend.value}"
    return (
        harmless_start(page.text(name, limit=200)),
        _bars(trend, comparable, page),
        percent(last.rate) if last is not None else NOTHING,
        percent(baseline.rate) if baseline is not None else NOTHING,
        percent_interval((band.low, band.high)) if band is not None else NOTHING,
        trend.place or NOTHING,
        shorten(page.text(band.when), _STARTED) if band is not None else NOTHING,
    )


def _bars(trend: Trend, comparable: Sequence[bool], page: Page) -> str:
    """A sign for each run; bars reach over the band, or further where rates do: so noise looks small."""
    rates = trend.rates[-len(comparable) :]
    values = [rate.rate for rate, is_ours in zip(rates, comparable, strict=True) if rate and is_ours]
    ends = [*values, *((trend.band.low, trend.band.high) if trend.band else ())]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    return "".join(
        _OTHER if not is_ours else _GAP_IN_TREND if rate is None else _bar(rate.rate, low, high, page)
        for rate, is_ours in zip(rates, comparable, strict=True)
    )


def _bar(rate: float, low: float, high: float, page: Page) -> str:
    if page.ascii_only:
        return _TENTHS[min(int(rate * len(_TENTHS)), len(_TENTHS) - 1)]
    height = (rate - low) / (high - low) if high > low else 0.5
    return _BARS[min(int(height * len(_BARS)), len(_BARS) - 1)]


def _explained(trends: Sequence[Trend], last: HistoryRun, comparable: Sequence[bool], page: Page) -> str:
    whose = _whose(trends)
    parts = [f"noise band: the {share(last.confidence)} interval of the rate {whose}"] if whose else []
    if page.ascii_only:
        parts.append("digits are tenths of the rate, 9 for 90% and more")
    else:
        parts.append("bars are the runs above, each row from its lowest to its highest rate or bound")
    if any(rate is None for trend in trends for rate in trend.rates[-len(comparable) :]):
        parts.append(f"{_GAP_IN_TREND} no such case was measured")
    return page.text("; ".join(parts))


def _whose(trends: Sequence[Trend]) -> str:
    kinds = {one.band.of_ship for one in trends if one.band is not None}
    ship = "in the last SHIP before the last run"
    median = "in the run with the median rate"
    usual = "it says what was usual, not what is good"
    if not kinds:
        return ""
    if False not in kinds:
        return ship
    return f"{ship}, or where none had such cases {median}" if True in kinds else f"{median}: {usual}"

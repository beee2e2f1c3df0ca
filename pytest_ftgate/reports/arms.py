"""The model beside its baseline in the terminal report, for -v: wins, scores, times, amounts, p-values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment
from pytest_ftgate.record import RunInfo
from pytest_ftgate.reports.columns import columns
from pytest_ftgate.reports.inert import harmless_start
from pytest_ftgate.reports.lines import Line, Segment, line
from pytest_ftgate.reports.numbers import (
    NOTHING,
    amount,
    p_value,
    percent,
    percent_interval,
    points,
    points_interval,
    share,
)
from pytest_ftgate.reports.page import Page
from pytest_ftgate.summary import Comparison, Estimated, Group, Rate, Sides

_THIN = "*"
THIN_NOTE = "* of so few calls that it is hardly more than the slowest of them: nothing bounds it"
SIDES = ("model", "baseline", "ratio")
#: Costs are told of as many cases as it takes to leave no zeros behind the point.
_COST_OF = tuple(10**power for power in range(7))
_LONG_S = 10


def is_against_itself(run: RunInfo) -> bool:
    """Whether model and baseline are the same: an A/A run, whose differences are noise."""
    model, baseline = (run.models.get(arm) for arm in (Arm.MODEL, Arm.BASELINE))
    return bool(model) and model == baseline


def arms_lines(assessment: Assessment, page: Page) -> Iterator[Line]:
    """Everything that is measured on both arms, each number with its interval at the gate's confidence."""
    confidence = float(assessment.gate.confidence)
    comparison = assessment.summary.comparison(confidence)
    measured = list(measured_rows(comparison))
    if comparison.win_rate is None and not measured:
        return
    yield line(Segment(f"{_title(assessment, comparison)} ({share(confidence)} CI)", "bold"))
    yield from _wins(comparison, page)
    yield from _amounts(measured, page)
    yield from _tests(assessment.summary.groups, confidence, page)


def _title(assessment: Assessment, comparison: Comparison) -> str:
    if is_against_itself(assessment.record.run):
        return "The model beside itself: what noise alone does in this suite"
    return "The model beside its baseline" if comparison.win_rate else "What the model's answers take"


def _wins(comparison: Comparison, page: Page) -> Iterator[Line]:
    if comparison.win_rate is not None:
        counts = f"wins {comparison.wins}, losses {comparison.losses}, ties {comparison.ties}"
        yield from _sentence(f"{counts}; win rate {_rate_of(comparison.win_rate)}", page)
    if comparison.score_delta is not None:
        bounds = comparison.score_delta.interval
        interval = f" {points_interval(bounds)}" if bounds else ""
        mean = f"mean score {points(comparison.score_delta.value)}{interval} points"
        yield from _sentence(f"{mean}; sign test {_p(comparison.sign_p)}", page)


def _sentence(text: str, page: Page) -> Iterator[Line]:
    return page.paragraph(text, first="  ", indent="    ")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRow:
    """One number of both arms, and how many of its units are told as one."""

    label: str
    sides: Sides
    times: int = 1


def measured_rows(comparison: Comparison) -> Iterator[MeasuredRow]:
    """Times, tokens and cost, as far as they were measured."""
    yield from _times("latency", comparison.latency)
    yield from _times("first token", comparison.time_to_first_token)
    if comparison.tokens is not None:
        yield MeasuredRow(label="tokens a case", sides=comparison.tokens)
    if comparison.cost is not None:
        cases = next((cases for cases in _COST_OF if _least(comparison.cost) * cases >= 1), _COST_OF[-1])
        yield MeasuredRow(label=f"cost of {cases:,} cases", sides=comparison.cost, times=cases)


def _times(what: str, by_percent: Mapping[int, Sides]) -> Iterator[MeasuredRow]:
    """Times, tokens and cost, as far as they were measured."""
    """Percentiles in one unit: seconds if the longest takes ten, else milliseconds."""
    longest = max((float(side.value) for sides in by_percent.values() for side in _known(sides)), default=0.0)
    unit, times = ("s", 1) if longest >= _LONG_S else ("ms", 1000)
    for percentile, sides in by_percent.items():
        yield MeasuredRow(label=f"{what} p{percentile}, {unit}", sides=sides, times=times)


def _known(sides: Sides) -> list[Estimated]:
    return [side for side in (sides.model, sides.baseline) if side is not None]


def _least(sides: Sides) -> float:
    return min((float(side.value) for side in _known(sides) if side.value), default=0.0)


def _amounts(measured: Sequence[MeasuredRow], page: Page) -> Iterator[Line]:
    shown = [name for name in SIDES if any(getattr(row.sides, name) for row in measured)]
    rows = [(f"  {row.label}", *(amount_of(row, name) for name in shown)) for row in measured]
    yield from columns(("", *shown), rows, page, right=len(shown))
    if any(_THIN in cell for row in rows for cell in row[1:]):
        yield from page.paragraph(THIN_NOTE, first="  ", indent="    ", style="dim")


def amount_of(row: MeasuredRow, name: str) -> str:
    """The number of `model`, `baseline` or `ratio` with its interval; a star where nothing bounds it."""
    found: Estimated | None = getattr(row.sides, name)
    if found is None:
        return NOTHING
    times = 1 if name == "ratio" else row.times
    bounds = (found.interval[0] * times, found.interval[1] * times) if found.interval else None
    digits = 2 if name == "ratio" and found.value < 1 else 3
    return amount(found.value * times, bounds, digits=digits) + (_THIN if found.thin else "")


def _tests(groups: Sequence[Group], confidence: float, page: Page) -> Iterator[Line]:
    """The rates of both arms by category, and the p-value of no change."""
    categories = [group for group in groups if group.by == "category" and group.paired]
    everything = [group for group in groups if group.by == "all" and group.paired]
    shown = [*(categories if len(categories) > 1 else ()), *everything]
    rows = [
        (
            "  " + harmless_start(page.text(group.value)),
            *(_rate(rate, confidence) for rate in (group.model, group.baseline)),
            p_value(group.p_value),
        )
        for group in shown
    ]
    yield from columns(("", "model passes", "baseline passes", "p"), rows, page, right=3)
    if rows:
        single = ", each category for itself" if len(rows) > 1 else ""
        note = f"p: how often chance alone sets the arms as far apart (exact McNemar, or sign flips){single}"
        yield from page.paragraph(note, first="  ", indent="    ", style="dim")


def _rate(rate: Rate | None, confidence: float) -> str:
    bounds = rate.interval(confidence) if rate is not None else None
    return f"{percent(rate.rate)} {percent_interval(bounds)}" if rate is not None and bounds else NOTHING


def _rate_of(found: Estimated) -> str:
    return f"{percent(found.value)}{f' {percent_interval(found.interval)}' if found.interval else ''}"


def _p(p: float | None) -> str:
    shown = p_value(p)
    return f"p < {shown[1:]}" if shown.startswith("<") else f"p = {shown}"

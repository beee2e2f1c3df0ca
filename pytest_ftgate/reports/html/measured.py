"""Times, tokens, costs, judged pairs and votes of the page: numbers of both arms beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment
from pytest_ftgate.record import Trial
from pytest_ftgate.reports.arms import amount_of, measured_rows
from pytest_ftgate.reports.judges import judge_sentences
from pytest_ftgate.reports.numbers import amount, percent, percent_interval, points, points_interval
from pytest_ftgate.reports.votes import votes_line
from pytest_ftgate.summary import Comparison
from pytest_ftgate.summary.latencies import measured_calls, nearest_rank

_BARS = 48
_HEIGHT = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a histogram: places in percent and pixels."""

    x: str
    width: str
    y: str
    height: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How long the calls of one arm took; `p50` and `p95` are places. `n` calls in all."""

    arm: str
    n: int
    bars: tuple[Bar, ...]
    p50: str
    p95: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that is measured besides passes; `rows` are label, model, baseline and ratio."""

    rows: tuple[tuple[str, str, str, str], ...]
    histograms: tuple[Histogram, ...]
    axis: tuple[str, str, str]
    totals: tuple[tuple[str, str, str], ...]
    scores: tuple[str, ...]
    judged: tuple[str, ...]
    votes: str

    @property
    def has_unbounded(self) -> bool:
        """Whether a number is marked by an asterisk."""
        return any("*" in text for row in self.rows for text in row)


def measured(assessment: Assessment) -> Measured:
    """What was measured in this run; empty where nothing was."""
    summary = assessment.summary
    comparison = summary.comparison(float(assessment.gate.confidence))
    pairs = summary.judged_pairs
    histograms, axis = _histograms(assessment.record.trials)
    return Measured(
        rows=tuple(
            (row.label, amount_of(row, "model"), amount_of(row, "baseline"), amount_of(row, "ratio"))
            for row in measured_rows(comparison)
        ),
        histograms=histograms,
        axis=axis,
        totals=tuple(_totals(assessment.record.trials)),
        scores=tuple(_scores(comparison)),
        judged=tuple(judge_sentences(pairs)) if pairs is not None else (),
        votes=votes_line(summary.votes) if summary.votes is not None else "",
    )


def _scores(comparison: Comparison) -> Iterator[str]:
    if comparison.win_rate is not None:
        rate = comparison.win_rate
        told = f" {percent_interval(rate.interval)}" if rate.interval else ""
        counts = f"{comparison.wins} won, {comparison.losses} lost, {comparison.ties} tied by score"
        yield f"{counts}; win rate {percent(rate.value)}{told}"
    if comparison.score_delta is not None:
        delta = comparison.score_delta
        told = f" {points_interval(delta.interval)}" if delta.interval else ""
        yield f"mean score {points(delta.value)}{told} points"


def _histograms(trials: Sequence[Trial]) -> tuple[tuple[Histogram, ...], tuple[str, str, str]]:
    times = {arm: sorted(measured_calls(_of(trials, arm), "latency_s")) for arm in Arm}
    known = [own for own in times.values() if own]
    if not known:
        return (), ("", "", "")
    end = max(nearest_rank(own, 99) for own in known) * 1.1 or 1.0
    axis = ("0", f"{amount(end / 2, digits=2)} s", f"≥ {amount(end, digits=2)} s")
    return tuple(_histogram(str(arm), own, end) for arm, own in times.items() if own), axis


def _of(trials: Iterable[Trial], arm: Arm) -> Iterator[Trial]:
    return (trial for trial in trials if trial.key.arm is arm)


def _histogram(arm: str, ordered: Sequence[float], end: float) -> Histogram:
    """What is longer than the axis is in the last bar."""
    counts = [0] * _BARS
    for seconds in ordered:
        counts[min(int(seconds / end * _BARS), _BARS - 1)] += 1
    p50, p95 = nearest_rank(ordered, 50), nearest_rank(ordered, 95)
    return Histogram(
        arm=arm,
        n=len(ordered),
        bars=tuple(_bar(place, count / max(counts)) for place, count in enumerate(counts) if count),
        p50=_place(p50 / end),
        p95=_place(p95 / end),
        says=f"{arm}: {len(ordered):,} calls, half within {amount(p50)} s, 95% within {amount(p95)} s",
    )


def _bar(place: int, share: float) -> Bar:
    height = max(share * _HEIGHT, 1.0)
    return Bar(
        x=_place(place / _BARS),
        width=f"{100 / _BARS - 0.25:.2f}%",
        y=f"{_HEIGHT - height:.1f}",
        height=f"{height:.1f}",
    )


def _place(share: float) -> str:
    return f"{100 * min(share, 1.0):.2f}%"


def _totals(trials: Sequence[Trial]) -> Iterator[tuple[str, str, str]]:
    """Sums of both arms; an answer that several items share counts once."""
    sums = [_sums(_of(trials, arm)) for arm in Arm]
    for label, digits in (("input tokens", 0), ("output tokens", 0), ("cost", 4)):
        values = [arm.get(label) for arm in sums]
        if any(value is not None for value in values):
            model, baseline = ("-" if value is None else f"{value:,.{digits}f}" for value in values)
            yield label, model, baseline


def _sums(trials: Iterable[Trial]) -> dict[str, float]:
    answers = {
        (*trial.key[:4], trial.completion.created, trial.completion.text): trial.completion
        for trial in trials
        if trial.completion is not None
    }
    found: dict[str, float] = {}
    for one in answers.values():
        for label, value in (
            ("input tokens", one.usage.input_tokens),
            ("output tokens", one.usage.output_tokens),
            ("cost", one.cost),
        ):
            if value is not None:
                found[label] = found.get(label, 0) + value
    return found

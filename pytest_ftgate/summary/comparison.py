"""The model beside its baseline: wins, scores, times, tokens and cost, each with its interval.

Computed when it is asked for: intervals of amounts are resampled, which loads numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.trials import Trial
from pytest_ftgate.stats.estimates import Estimate, interval
from pytest_ftgate.stats.paired_passes import mcnemar_p
from pytest_ftgate.stats.ranks import RankEstimate, compared_percentile
from pytest_ftgate.stats.rates import RateEstimate
from pytest_ftgate.summary.amounts import (
    ENOUGH,
    Amount,
    amount_estimate,
    amount_ratio,
    cost,
    mean_amount,
    output_tokens,
)
from pytest_ftgate.summary.case_results import CaseResult, mean, total
from pytest_ftgate.summary.estimating import Pair, change_estimate, gained, lost
from pytest_ftgate.summary.groups import Interval
from pytest_ftgate.summary.latencies import (
    PERCENTILES,
    Clock,
    enough_calls,
    measured_calls,
    nearest_rank,
    paired_calls,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """A number with its two-sided interval, which is None where so few values bound nothing.

    `n` counts cases or calls. `thin` marks a percentile of so few calls that it is just their largest.
    """

    value: Fraction | float
    n: int
    interval: Interval | None
    thin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The same number of both arms, and the model's divided by the baseline's where both have it.

    The ratio is paired, by case or by call; None without anything to compare, or with a baseline of 0.
    """

    model: Estimated | None
    baseline: Estimated | None
    ratio: Estimated | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The model beside its baseline, over all cases that are not skipped.

    `wins`, `losses`, `ties` and `win_rate` (wins of all) are of cases by their mean score, `sign_p` the
    two-sided sign test of wins against losses, `score_delta` the mean difference of scores, model minus
    baseline, -1…1. `latency` and `time_to_first_token` are in seconds, by percent (50, 90, 95, 99); `tokens`
    and `cost` are means by case. Sides are None where neither arm has a number.
    """

    wins: int
    losses: int
    ties: int
    sign_p: float | None
    win_rate: Estimated | None
    score_delta: Estimated | None
    latency: Mapping[int, Sides]
    time_to_first_token: Mapping[int, Sides]
    tokens: Sides | None
    cost: Sides | None


def compare_arms(cases: Sequence[CaseResult], confidence: float) -> Comparison:
    """The comparison over these cases, with intervals at `confidence`, 0…1."""
    there = [case for case in cases if case.planned.skip is None]
    scores = [case.pair_score for case in there if case.pair_score is not None]
    wins, losses = gained(scores), lost(scores)
    return Comparison(
        wins=wins,
        losses=losses,
        ties=len(scores) - wins - losses,
        sign_p=mcnemar_p(wins, losses) if scores else None,
        win_rate=_win_rate(wins, len(scores), confidence),
        score_delta=_score_delta(scores, confidence),
        latency=_times(there, "latency_s", confidence),
        time_to_first_token=_times(there, "time_to_first_token_s", confidence),
        tokens=_amounts(there, output_tokens, confidence),
        cost=_amounts(there, cost, confidence),
    )


def _win_rate(wins: int, n: int, confidence: float) -> Estimated | None:
    if not n:
        return None
    return _estimated(Fraction(wins, n), n, RateEstimate(passed=wins, n=n), confidence)


def _score_delta(scores: Sequence[Pair], confidence: float) -> Estimated | None:
    if not scores:
        return None
    value = total(model - baseline for model, baseline in scores) / len(scores)
    return _estimated(value, len(scores), change_estimate(scores), confidence)


def _times(cases: Sequence[CaseResult], clock: Clock, confidence: float) -> dict[int, Sides]:
    trials = [trial for case in cases for trial in case.trials]
    arms = [_percentiles(_of(trials, arm), clock, confidence) for arm in Arm]
    ratios = _ratios(paired_calls(trials, clock), confidence)
    return {
        percent: Sides(model=arms[0].get(percent), baseline=arms[1].get(percent), ratio=ratios.get(percent))
        for percent in PERCENTILES
        if any(percent in arm for arm in arms)
    }


def _of(trials: Sequence[Trial], arm: Arm) -> list[Trial]:
    return [trial for trial in trials if trial.key.arm is arm]


def _percentiles(trials: Sequence[Trial], clock: Clock, confidence: float) -> dict[int, Estimated]:
    times = sorted(measured_calls(trials, clock))
    if not times:
        return {}
    values = {percent: nearest_rank(times, percent) for percent in PERCENTILES}
    estimates = {percent: RankEstimate(ordered=times, percent=percent) for percent in _bounded(len(times))}
    return _by_percent(values, len(times), estimates, confidence)


def _ratios(calls: Sequence[tuple[float, float]], confidence: float) -> dict[int, Estimated]:
    if not calls or not all(baseline for _, baseline in calls):
        return {}
    model, baseline = zip(*calls, strict=True)
    ours, theirs = sorted(model), sorted(baseline)
    values = {percent: nearest_rank(ours, percent) / nearest_rank(theirs, percent) for percent in PERCENTILES}
    estimates = {
        percent: compared_percentile(ours, theirs, percent, "ratio")
        for percent in (_bounded(len(calls)) if ours[0] else ())
    }
    return _by_percent(values, len(calls), estimates, confidence)


def _bounded(calls: int) -> list[int]:
    return [percent for percent in PERCENTILES if calls >= max(enough_calls(percent), ENOUGH)]


def _by_percent(
    values: Mapping[int, float], n: int, estimates: Mapping[int, Estimate], confidence: float
) -> dict[int, Estimated]:
    return {
        percent: _estimated(value, n, estimates.get(percent), confidence, thin=n < enough_calls(percent))
        for percent, value in values.items()
    }


def _amounts(cases: Sequence[CaseResult], amount: Amount, confidence: float) -> Sides | None:
    rows = [[mean_amount(_of(case.trials, arm), amount) for arm in Arm] for case in cases]
    sides = [[value for value in column if value is not None] for column in zip(*rows, strict=True)]
    if not any(sides):
        return None
    model, baseline = (_amount(values, confidence) for values in sides)
    both = [(ours, theirs) for ours, theirs in rows if ours is not None and theirs is not None]
    return Sides(model=model, baseline=baseline, ratio=_amount_ratio(both, confidence))


def _amount(values: Sequence[Fraction], confidence: float) -> Estimated | None:
    if not values:
        return None
    estimate = amount_estimate(values) if len(values) >= ENOUGH else None
    return _estimated(mean(values), len(values), estimate, confidence)


def _amount_ratio(pairs: Sequence[Pair], confidence: float) -> Estimated | None:
    model, baseline = [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
    if not any(baseline):
        return None
    estimate = amount_ratio(model, baseline) if len(pairs) >= ENOUGH else None
    return _estimated(total(model) / total(baseline), len(pairs), estimate, confidence)


def _estimated(
    value: Fraction | float, n: int, estimate: Estimate | None, confidence: float, *, thin: bool = False
) -> Estimated:
    bounds = interval(estimate, confidence) if estimate is not None else None
    if bounds is not None and not all(map(math.isfinite, bounds)):
        bounds = None
    return Estimated(value=value, n=n, interval=bounds, thin=thin)

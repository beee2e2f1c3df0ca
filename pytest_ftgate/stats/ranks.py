"""What measured values show of a percentile, and of two arms' compared, however they are distributed."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_ftgate.stats.distributions import binomial_at_least, binomial_at_most
from pytest_ftgate.stats.weighted_sums import Part, WeightedSumEstimate

_MOST_NATS = 700.0  # exp of more than this is no float any more


def values_to_bound(percent: int, confidence: float) -> int:
    """The fewest values that bound their percentile, 50…99, from above (Wilks 1941): 59 for p95 at 95 %."""
    return math.ceil(math.log(1 - confidence) / math.log(percent / 100) - 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankEstimate:
    """Distribution-free bounds of the nearest-rank percentile of independent values, in their unit.

    How many values lie below the true percentile is binomial, whatever they are, so one of the sorted values
    is the bound (Hahn and Meeker 1991, Statistical Intervals, section 5.2). Never too narrow, unlike the
    bootstrap, which sees no value beyond the largest: its upper bound of the p95 of 20 calls covers 64 %.
    Where no value lies far enough out, nothing bounds the percentile: `upper` is infinite, `lower` is 0.

    `ordered` are the values, at least one, none negative, in rising order; `percent` is 1…99.
    """

    ordered: Sequence[float]
    percent: int

    @property
    def value(self) -> float:
        """The observed percentile."""
        return self.ordered[-(-self.percent * len(self.ordered) // 100) - 1]

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound; 0 if even the smallest value may lie above the percentile."""
        n = len(self.ordered)
        # One value more that has to lie below is one less to count on.
        ranks = bisect_left(range(1, n + 1), True, key=lambda rank: self._at_least(rank) < confidence)
        return self.ordered[ranks - 1] if ranks else 0.0

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound; infinite if even the largest value may lie below the percentile."""
        n = len(self.ordered)
        ranks = bisect_left(range(n), True, key=lambda below: self._at_most(below) >= confidence)
        return self.ordered[ranks] if ranks < n else math.inf

    def p_below(self, threshold: float) -> float:
        """The exact test of a true percentile of at least `threshold`."""
        return self._at_least(bisect_left(self.ordered, threshold))

    def p_above(self, threshold: float) -> float:
        """The exact test of a true percentile below `threshold`."""
        return self._at_most(bisect_left(self.ordered, threshold))

    def values_to_bound(self, confidence: float) -> int:
        """The fewest values that have an upper bound at this confidence: 59 for p95 at 95 %."""
        return values_to_bound(self.percent, confidence)

    def _at_most(self, below: int) -> float:
        return binomial_at_most(below, len(self.ordered), self.percent / 100)

    def _at_least(self, below: int) -> float:
        return binomial_at_least(below, len(self.ordered), self.percent / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankComparison:
    """Bounds of model - baseline, or of model / baseline, of one percentile of two arms' times.

    The distances of both arms' rank bounds, squared and added (`WeightedSumEstimate`); of a ratio, those of
    the logarithms, so its times are above 0. Where one arm is steady these are the exact bounds of the other.
    (The bootstrap sees no time beyond the largest here as well: with 100 calls and a steady baseline its
    upper bound of the ratio of p99 covers 62 %.) What both arms share, like long answers, makes this wider
    than it had to be. Infinite on both sides where either arm has no upper bound.
    """

    model: RankEstimate
    baseline: RankEstimate
    compare: Literal["delta", "ratio"]

    @property
    def value(self) -> float:
        """The observed difference, or the ratio: infinite if it is too large for a float."""
        return self._unscaled(self._sum.value)

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound; minus infinity where nothing bounds it."""
        bound = self._sum.lower(confidence)
        # Of what is too large for a float the largest one is a bound as well.
        return bound if math.isinf(bound) else min(self._unscaled(bound), sys.float_info.max)

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound; infinite where nothing bounds it."""
        return self._unscaled(self._sum.upper(confidence))

    def p_below(self, threshold: float) -> float:
        """One minus the confidence at which the upper bound meets `threshold`; above 0 for a ratio."""
        return self._sum.p_below(self._scaled(threshold))

    def p_above(self, threshold: float) -> float:
        """One minus the confidence at which the lower bound meets `threshold`; above 0 for a ratio."""
        return self._sum.p_above(self._scaled(threshold))

    def values_to_bound(self, confidence: float) -> int:
        """The fewest calls of each arm that have an upper bound at this confidence."""
        return self.model.values_to_bound(confidence)

    @property
    def _sum(self) -> WeightedSumEstimate:
        arms = ((1.0, self.model), (-1.0, self.baseline))
        if self.compare == "delta":
            parts = [Part(weight=weight, value=arm.value, estimate=arm) for weight, arm in arms]
        else:
            parts = [
                Part(weight=weight, value=math.log(arm.value), estimate=_Logarithm(times=arm))
                for weight, arm in arms
            ]
        return WeightedSumEstimate(parts=parts)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.compare == "ratio" else value

    def _unscaled(self, value: float) -> float:
        if self.compare == "delta":
            return value
        return math.exp(value) if value < _MOST_NATS else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class _Logarithm:
    """The bounds of the logarithm of a percentile; minus infinity where a time may be 0."""

    times: RankEstimate

    def lower(self, confidence: float) -> float:
        bound = self.times.lower(confidence)
        return math.log(bound) if bound > 0 else -math.inf

    def upper(self, confidence: float) -> float:
        return math.log(self.times.upper(confidence))

    def p_below(self, threshold: float) -> float:
        return self.times.p_below(math.exp(threshold))

    def p_above(self, threshold: float) -> float:
        return self.times.p_above(math.exp(threshold))


def compared_percentile(
    model: Sequence[float], baseline: Sequence[float], percent: int, compare: Literal["delta", "ratio"]
) -> RankComparison:
    """The comparison of one percentile, 1…99, of two arms' times, at least one each, in any order."""
    arms = [RankEstimate(ordered=sorted(times), percent=percent) for times in (model, baseline)]
    return RankComparison(model=arms[0], baseline=arms[1], compare=compare)

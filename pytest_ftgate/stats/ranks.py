"""What measured values show of a percentile, however they are distributed: bounds are values themselves."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ftgate.stats.distributions import binomial_at_least, binomial_at_most


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
        return math.ceil(math.log(1 - confidence) / math.log(self.percent / 100) - 1e-9)

    def _at_most(self, below: int) -> float:
        return binomial_at_most(below, len(self.ordered), self.percent / 100)

    def _at_least(self, below: int) -> float:
        return binomial_at_least(below, len(self.ordered), self.percent / 100)

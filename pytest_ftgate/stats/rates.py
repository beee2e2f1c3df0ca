"""What a count of passes shows of the true rate: Wilson's score bounds, Clopper and Pearson's exact ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_ftgate.stats.distributions import (
    beta_cdf,
    crossing,
    normal_cdf,
    normal_quantile,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateEstimate:
    """Wilson's bounds of a rate (Wilson 1927; Newcombe 1998, Statistics in Medicine 17:857, method 3).

    `passed` of `n` cases, n at least 1; it may be fractional, where a case counts by its share of repeats
    (then the bounds are too wide rather than too narrow, since a share varies less than a pass does).
    """

    passed: float
    n: int

    @property
    def value(self) -> float:
        """The observed rate."""
        return self.passed / self.n

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound, 0…1."""
        return max(self._limit(-normal_quantile(confidence)), 0.0) if self.passed > 0 else 0.0

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound, 0…1."""
        return min(self._limit(normal_quantile(confidence)), 1.0) if self.passed < self.n else 1.0

    def p_below(self, threshold: float) -> float:
        """The score test of a true rate of at least `threshold`; 1 for thresholds that nothing can miss."""
        if threshold <= 0:
            return 1.0
        return normal_cdf(self._z(threshold)) if threshold < 1 else float(self.passed >= self.n)

    def p_above(self, threshold: float) -> float:
        """The score test of a true rate below `threshold`; 0 for 0, and 1 for 1, which nothing shows."""
        if threshold <= 0:
            return 0.0
        return normal_cdf(-self._z(threshold)) if threshold < 1 else 1.0

    def _limit(self, z: float) -> float:
        # Wilson 1927, solved for the rate as Newcombe 1998 writes it.
        centre = 2 * self.passed + z * z
        spread = z * math.sqrt(z * z + 4 * self.passed * (1 - self.value))
        return (centre + spread) / (2 * (self.n + z * z))

    def _z(self, threshold: float) -> float:
        return (self.value - threshold) / math.sqrt(threshold * (1 - threshold) / self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactRateEstimate:
    """Clopper and Pearson's bounds of a rate (Biometrika 1934, 26:404): never too narrow, often too wide.

    `passed` of `n` cases, whole numbers, n at least 1.
    """

    passed: int
    n: int

    @property
    def value(self) -> float:
        """The observed rate."""
        return self.passed / self.n

    def lower(self, confidence: float) -> float:
        """The rate at which as many passes or more would be seen with probability 1 - confidence."""
        if self.passed == 0:
            return 0.0
        return crossing(lambda rate: self.p_above(rate) >= 1 - confidence, 0.0, 1.0)

    def upper(self, confidence: float) -> float:
        """The rate at which as few passes or fewer would be seen with probability 1 - confidence."""
        if self.passed == self.n:
            return 1.0
        return crossing(lambda rate: self.p_below(rate) <= 1 - confidence, 0.0, 1.0)

    def p_below(self, threshold: float) -> float:
        """The probability of so few passes at a true rate of `threshold`: the exact binomial test."""
        if self.passed == self.n:
            return 1.0
        return beta_cdf(1 - threshold, self.n - self.passed, self.passed + 1)

    def p_above(self, threshold: float) -> float:
        """The probability of so many passes at a true rate of `threshold`: the exact binomial test."""
        if self.passed == 0:
            return float(threshold > 0)
        return beta_cdf(threshold, self.passed, self.n - self.passed + 1)

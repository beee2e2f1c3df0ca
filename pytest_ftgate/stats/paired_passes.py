"""Passes and failures of two models on the same cases: the difference of their rates, and tests of it.

`wins` are cases that only the model passed, `losses` those that only the baseline passed, of `n` in all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_ftgate.stats.distributions import binomial_at_most, crossing, normal_cdf, normal_quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedEstimate:
    """Score bounds of the difference of two paired rates, model minus baseline, -1…1.

    Tango's score statistic (Statistics in Medicine 1998, 17:891, section 4) with the n - 1 variance of
    Miettinen and Nurminen (1985), which Laud (ratesci, `pairbinci`, argument `bcf`) carries over to pairs:
    without it the 95 % interval covers less than 93 % for some small n where nearly all changes go one way.
    `wins` and `losses` are at most `n` together, which is at least 1. Defined for no change at all and for
    nothing but changes; one case alone bounds nothing.
    """

    wins: int
    losses: int
    n: int

    @property
    def value(self) -> float:
        """The observed difference."""
        return (self.wins - self.losses) / self.n

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound, -1…1."""
        if self.n in (self.losses, 1):
            return -1.0
        z = normal_quantile(confidence)
        return crossing(lambda delta: self.z(delta) <= z, -1.0, 1.0)

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound, -1…1."""
        return -PairedEstimate(wins=self.losses, losses=self.wins, n=self.n).lower(confidence)

    def p_below(self, threshold: float) -> float:
        """The score test of a true difference of at least `threshold` (-1…1)."""
        return normal_cdf(self.z(threshold))

    def p_above(self, threshold: float) -> float:
        """The score test of a true difference below `threshold`: of non-inferiority if that is negative."""
        return normal_cdf(-self.z(threshold))

    def z(self, delta: float) -> float:
        """The score statistic of a true difference of `delta`, standard normal if that is the true one."""
        if self.n == 1:
            return 0.0
        return tango_z(self.wins, self.losses, self.n, delta) * math.sqrt((self.n - 1) / self.n)


def tango_z(wins: float, losses: float, n: int, delta: float) -> float:
    """Tango's score statistic of a true difference of `delta`, -1…1; it falls as `delta` grows.

    Tango 1998, equations 8 to 10: the observed difference against the variance that is most likely under
    `delta`, whose one free rate (of losses) solves a quadratic equation.
    """
    b = (2 * n - wins + losses) * delta - wins - losses
    c = -losses * delta * (1 - delta)
    root = math.sqrt(max(b * b - 8 * n * c, 0.0))
    # Of the two ways to write the larger solution, the one that subtracts nothing alike.
    lost = (root - b) / (4 * n) if b < 0 else (-2 * c / (root + b) if root + b else 0.0)
    variance = n * (2 * max(lost, 0.0, -delta) + delta - delta * delta)
    distance = wins - losses - n * delta
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def mcnemar_p(wins: int, losses: int) -> float:
    """The exact two-sided p-value of as many wins as losses being expected; 1 without any.

    McNemar 1947 with the binomial distribution; the same number is the sign test of wins against losses.
    """
    return min(1.0, 2 * binomial_at_most(min(wins, losses), wins + losses, 0.5))


def fewer_wins_p(wins: int, losses: int) -> float:
    """The exact one-sided p-value of wins being as likely as losses, or likelier; 1 without any."""
    return binomial_at_most(wins, wins + losses, 0.5)

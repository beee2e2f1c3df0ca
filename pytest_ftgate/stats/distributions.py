"""The normal and the binomial distribution, as far as the bounds and tests beside need them."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

_NORMAL = NormalDist()
_TINY = 1e-300
_CLOSE = 1e-15
_MOST_TERMS = 100_000


def normal_cdf(z: float) -> float:
    """The share of a standard normal distribution below `z`, which may be infinite."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def normal_quantile(share: float) -> float:
    """The value below which this share of a standard normal distribution lies; infinite at 0 and 1.

    Wichura 1988, algorithm AS 241, as the standard library computes it.
    """
    if share <= 0:
        return -math.inf
    return math.inf if share >= 1 else _NORMAL.inv_cdf(share)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b), for positive `a` and `b`.

    Its continued fraction (DLMF 8.17.22) by Lentz's method, on the side where it converges quickly.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return min(front * _fraction(x, a, b) / a, 1.0)
    return max(1 - front * _fraction(1 - x, b, a) / b, 0.0)


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):  # pragma: no branch (it converges long before)
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def student_cdf(t: float, degrees: int) -> float:
    """The share of Student's distribution with so many degrees of freedom below a finite `t`."""
    inside = beta_cdf(t * t / (degrees + t * t), 0.5, degrees / 2)
    return 0.5 + math.copysign(inside / 2, t)


def student_quantile(share: float, degrees: int) -> float:
    """The value below which this share of Student's distribution lies; infinite at 0 and 1."""
    if not 0 < share < 1:
        return normal_quantile(share)
    # Halved between 0 and 1, where infinity is not far: t / (1 + t).
    u = crossing(lambda u: student_cdf(u / (1 - u), degrees) >= max(share, 1 - share), 0.0, 1.0)
    return math.copysign(u / (1 - u), share - 0.5)


def binomial_at_most(k: int, n: int, rate: float) -> float:
    """The probability of at most `k` hits in `n` tries (DLMF 8.17.5)."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else beta_cdf(1 - rate, n - k, k + 1)


def binomial_at_least(k: int, n: int, rate: float) -> float:
    """The probability of at least `k` hits in `n` tries."""
    if k <= 0:
        return 1.0
    return 0.0 if k > n else beta_cdf(rate, k, n - k + 1)


def binomial_exactly(k: int, n: int, rate: float) -> float:
    """The probability of exactly `k` hits, 0…n, in `n` tries."""
    if rate in (0, 1):
        return float(k == n * rate)
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(rate) + (n - k) * math.log1p(-rate))


def crossing(past: Callable[[float], bool], low: float, high: float, to: float = _CLOSE) -> float:
    """Where `past` turns from False to True between `low` and `high`, within `to`.

    By halving: the functions here are monotone, and steep or flat enough to mislead anything cleverer.
    """
    while high - low > to:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if past(middle) else (middle, high)
    return (low + high) / 2

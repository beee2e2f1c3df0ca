"""Several answers to each case: what of them passes, and where their spread comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb


def pass_at(k: int, *, passed: int, n: int) -> Fraction | None:
    """The chance, exactly, that at least one of `k` answers drawn from the `n` given ones passes.

    Unbiased for k new answers (Chen et al. 2021, arXiv 2107.03374, equation 1). None if k exceeds n.
    """
    return 1 - Fraction(comb(n - passed, k), comb(n, k)) if k <= n else None


def pass_all(k: int, *, passed: int, n: int) -> Fraction | None:
    """The chance, exactly, that all of `k` answers drawn from the `n` given ones pass.

    Unbiased for k new answers (pass^k of Yao et al. 2024, arXiv 2406.12045). None if k exceeds n.
    """
    return Fraction(comb(passed, k), comb(n, k)) if k <= n else None


def majority(*, passed: int, n: int) -> bool | None:
    """Whether more than half of the answers pass; None without any."""
    return 2 * passed > n if n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Variances, in squared units of the values: of repeats `within` a case, and `between` cases.

    `between` is what remains of the variance of case means once the repeats' share is taken off, at least 0.
    """

    within: float
    between: float


def spread(cases: Sequence[Sequence[float]]) -> Spread | None:
    """The variance components of repeated values, one sequence a case (Searle et al. 1992, section 3.6).

    The one-way analysis of variance for unequal numbers of repeats. None with fewer than two cases, or if no
    case has two values.
    """
    groups = [values for values in cases if values]
    n, k = sum(map(len, groups)), len(groups)
    if k < 2 or n == k:
        return None
    means = [sum(values) / len(values) for values in groups]
    overall = sum(map(sum, groups)) / n
    within = sum(
        (value - mean) ** 2 for values, mean in zip(groups, means, strict=True) for value in values
    ) / (n - k)
    among = sum(len(values) * (mean - overall) ** 2 for values, mean in zip(groups, means, strict=True))
    typical = (n - sum(len(values) ** 2 for values in groups) / n) / (k - 1)
    return Spread(within=within, between=max(0.0, (among / (k - 1) - within) / typical))

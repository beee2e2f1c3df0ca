"""What resampling shows of the truth: how cases are drawn, and bounds and p-values from what they give.

Loads numpy. The seed and the order of the cases decide the resamples: give both, and give the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_ftgate.stats.distributions import (
    normal_cdf,
    normal_quantile,
    student_cdf,
    student_quantile,
)

Floats = NDArray[np.float64]

#: Bootstrap resamples: enough for the tails of a 95 % interval (Efron and Tibshirani 1993, section 14.3).
RESAMPLES = 2000
#: Numbers held at once while resampling; what is larger goes in pieces.
_ROOM = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapEstimate:
    """Bounds from the bootstrap: by percentiles, or by BCa with a bias and an acceleration.

    `value` is what was observed and `resampled` its sorted bootstrap values, in the same unit. `bias` and
    `acceleration` are z0 and a of Efron 1987 (Journal of the American Statistical Association 82:171); with
    both 0 this is the percentile method. With `cases`, at least 2, the bounds are those of so small a sample:
    Student's quantile stands for the normal one, and n - 1 for the n that the bootstrap divides by
    (Hesterberg 2015, The American Statistician 69:371, expanded percentiles). p-values are those of the
    bounds turned around.
    """

    value: float
    resampled: Floats
    bias: float = 0.0
    acceleration: float = 0.0
    cases: int | None = None

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound; minus infinity where it lies beyond all resampled values."""
        rank = int(np.floor(self._share_under(1 - confidence) * (len(self.resampled) + 1) + 1e-9))
        return -math.inf if rank < 1 and self._is_plain else self._ranked(rank)

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound; infinite where it lies beyond all resampled values."""
        rank = int(np.ceil(self._share_under(confidence) * (len(self.resampled) + 1) - 1e-9))
        return math.inf if rank > len(self.resampled) and self._is_plain else self._ranked(rank)

    def p_below(self, threshold: float) -> float:
        """One minus the confidence at which the upper bound meets `threshold`, 0…1."""
        # Plus one on both sides: what was observed is itself one of the possible samples, so p is never 0.
        reached = len(self.resampled) - np.searchsorted(self.resampled, threshold, side="left") + 1
        return 1 - self._confidence_of(1 - float(reached) / (len(self.resampled) + 1))

    def p_above(self, threshold: float) -> float:
        """One minus the confidence at which the lower bound meets `threshold`, 0…1."""
        missed = np.searchsorted(self.resampled, threshold, side="left") + 1
        return self._confidence_of(float(missed) / (len(self.resampled) + 1))

    @property
    def _is_plain(self) -> bool:
        """Whether bounds are percentiles, whose share of resamples beyond is that of the truth beyond.

        Corrections for skew and small samples reach beyond all resamples long before so sure a bound.
        """
        return not (self.bias or self.acceleration or self.cases)

    def _ranked(self, rank: int) -> float:
        return float(self.resampled[min(max(rank, 1), len(self.resampled)) - 1])

    def _share_under(self, confidence: float) -> float:
        """The share of resampled values under the bound of this confidence (Efron 1987, equation 2.3)."""
        z = self.bias + self._quantile(confidence)
        stretch = 1 - self.acceleration * z
        return normal_cdf(self.bias + z / stretch) if stretch > 0 else float(z > 0)

    def _confidence_of(self, share: float) -> float:
        """The confidence of the bound under which this share of resampled values lies."""
        z = normal_quantile(share) - self.bias
        stretch = 1 + self.acceleration * z
        return self._cdf(z / stretch - self.bias) if stretch > 0 else float(z > 0)

    def _quantile(self, confidence: float) -> float:
        if self.cases is None:
            return normal_quantile(confidence)
        return math.sqrt(self.cases / (self.cases - 1)) * student_quantile(confidence, self.cases - 1)

    def _cdf(self, z: float) -> float:
        if self.cases is None:
            return normal_cdf(z)
        return student_cdf(z / math.sqrt(self.cases / (self.cases - 1)), self.cases - 1)


def percentile_estimate(value: float, resampled: Floats) -> BootstrapEstimate:
    """The estimate by percentiles of the resampled values (Efron 1979)."""
    return BootstrapEstimate(value=value, resampled=np.sort(resampled))


def bca_estimate(
    value: float, resampled: Floats, acceleration: float, cases: int | None = None
) -> BootstrapEstimate:
    """The estimate by BCa; its bias is found where the observed value stands among the resampled ones."""
    ordered = np.sort(resampled)
    left, right = (np.searchsorted(ordered, value, side=side) for side in ("left", "right"))
    # Half of the ties on either side, and never all on one: then the bias would be infinite.
    share = (float(left + right) / 2 + 0.5) / (len(ordered) + 1)
    return BootstrapEstimate(
        value=value,
        resampled=ordered,
        bias=normal_quantile(share),
        acceleration=acceleration,
        cases=cases,
    )


def resample(n: int, resamples: int, seed: int, statistic: Callable[[NDArray[np.intp]], Floats]) -> Floats:
    """`statistic` of cases drawn with replacement: it gets rows of `n` places, and gives a row for each."""
    random = np.random.default_rng(seed)
    return np.concatenate(
        [statistic(random.integers(0, n, size=(rows, n))) for rows in _pieces(n, resamples)]
    )


def swap(n: int, resamples: int, seed: int, statistic: Callable[[Floats], Floats]) -> Floats:
    """`statistic` of cases whose arms change places by the toss of a coin: it gets rows of `n` 0 or 1."""
    random = np.random.default_rng(seed)
    return np.concatenate([statistic(_coins(random, rows, n)) for rows in _pieces(n, resamples)])


def _coins(random: np.random.Generator, rows: int, n: int) -> Floats:
    packed = np.frombuffer(random.bytes(rows * -(-n // 8)), dtype=np.uint8).reshape(rows, -1)
    return np.unpackbits(packed, axis=1, count=n).astype(np.float64)


def _pieces(n: int, resamples: int) -> Iterator[int]:
    at_once = max(1, _ROOM // n)
    for start in range(0, resamples, at_once):
        yield min(at_once, resamples - start)

"""Nearest-rank percentiles of measured times, and the ratio or difference of two arms', by paired bootstrap.

Loads numpy. Times are paired by call: what is drawn is a call with its times on both arms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_ftgate.stats.bootstrap import BootstrapEstimate, Floats, percentile_estimate, resample

#: Ranks need fewer resamples than means: their bootstrap values are few and far between.
RESAMPLES = 1000


def percentile_estimates(
    times: Sequence[float], percents: Sequence[int], *, seed: int, resamples: int = RESAMPLES
) -> dict[int, BootstrapEstimate]:
    """Bounds of each percentile of one arm's times (at least one), in their unit, by percentile bootstrap."""
    arm = _Arm(times, percents)
    drawn = resample(len(times), resamples, seed, arm.percentiles)
    return {
        percent: percentile_estimate(value, column)
        for percent, value, column in zip(percents, arm.observed, drawn.T, strict=True)
    }


def ratio_estimates(
    model: Sequence[float],
    baseline: Sequence[float],
    percents: Sequence[int],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[int, BootstrapEstimate]:
    """Bounds of model / baseline at each percentile, by paired bootstrap; all times are above 0."""
    arms = _Arm(model, percents), _Arm(baseline, percents)
    return _compared(np.divide, arms, seed=seed, resamples=resamples)


def delta_estimates(
    model: Sequence[float],
    baseline: Sequence[float],
    percents: Sequence[int],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[int, BootstrapEstimate]:
    """Bounds of model - baseline at each percentile, in the times' unit, by paired bootstrap."""
    arms = _Arm(model, percents), _Arm(baseline, percents)
    return _compared(np.subtract, arms, seed=seed, resamples=resamples)


class _Arm:
    """One arm's times in order, and each call's place in it; owned by one call of this module."""

    def __init__(self, times: Sequence[float], percents: Sequence[int]) -> None:
        order = np.argsort(times, kind="stable")
        n = self.n = len(order)
        self.percents = tuple(percents)
        self._ordered = np.asarray(times, dtype=np.float64)[order]
        self._places = np.empty(n, dtype=np.int32)
        self._places[order] = np.arange(n, dtype=np.int32)
        # The nearest rank: https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method
        self._ranks = [-(-percent * n // 100) - 1 for percent in percents]

    @property
    def observed(self) -> list[float]:
        return [float(self._ordered[rank]) for rank in self._ranks]

    def percentiles(self, drawn: NDArray[np.intp]) -> Floats:
        """A row of percentiles for each row of drawn calls."""
        places = self._places[drawn]
        places.partition(sorted(set(self._ranks)), axis=1)
        return self._ordered[places[:, self._ranks]]


def _compared(
    compare: Callable[[Floats, Floats], Floats],
    arms: tuple[_Arm, _Arm],
    *,
    seed: int,
    resamples: int,
) -> dict[int, BootstrapEstimate]:
    values = compare(*(np.asarray(arm.observed) for arm in arms))
    drawn = resample(
        arms[0].n, resamples, seed, lambda calls: compare(*(arm.percentiles(calls) for arm in arms))
    )
    return {
        percent: percentile_estimate(float(value), column)
        for percent, value, column in zip(arms[0].percents, values, drawn.T, strict=True)
    }

"""What the labels of some items show of Krippendorff's alpha: bootstrap by item. Loads numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_ftgate.stats.bootstrap import RESAMPLES, BootstrapEstimate, Floats, percentile_estimate, resample

#: Of the resamples.
_MOSTLY = 0.99


def alpha_estimate(counts: Sequence[Sequence[int]], *, seed: int) -> BootstrapEstimate | None:
    """Percentile bootstrap (Efron 1979) of alpha for nominal labels, items drawn with replacement.

    A row for each item: how often each label was given to it, two labels at least. None where alpha is
    undefined, for all items or in more than a hundredth of the resamples, which hold one label only; fewer of
    them are left out.
    """
    table = np.array(counts, dtype=np.float64)
    apart = _unlike(table) / (table.sum(axis=1) - 1)

    def statistic(places: NDArray[np.intp]) -> Floats:
        totals = table[places].sum(axis=1)
        expected = _unlike(totals)
        observed = (totals.sum(axis=1) - 1) * apart[places].sum(axis=1)
        # Krippendorff 2011, section C, for each resample; NaN where only one label is in it.
        nothing = np.full(len(places), np.nan)
        return np.asarray(np.divide(expected - observed, expected, out=nothing, where=expected > 0))

    (value,) = statistic(np.arange(len(table))[np.newaxis])
    resampled = resample(len(table), RESAMPLES, seed, statistic)
    defined = resampled[~np.isnan(resampled)]
    if np.isnan(value) or len(defined) < _MOSTLY * RESAMPLES:
        return None
    return percentile_estimate(float(value), defined)


def _unlike(counts: Floats) -> Floats:
    """Ordered pairs of labels that differ, in each row."""
    return np.asarray(counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1))

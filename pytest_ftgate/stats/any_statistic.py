"""Bounds of any number that a function makes of cases, by bootstrap. Loads numpy; slow, so it has a limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pytest_ftgate.stats.bootstrap import BootstrapEstimate, percentile_estimate

#: Fewer resamples than this leave too little in the tails of a 95 % interval.
LEAST_RESAMPLES = 200
MOST_RESAMPLES = 1000
#: Cases that are handed to the function in all: about a second for one that takes a microsecond a case.
MOST_DRAWS = 1_000_000


def statistic_estimate(
    statistic: Callable[[Sequence[int]], float | None], n: int, *, seed: int
) -> BootstrapEstimate | None:
    """Percentile bootstrap (Efron 1979) of `statistic`, which gets the numbers, 0…n-1, of the drawn cases.

    None if it would have to see more than a million cases, or where it gives None.
    """
    resamples = min(MOST_RESAMPLES, MOST_DRAWS // n)
    value = statistic(range(n))
    if resamples < LEAST_RESAMPLES or value is None:
        return None
    random = np.random.default_rng(seed)
    found = [statistic(random.integers(0, n, size=n).tolist()) for _ in range(resamples)]
    drawn = [one for one in found if one is not None]
    return percentile_estimate(value, np.array(drawn)) if len(drawn) == len(found) else None

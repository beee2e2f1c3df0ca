"""Many tests at once: p-values that may be read as if there were one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given, 0…1 (Scandinavian Journal of Statistics 1979, 6:65).

    Calling those at most 1 - confidence significant errs anywhere among the true hypotheses in at most that
    share of all runs, however the tests depend on each other.
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    left = range(len(p_values), 0, -1)
    scaled = (min(1.0, p_values[place] * times) for place, times in zip(order, left, strict=True))
    adjusted = dict(zip(order, accumulate(scaled, max), strict=True))
    return [adjusted[place] for place in range(len(p_values))]

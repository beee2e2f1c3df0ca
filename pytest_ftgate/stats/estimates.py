"""What every estimate can say of the truth: bounds on one side or both, and how surely it misses a threshold.

Nothing here computes a statistic; the modules beside this one do.
"""

from __future__ import annotations

from typing import Protocol


class Estimate(Protocol):
    """A number that was measured, and what it shows of the true one.

    Bounds and p-values agree: `lower(c) >= t` where `p_above(t) <= 1 - c`, and `upper(c) < t` where
    `p_below(t) <= 1 - c` (for a threshold that is not on the edge of what is possible).
    """

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound: the truth lies above it with this confidence (0…1)."""
        ...

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound: the truth lies below it with this confidence (0…1)."""
        ...

    def p_below(self, threshold: float) -> float:
        """The p-value, 0…1, of a truth of at least `threshold`: small shows that it lies below."""
        ...

    def p_above(self, threshold: float) -> float:
        """The p-value, 0…1, of a truth below `threshold`: small shows that it reaches it."""
        ...


def interval(estimate: Estimate, confidence: float) -> tuple[float, float]:
    """The two-sided interval: both bounds, each missing the truth half as often as the interval may."""
    one_sided = (1 + confidence) / 2
    return estimate.lower(one_sided), estimate.upper(one_sided)

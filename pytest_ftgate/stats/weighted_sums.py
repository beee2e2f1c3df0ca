"""Sums of estimates from separate groups of cases: differences of two groups, means weighted by shares.

Only the bounds of the parts are needed, so parts of any kind can be put together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_ftgate.stats.distributions import crossing
from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.stats.rates import RateEstimate

#: How near the confidence of a bound is found that meets a threshold.
_CLOSE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One group's number in a sum: its weight, which may be negative, what was observed, and its bounds."""

    weight: float
    value: float
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedSumEstimate:
    """Bounds of the sum of weight x value over independent groups, of which there is at least one.

    The distances of the parts' bounds from their values, squared and added (MOVER: Zou and Donner,
    Statistics in Medicine 2008, 27:1693, section 2). For the difference of two Wilson intervals that is
    Newcombe's hybrid score interval (Statistics in Medicine 1998, 17:873, method 10).
    """

    parts: Sequence[Part]

    @property
    def value(self) -> float:
        """The observed sum."""
        return math.fsum(part.weight * part.value for part in self.parts)

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound; the observed sum for a confidence of 1/2 and less."""
        return self.value - self._distance(confidence, down=True)

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound; the observed sum for a confidence of 1/2 and less."""
        return self.value + self._distance(confidence, down=False)

    def p_below(self, threshold: float) -> float:
        """One minus the confidence at which the upper bound meets `threshold`, 0…1."""
        if self.value >= threshold:
            return 1 - _p(lambda confidence: self.lower(confidence) < threshold)
        return _p(lambda confidence: self.upper(confidence) >= threshold)

    def p_above(self, threshold: float) -> float:
        """One minus the confidence at which the lower bound meets `threshold`, 0…1."""
        return 1 - self.p_below(threshold)

    def _distance(self, confidence: float, *, down: bool) -> float:
        if confidence <= 0.5:
            return 0.0
        return math.hypot(*(_reach(part, confidence, down=down) for part in self.parts))


def unpaired_difference(model: RateEstimate, other: RateEstimate) -> WeightedSumEstimate:
    """Newcombe's hybrid score interval of the difference of two rates from different cases, -1…1."""
    return WeightedSumEstimate(
        parts=(
            Part(weight=1.0, value=model.value, estimate=model),
            Part(weight=-1.0, value=other.value, estimate=other),
        )
    )


def _reach(part: Part, confidence: float, *, down: bool) -> float:
    """How far this part's bound moves the sum down or up; a negative weight turns its bounds around."""
    low = down == (part.weight > 0)
    bound = part.estimate.lower(confidence) if low else part.estimate.upper(confidence)
    return part.weight * (part.value - bound)


def _p(reached: Callable[[float], bool]) -> float:
    """One minus the lowest confidence, from 1/2 on, whose bound reaches the threshold."""
    return 1 - crossing(reached, 0.5, 1.0, to=_CLOSE)

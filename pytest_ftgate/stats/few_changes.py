"""Bounds of a mean where nearly all cases have one value, so that resampling would see next to nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_ftgate.stats.distributions import normal_quantile
from pytest_ftgate.stats.rate_power import POWER
from pytest_ftgate.stats.rates import ExactRateEstimate

#: With fewer cases than this off the common value, the bootstrap is not to be trusted.
ENOUGH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FewChangesEstimate:
    """Bounds of the mean of `n` cases of which `below` lie below a `common` value and `above` above it.

    The share of cases below is at most the Clopper-Pearson bound U(below), and none lies further off than
    `least`; likewise above. So the mean lies between common - U(below) (common - least) and
    common + U(above) (most - common): for differences of scores, [-U(losses), U(wins)]. Conservative by
    construction: ten identical pairs are not [0, 0]. `value` is the observed mean, n at least 1.
    """

    value: float
    below: int
    above: int
    n: int
    common: float = 0.0
    least: float = -1.0
    most: float = 1.0

    def lower(self, confidence: float) -> float:
        """The one-sided lower bound, at least `least`."""
        return self.common - self._down * self._share_below.upper(confidence)

    def upper(self, confidence: float) -> float:
        """The one-sided upper bound, at most `most`."""
        return self.common + self._up * self._share_above.upper(confidence)

    def p_below(self, threshold: float) -> float:
        """The exact test of so many cases above the common value that the mean reaches `threshold`."""
        return _p(self._share_above, threshold - self.common, self._up)

    def p_above(self, threshold: float) -> float:
        """The exact test of so many cases below the common value that the mean stays under `threshold`."""
        return _p(self._share_below, self.common - threshold, self._down)

    @property
    def _down(self) -> float:
        return self.common - self.least

    @property
    def _up(self) -> float:
        return self.most - self.common

    @property
    def _share_below(self) -> ExactRateEstimate:
        return ExactRateEstimate(passed=self.below, n=self.n)

    @property
    def _share_above(self) -> ExactRateEstimate:
        return ExactRateEstimate(passed=self.above, n=self.n)


def cases_to_decide(
    seen: FewChangesEstimate, threshold: float, confidence: float, power: float = POWER
) -> int:
    """About how many cases decide if they go on like those seen, whose mean is not `threshold` itself.

    Without changes toward the threshold the bound closes in as 1/n, so the count is exact. Else there will
    soon be enough changes to resample, and it takes those, and as many cases as a mean of such values needs.
    """
    is_down = seen.value > threshold
    changed = seen.below if is_down else seen.above
    reach = (seen.common - seen.least) if is_down else (seen.most - seen.common)
    distance = (seen.common - threshold) if is_down else (threshold - seen.common)
    if not changed and distance > 0:
        # Nothing lies as far off as `reach`: then one case would do.
        return (
            1
            if distance >= reach
            else math.ceil(math.log(1 - confidence) / math.log1p(-distance / reach) - 1e-9)
        )
    share = (seen.below + seen.above) / seen.n
    one_way = not (seen.below and seen.above)
    size = (
        abs(seen.value - seen.common) / share
        if one_way
        else max(seen.common - seen.least, seen.most - seen.common)
    )
    variance = share * size**2 - (seen.value - seen.common) ** 2
    z = normal_quantile(confidence) + normal_quantile(power)
    resampled = math.ceil((ENOUGH + 2) / share)
    return max(resampled, math.ceil(z * z * variance / (seen.value - threshold) ** 2))


def _p(share: ExactRateEstimate, distance: float, reach: float) -> float:
    """How likely so small a share is if it must move the mean by `distance`, each case by at most `reach`."""
    if distance <= 0:
        return 1.0
    return share.p_below(distance / reach) if distance < reach else 0.0

"""How likely the estimate itself meets a threshold: power under `evidence: point`.

What stats/rate_power.py and stats/difference_power.py are for `strict`. All probabilities are exact up to
20,000 cases. A criterion `at_most` is `at_least` of failures, or of the other arm.
"""

from __future__ import annotations

import math
from fractions import Fraction

from pytest_ftgate.stats.distributions import (
    binomial_at_least,
    binomial_exactly,
    normal_cdf,
    normal_quantile,
)
from pytest_ftgate.stats.rate_power import POWER, Needed, smallest

_EXACT_UP_TO = 20_000
_FAR = 6.0
_LONGEST_LOOK = 2000
_START = 20_000


def chance_of_rate(n: int, true_rate: float, at_least: Fraction) -> float:
    """The probability that `n` cases with this true rate (0…1) pass at a rate of at least `at_least`."""
    return binomial_at_least(math.ceil(at_least * n), n, true_rate)


def chance_of_difference(n: int, *, wins: float, losses: float, at_least: Fraction) -> float:
    """The probability that the observed difference of `n` pairs is at least `at_least`.

    `wins` and `losses` are the true shares of cases that only one arm passes.
    """
    least, either = math.ceil(at_least * n), wins + losses
    if either <= 0:
        return float(least <= 0)
    if n > _EXACT_UP_TO:
        deviation = math.sqrt(n * max(either - (wins - losses) ** 2, 1e-12))
        return normal_cdf((n * (wins - losses) - least + 0.5) / deviation)
    spread = _FAR * math.sqrt(n * either * (1 - either)) + 1
    first, last = max(0, math.floor(n * either - spread)), min(n, math.ceil(n * either + spread))
    return min(
        1.0,
        sum(
            binomial_exactly(changed, n, min(either, 1.0))
            * binomial_at_least(-((-least - changed) // 2), changed, min(wins / either, 1.0))
            for changed in range(first, last + 1)
        ),
    )


def rate_cases(true_rate: float, at_least: Fraction, power: float = POWER) -> Needed | None:
    """From how many cases on the estimate falls on its true side of the threshold with this power.

    None if the truth stands on the threshold, or too near to it.
    """
    distance = true_rate - float(at_least)
    if not distance:
        return None
    sign = 1 if distance > 0 else -1
    variance = max(true_rate * (1 - true_rate), 1e-9)
    return smallest(
        lambda n: _on_side(chance_of_rate(n, true_rate, at_least), sign),
        power,
        look=_look(at_least),
        start=_start(variance, distance, power),
    )


def difference_cases(
    *, wins: float, losses: float, at_least: Fraction, power: float = POWER
) -> Needed | None:
    """The same for a difference of pairs."""
    distance = wins - losses - float(at_least)
    if abs(distance) < 1e-12:
        return None
    sign = 1 if distance > 0 else -1
    variance = max(wins + losses - (wins - losses) ** 2, 1e-9)
    return smallest(
        lambda n: _on_side(chance_of_difference(n, wins=wins, losses=losses, at_least=at_least), sign),
        power,
        look=min(_look(at_least), 100),
        start=_start(variance, distance, power),
    )


def _on_side(chance: float, sign: int) -> float:
    return chance if sign > 0 else 1 - chance


def _start(variance: float, distance: float, power: float) -> int:
    """Where to begin looking: by the normal approximation."""
    return min(max(2, math.ceil(normal_quantile(power) ** 2 * variance / distance**2)), _START)


def _look(at_least: Fraction) -> int:
    """How far ahead the saw of power is looked at: two of its teeth."""
    tooth = max(float(min(abs(at_least), 1 - abs(at_least))), 1 / _LONGEST_LOOK)
    return min(_LONGEST_LOOK, int(2 / tooth))

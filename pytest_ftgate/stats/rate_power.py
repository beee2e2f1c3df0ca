"""How many cases a criterion on one rate needs: `at_least t`, shown by the one-sided Wilson bound.

For `at_most t`, ask for failures instead: a failure rate of at least 1 - t. All probabilities are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pytest_ftgate.stats.distributions import (
    binomial_at_least,
    binomial_at_most,
    crossing,
    normal_quantile,
)
from pytest_ftgate.stats.rates import RateEstimate

POWER = 0.8
#: More cases than this are not worth planning with.
MOST_CASES = 10_000_000
#: Power saws up and down as n grows, by steps of one pass; so many cases ahead it is looked at.
_LONGEST_LOOK = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Cases after which a criterion is decided with the given `power` (0…1, the chance that it is)."""

    cases: int
    power: float


def least_cases_to_show(at_least: float, confidence: float) -> int | None:
    """The fewest cases, all passed, that show a rate of at least `at_least`; None for 100 %, never shown.

    Wilson's lower bound of n passes of n is n / (n + z²).
    """
    if at_least >= 1:
        return None
    z = normal_quantile(confidence)
    n = max(1, math.floor(z * z * at_least / (1 - at_least)))
    while not _shows_rate(n, n, at_least, confidence):
        n += 1
    return n


def least_passes(n: int, at_least: float, confidence: float) -> int | None:
    """The fewest passes of `n` that show the rate; None if not even `n` of `n` do."""
    return _first(n, lambda passed: _shows_rate(passed, n, at_least, confidence))


def power_to_show(n: int, true_rate: float, at_least: float, confidence: float) -> float:
    """The probability that `n` cases show a rate of at least `at_least`: that the criterion is GO."""
    passes = least_passes(n, at_least, confidence)
    return 0.0 if passes is None else binomial_at_least(passes, n, true_rate)


def power_to_refute(n: int, true_rate: float, at_least: float, confidence: float) -> float:
    """The probability that `n` cases show a rate below `at_least`: that the criterion is NO-GO."""
    first = _first(n, lambda passed: not _refutes_rate(passed, n, at_least, confidence))
    return binomial_at_most((n + 1 if first is None else first) - 1, n, true_rate)


def cases_to_decide(
    true_rate: float, at_least: float, confidence: float, power: float = POWER
) -> Needed | None:
    """From how many cases on the criterion is decided with this power, GO or NO-GO as the true rate has it.

    None if the true rate stands on the threshold, or so near that ten million cases would not decide.
    """
    if true_rate == at_least:
        return None
    chance = power_to_show if true_rate > at_least else power_to_refute
    step = 1 / max(min(at_least, 1 - at_least), 1 / _LONGEST_LOOK)
    return smallest(
        lambda n: chance(n, true_rate, at_least, confidence), power, look=min(_LONGEST_LOOK, int(2 * step))
    )


def detectable_rate(n: int, at_least: float, confidence: float, power: float = POWER) -> float | None:
    """The lowest true rate that `n` cases show to be at least `at_least` with this power; None if none is."""
    if least_passes(n, at_least, confidence) is None:
        return None
    return crossing(lambda rate: power_to_show(n, rate, at_least, confidence) >= power, at_least, 1.0)


def smallest(chance: Callable[[int], float], power: float, look: int, start: int = 2) -> Needed | None:
    """The smallest n from which `chance(n)` stays at least `power`, over the next `look` cases at least."""
    low, high = 0, start
    while chance(high) < power:
        low, high = high, high * 2
        if high > MOST_CASES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= power else (middle, high)
    n, ahead = high, 1
    while ahead <= look:
        dips = chance(n + ahead) < power
        n, ahead = (n + ahead + 1, 0) if dips else (n, ahead + 1)
    return Needed(cases=n, power=chance(n))


def _shows_rate(passed: int, n: int, at_least: float, confidence: float) -> bool:
    return RateEstimate(passed=passed, n=n).lower(confidence) >= at_least


def _refutes_rate(passed: int, n: int, at_least: float, confidence: float) -> bool:
    return RateEstimate(passed=passed, n=n).upper(confidence) < at_least


def _first(n: int, holds: Callable[[int], bool]) -> int | None:
    """The smallest of 0…n for which a rising condition holds; None if it never does."""
    low, high = -1, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high if high <= n else None

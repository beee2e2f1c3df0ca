"""How many cases a criterion on a paired difference needs: `at_least t`, shown by the one-sided score bound.

For `at_most t`, exchange the arms: a difference of at least -t. What must be assumed is how often the two
arms disagree at all (the discordance): differences are easier to see where everything else stays the same.
"""

from __future__ import annotations

import math

from pytest_ftgate.stats.distributions import (
    binomial_at_least,
    binomial_exactly,
    crossing,
    normal_cdf,
    normal_quantile,
)
from pytest_ftgate.stats.paired_passes import PairedEstimate, tango_z
from pytest_ftgate.stats.rate_power import POWER, Needed, smallest

#: Up to so many cases power is summed over all outcomes; beyond, the normal approximation is as good.
_EXACT_UP_TO = 20_000
#: Numbers of disagreements further off than this many standard deviations are left out (2 in a billion).
_FAR = 6.0
_LOOK = 10


def power_to_show(n: int, *, wins: float, losses: float, at_least: float, confidence: float) -> float:
    """The probability that `n` cases show a difference of at least `at_least`: that the criterion is GO.

    `wins` and `losses` are the true shares of cases that only the model or only the baseline passes. Exact:
    the sum over the trinomial distribution of outcomes.
    """
    z = normal_quantile(confidence)
    if n > _EXACT_UP_TO:
        return _approximate_power(n, wins, losses, at_least, z)
    either = wins + losses
    if either == 0:
        return float(_shows(0, 0, n, at_least, z))
    spread = _FAR * math.sqrt(n * either * (1 - either)) + 1
    chance, least = 0.0, 0
    for changed in range(max(0, math.floor(n * either - spread)), min(n, math.ceil(n * either + spread)) + 1):
        least = _least_wins(changed, n, at_least, z, start=least)
        shown = binomial_at_least(least, changed, wins / either)
        chance += binomial_exactly(changed, n, either) * shown if shown else 0.0
    return min(chance, 1.0)


def power_to_refute(n: int, *, wins: float, losses: float, at_least: float, confidence: float) -> float:
    """The probability that `n` cases show a difference below `at_least`: that the criterion is NO-GO.

    Seen from the other arm, the difference is shown to be above -`at_least`; being on it has no weight here.
    """
    return power_to_show(n, wins=losses, losses=wins, at_least=-at_least, confidence=confidence)


def cases_to_decide(
    *, wins: float, losses: float, at_least: float, confidence: float, power: float = POWER
) -> Needed | None:
    """From how many cases on the criterion is decided with this power, GO or NO-GO as the true rates have it.

    None if the true difference stands on the threshold, or so near that ten million cases would not decide.
    """
    distance = wins - losses - at_least
    if abs(distance) < 1e-12:
        return None
    chance = power_to_show if distance > 0 else power_to_refute
    variance = max(wins + losses - (wins - losses) ** 2, abs(at_least) * (1 - abs(at_least)))
    start = (normal_quantile(confidence) + normal_quantile(power)) ** 2 * variance / distance**2
    return smallest(
        lambda n: chance(n, wins=wins, losses=losses, at_least=at_least, confidence=confidence),
        power,
        look=_LOOK,
        start=min(max(2, math.ceil(start)), 2 * _EXACT_UP_TO),
    )


def detectable_difference(
    n: int, *, discordance: float, at_least: float, confidence: float, power: float = POWER
) -> float | None:
    """The smallest true difference that `n` cases show to be at least `at_least` with this power.

    With this share of cases on which the arms disagree (0…1), wins and losses together. None if not even
    wins alone would do.
    """

    def seen(difference: float) -> bool:
        wins = (discordance + difference) / 2
        losses = max(discordance - wins, 0.0)
        return power <= power_to_show(n, wins=wins, losses=losses, at_least=at_least, confidence=confidence)

    if not seen(discordance):
        return None
    return crossing(seen, max(at_least, -discordance), discordance, to=1e-6)


def cases_by_scaling(
    n: int, *, value: float, bound: float, threshold: float, confidence: float, power: float = POWER
) -> int | None:
    """About how many cases decide where no formula is at hand, since bounds close in as the root of n.

    `bound` is the one-sided bound at this confidence on the threshold's side of `value`, measured on `n`
    cases. None if `value` stands on the threshold, or is its own bound.
    """
    if value in (threshold, bound):
        return None
    z = normal_quantile(confidence)
    reach = abs(bound - value) * (z + normal_quantile(power)) / z
    return math.ceil(n * (reach / (value - threshold)) ** 2)


def _approximate_power(n: int, wins: float, losses: float, at_least: float, z: float) -> float:
    """By the normal distribution of the score statistic about its value at the true rates."""
    expected = tango_z(wins * n, losses * n, n, at_least)
    difference = wins - losses
    true_variance = wins + losses - difference**2
    if true_variance <= 0:
        return float(expected >= z)
    distance = (difference - at_least) * math.sqrt(n)
    null_deviation = distance / expected if expected else math.sqrt(true_variance)
    return normal_cdf((distance - z * null_deviation) / math.sqrt(true_variance))


def _least_wins(changed: int, n: int, at_least: float, z: float, *, start: int) -> int:
    """The fewest wins among so many changes that show the difference; one more change never needs fewer."""
    wins = start
    while wins <= changed and not _shows(wins, changed - wins, n, at_least, z):
        wins += 1
    return wins


def _shows(wins: int, losses: int, n: int, at_least: float, z: float) -> bool:
    return PairedEstimate(wins=wins, losses=losses, n=n).z(at_least) >= z

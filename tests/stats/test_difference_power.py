"""How many cases a criterion on a paired difference needs: enumeration with the bounds themselves."""

from __future__ import annotations

from itertools import product

import pytest
from scipy import stats

from pytest_ftgate.stats.difference_power import (
    cases_by_scaling,
    cases_to_decide,
    detectable_difference,
    power_to_refute,
    power_to_show,
)
from pytest_ftgate.stats.paired_passes import PairedEstimate

MARGIN = {"at_least": -0.05, "confidence": 0.95}


def enumerated(n: int, wins: float, losses: float, at_least: float) -> tuple[float, float]:
    """The chances of GO and of NO-GO, by the bounds of every outcome."""
    shown = refuted = 0.0
    distribution = stats.multinomial(n, [wins, losses, 1 - wins - losses])
    for won, lost in product(range(n + 1), repeat=2):
        if won + lost <= n:
            estimate = PairedEstimate(wins=won, losses=lost, n=n)
            chance = distribution.pmf([won, lost, n - won - lost])
            shown += chance * (estimate.lower(0.95) >= at_least)
            refuted += chance * (estimate.upper(0.95) < at_least)
    return shown, refuted


@pytest.mark.parametrize(
    ("n", "wins", "losses", "at_least"),
    [
        (30, 0.1, 0.1, -0.05),
        (30, 0.3, 0.05, 0.05),
        (25, 0.05, 0.4, -0.05),
        (20, 0.6, 0.4, 0.0),
        (12, 0.0, 0.5, 0.05),
        (1, 0.5, 0.5, 0.0),
    ],
)
def test_power_is_the_chance_of_the_bound_to_meet_the_threshold(
    n: int, wins: float, losses: float, at_least: float
) -> None:
    shown, refuted = enumerated(n, wins, losses, at_least)

    rates = {"wins": wins, "losses": losses, "at_least": at_least, "confidence": 0.95}
    assert power_to_show(n, **rates) == pytest.approx(shown, abs=1e-7)
    assert power_to_refute(n, **rates) == pytest.approx(refuted, abs=1e-7)


def test_beyond_what_is_summed_the_normal_approximation_takes_over_smoothly() -> None:
    for wins, losses, at_least in ((0.102, 0.05, 0.05), (0.1, 0.1, -0.003), (0.1, 0.05, 0.05)):
        exact, approximate = (
            power_to_show(n, wins=wins, losses=losses, at_least=at_least, confidence=0.95)
            for n in (20_000, 20_001)
        )
        assert approximate == pytest.approx(exact, abs=0.005)


def test_models_that_never_disagree_need_only_cases() -> None:
    needed = cases_to_decide(wins=0, losses=0, **MARGIN)

    assert needed is not None
    assert (needed.cases, needed.power) == (53, 1)
    assert power_to_show(30_000, wins=0, losses=0, **MARGIN) == 1
    assert power_to_show(30_000, wins=0, losses=0, at_least=0.01, confidence=0.95) == 0


@pytest.mark.parametrize(
    ("wins", "losses", "at_least"), [(0.1, 0.1, -0.05), (0.2, 0.05, 0.05), (0.02, 0.2, -0.05), (0.15, 0, 0)]
)
def test_needed_cases_have_their_power_and_fewer_do_not(wins: float, losses: float, at_least: float) -> None:
    rates = {"wins": wins, "losses": losses, "at_least": at_least, "confidence": 0.95}
    chance = power_to_show if wins - losses > at_least else power_to_refute

    needed = cases_to_decide(**rates)

    assert needed is not None
    assert needed.power == chance(needed.cases, **rates)
    assert all(chance(needed.cases + more, **rates) >= 0.8 for more in range(10))
    assert chance(needed.cases - 1, **rates) < 0.8


def test_needed_cases_of_tiny_distances_are_about_right() -> None:
    needed = cases_to_decide(wins=0.102, losses=0.05, at_least=0.05, confidence=0.95)

    assert needed is not None
    # The plain formula: ((1.645 + 0.842) / 0.002)² times the variance.
    assert needed.cases == pytest.approx((2.4865 / 0.002) ** 2 * (0.152 - 0.052**2), rel=0.02)


def test_no_number_of_cases_decides_on_the_threshold() -> None:
    assert cases_to_decide(wins=0.1, losses=0.15, **MARGIN) is None


@pytest.mark.parametrize(("n", "discordance"), [(50, 0.2), (200, 0.2), (1000, 0.05)])
def test_the_detectable_difference_has_the_power_and_less_has_not(n: int, discordance: float) -> None:
    difference = detectable_difference(n, discordance=discordance, **MARGIN)

    assert difference is not None
    wins, losses = (discordance + difference) / 2, (discordance - difference) / 2
    assert power_to_show(n, wins=wins, losses=losses, **MARGIN) == pytest.approx(0.8, abs=1e-3)


def test_a_discordance_too_small_for_the_threshold_detects_nothing() -> None:
    assert detectable_difference(500, discordance=0.04, at_least=0.05, confidence=0.95) is None


def test_bounds_that_close_in_as_the_root_of_n_need_that_many_cases() -> None:
    # A bound 2 off an estimate 1 from the threshold: four times the cases for even odds, 9.1 for 80 %.
    assert cases_by_scaling(100, value=10, bound=8, threshold=9, confidence=0.95, power=0.5) == 400
    assert cases_by_scaling(100, value=10, bound=8, threshold=9, confidence=0.95) == 915


def test_an_estimate_on_the_threshold_or_without_spread_scales_to_nothing() -> None:
    assert cases_by_scaling(100, value=9, bound=8, threshold=9, confidence=0.95) is None
    assert cases_by_scaling(100, value=10, bound=10, threshold=9, confidence=0.95) is None

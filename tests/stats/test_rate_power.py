"""How many cases a criterion on a rate needs: scipy's binomial distribution and the bounds themselves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_ftgate.stats.rate_power import (
    Needed,
    cases_to_decide,
    detectable_rate,
    least_cases_to_show,
    least_passes,
    power_to_refute,
    power_to_show,
    smallest,
)
from pytest_ftgate.stats.rates import RateEstimate


def test_ten_of_ten_never_show_ninety_percent() -> None:
    assert least_passes(10, 0.9, 0.95) is None
    assert power_to_show(10, 1.0, 0.9, 0.95) == 0
    assert detectable_rate(10, 0.9, 0.95) is None


@pytest.mark.parametrize("at_least", [0.0, 0.01, 0.5, 0.85, 0.9, 0.95, 0.99])
def test_the_least_cases_that_show_a_rate_are_the_fewest_without_a_miss(at_least: float) -> None:
    n = least_cases_to_show(at_least, 0.95)

    assert n is not None
    assert RateEstimate(passed=n, n=n).lower(0.95) >= at_least
    assert n == 1 or RateEstimate(passed=n - 1, n=n - 1).lower(0.95) < at_least


def test_a_rate_of_one_is_never_shown_but_refuted_by_one_miss() -> None:
    assert least_cases_to_show(1.0, 0.95) is None
    assert power_to_refute(50, 0.9, 1.0, 0.95) == pytest.approx(1 - 0.9**50)


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(1e-6, 1), st.floats(0.05, 0.95), st.floats(0.6, 0.99))
def test_power_is_the_chance_of_the_bound_to_meet_the_threshold(
    n: int, true_rate: float, at_least: float, confidence: float
) -> None:
    estimates = [RateEstimate(passed=passed, n=n) for passed in range(n + 1)]
    chances = stats.binom.pmf(range(n + 1), n, true_rate)

    shown = sum(p for p, one in zip(chances, estimates, strict=True) if one.lower(confidence) >= at_least)
    refuted = sum(p for p, one in zip(chances, estimates, strict=True) if one.upper(confidence) < at_least)

    assert power_to_show(n, true_rate, at_least, confidence) == pytest.approx(shown, abs=1e-9)
    assert power_to_refute(n, true_rate, at_least, confidence) == pytest.approx(refuted, abs=1e-9)


@pytest.mark.parametrize(
    ("true_rate", "at_least"), [(0.95, 0.9), (0.92, 0.9), (0.85, 0.9), (1.0, 0.9), (0.6, 0.5), (0.97, 1.0)]
)
def test_needed_cases_keep_their_power_and_fewer_do_not_have_it(true_rate: float, at_least: float) -> None:
    chance = power_to_show if true_rate > at_least else power_to_refute

    needed = cases_to_decide(true_rate, at_least, 0.95)

    assert needed is not None
    assert needed.power == chance(needed.cases, true_rate, at_least, 0.95)
    assert all(chance(needed.cases + more, true_rate, at_least, 0.95) >= 0.8 for more in range(60))
    assert chance(needed.cases - 1, true_rate, at_least, 0.95) < 0.8


def test_no_number_of_cases_decides_on_the_threshold_or_right_beside_it() -> None:
    assert cases_to_decide(0.9, 0.9, 0.95) is None
    assert cases_to_decide(0.90001, 0.9, 0.95) is None


def test_the_detectable_rate_has_the_power_and_less_has_not() -> None:
    rate = detectable_rate(139, 0.9, 0.95)

    assert rate is not None
    assert 0.9 < rate < 1
    assert power_to_show(139, rate, 0.9, 0.95) == pytest.approx(0.8)


def test_power_that_dips_again_is_not_enough() -> None:
    chances = {1: 0.1, 2: 0.5, 3: 0.85, 4: 0.7, 5: 0.9, 6: 0.75, 7: 0.95}

    assert smallest(lambda n: chances.get(n, 1.0), 0.8, look=5, start=1) == Needed(cases=7, power=0.95)
    assert smallest(lambda n: chances.get(n, 1.0), 0.8, look=1, start=3) == Needed(cases=7, power=0.95)

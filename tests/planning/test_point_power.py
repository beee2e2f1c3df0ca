from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.planning.point_power import (
    chance_of_difference,
    chance_of_rate,
    difference_cases,
    rate_cases,
)

FIVE = Fraction(5, 100)


@settings(deadline=None)
@given(n=st.integers(1, 9), rate=st.floats(0.01, 0.99), percent=st.integers(0, 100))
def test_the_chance_of_a_rate_is_the_sum_over_all_outcomes(n: int, rate: float, percent: int) -> None:
    at_least = Fraction(percent, 100)

    chance = chance_of_rate(n, rate, at_least)

    counted = sum(
        math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1) if Fraction(k, n) >= at_least
    )
    assert chance == pytest.approx(counted, abs=1e-9)


@settings(deadline=None)
@given(
    n=st.integers(1, 6),
    wins=st.floats(0, 0.5),
    losses=st.floats(0, 0.5),
    percent=st.integers(-60, 60),
)
def test_the_chance_of_a_difference_is_the_sum_over_all_outcomes(
    n: int, wins: float, losses: float, percent: int
) -> None:
    at_least = Fraction(percent, 100)
    shares = {1: wins, -1: losses, 0: 1 - wins - losses}

    chance = chance_of_difference(n, wins=wins, losses=losses, at_least=at_least)

    counted = sum(
        math.prod(shares[each] for each in outcome)
        for outcome in product(shares, repeat=n)
        if Fraction(sum(outcome), n) >= at_least
    )
    assert chance == pytest.approx(counted, abs=1e-6)


def test_fifty_pooled_cases_miss_a_true_drop_of_ten_points_one_time_in_five() -> None:
    """The plain rule of five points, with 20 % discordant answers."""
    missed = chance_of_difference(50, wins=0.05, losses=0.15, at_least=-FIVE)

    assert missed == pytest.approx(0.2, abs=0.03)


def test_beyond_the_exact_range_the_approximation_takes_over_without_a_step() -> None:
    exact = chance_of_difference(20_000, wins=0.101, losses=0.099, at_least=Fraction(0))
    approximate = chance_of_difference(20_001, wins=0.101, losses=0.099, at_least=Fraction(0))

    assert approximate == pytest.approx(exact, abs=0.002)


@pytest.mark.parametrize(("rate", "percent"), [(0.95, 90), (0.85, 90), (0.6, 50), (0.999, 99)])
def test_from_the_needed_cases_on_the_estimate_is_right_in_four_of_five_runs(
    rate: float, percent: int
) -> None:
    at_least = Fraction(percent, 100)

    needed = rate_cases(rate, at_least)

    assert needed is not None
    right = [
        chance if rate > at_least else 1 - chance
        for chance in (chance_of_rate(needed.cases + more, rate, at_least) for more in range(100))
    ]
    assert min(right) >= 0.8
    assert needed.power == pytest.approx(right[0])


def test_the_same_holds_for_differences() -> None:
    needed = difference_cases(wins=0.1, losses=0.1, at_least=-FIVE)

    assert needed is not None
    chances = [
        chance_of_difference(needed.cases + more, wins=0.1, losses=0.1, at_least=-FIVE) for more in range(60)
    ]
    assert min(chances) >= 0.8
    assert chance_of_difference(needed.cases - 1, wins=0.1, losses=0.1, at_least=-FIVE) < 0.8


def test_no_number_of_cases_tells_on_which_side_of_itself_a_threshold_lies() -> None:
    assert rate_cases(0.9, Fraction(9, 10)) is None
    assert difference_cases(wins=0.15, losses=0.1, at_least=FIVE) is None


def test_arms_that_never_differ_have_a_difference_of_nothing() -> None:
    assert chance_of_difference(10, wins=0.0, losses=0.0, at_least=Fraction(0)) == 1.0
    assert chance_of_difference(10, wins=0.0, losses=0.0, at_least=FIVE) == 0.0

"""Sums over groups of cases, against Newcombe's published intervals and by what must hold of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.paired_passes import PairedEstimate
from pytest_ftgate.stats.rates import RateEstimate
from pytest_ftgate.stats.weighted_sums import Part, WeightedSumEstimate, unpaired_difference

#: Newcombe 1998, Statistics in Medicine 17:873, table II, method 10: passed of n on each side.
NEWCOMBE = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0000)),
    ((10, 10), (0, 10), (0.6075, 1.0000)),
]


def rate(passed: int, n: int) -> RateEstimate:
    return RateEstimate(passed=passed, n=n)


@st.composite
def rates(draw: st.DrawFn) -> RateEstimate:
    n = draw(st.integers(1, 60))
    return rate(draw(st.integers(0, n)), n)


@pytest.mark.parametrize(("model", "other", "published"), NEWCOMBE)
def test_the_difference_of_two_groups_has_newcombes_interval(
    model: tuple[int, int], other: tuple[int, int], published: tuple[float, float]
) -> None:
    bounds = interval(unpaired_difference(rate(*model), rate(*other)), 0.95)

    assert bounds == pytest.approx(published, abs=5e-5)


@settings(deadline=None)
@given(rates(), rates(), st.sampled_from([0.6, 0.9, 0.95, 0.99]))
def test_bounds_hold_the_value_and_exchanging_the_groups_turns_them_around(
    one: RateEstimate, other: RateEstimate, confidence: float
) -> None:
    difference, turned = unpaired_difference(one, other), unpaired_difference(other, one)

    assert difference.lower(confidence) <= difference.value <= difference.upper(confidence)
    assert difference.lower(confidence) == pytest.approx(-turned.upper(confidence), abs=1e-12)
    assert -1 - 1e-9 <= difference.lower(confidence) <= difference.upper(confidence) <= 1 + 1e-9


@settings(deadline=None)
@given(rates(), rates(), st.sampled_from([-0.5, -0.1, 0.0, 0.1, 0.3]), st.sampled_from([0.8, 0.95, 0.99]))
def test_p_values_agree_with_bounds(
    one: RateEstimate, other: RateEstimate, threshold: float, confidence: float
) -> None:
    difference = unpaired_difference(one, other)
    lower, upper = difference.lower(confidence), difference.upper(confidence)

    if abs(lower - threshold) > 1e-6:
        assert (lower >= threshold) is (difference.p_above(threshold) <= 1 - confidence)
    if abs(upper - threshold) > 1e-6:
        assert (upper < threshold) is (difference.p_below(threshold) <= 1 - confidence)


def test_a_sum_of_one_part_has_the_bounds_of_that_part() -> None:
    part = PairedEstimate(wins=3, losses=9, n=60)

    whole = WeightedSumEstimate(parts=[Part(weight=1.0, value=part.value, estimate=part)])

    assert whole.value == part.value
    assert whole.lower(0.95) == pytest.approx(part.lower(0.95))
    assert whole.upper(0.95) == pytest.approx(part.upper(0.95))


def test_a_weighted_mean_of_equal_groups_is_surer_than_each_of_them() -> None:
    parts = [Part(weight=0.25, value=0.8, estimate=rate(40, 50)) for _ in range(4)]

    mean = WeightedSumEstimate(parts=parts)

    assert mean.value == pytest.approx(0.8)
    assert 0.8 - mean.lower(0.95) == pytest.approx((0.8 - rate(40, 50).lower(0.95)) / math.sqrt(4))


def test_at_even_odds_both_bounds_are_what_was_observed() -> None:
    difference = unpaired_difference(rate(9, 10), rate(3, 10))

    assert difference.lower(0.5) == difference.upper(0.5) == difference.value
    assert difference.p_below(0.6) == pytest.approx(0.5, abs=1e-6)

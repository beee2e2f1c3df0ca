"""Bounds of a percentile by ranks: published sample sizes, exact coverage, what must hold of any bound."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_ftgate.stats.ranks import RankEstimate

VALUES = st.lists(st.floats(0, 100), min_size=1, max_size=60).map(sorted)
PERCENTS = st.sampled_from([10, 50, 90, 95, 99])
CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.975, 0.99])


@pytest.mark.parametrize(
    ("percent", "confidence", "n"),
    [(90, 0.95, 29), (95, 0.95, 59), (99, 0.95, 299), (95, 0.9, 45), (99, 0.99, 459), (90, 0.99, 44)],
)
def test_as_many_values_bound_a_percentile_as_wilks_1941_says(
    percent: int, confidence: float, n: int
) -> None:
    enough = RankEstimate(ordered=range(1, n + 1), percent=percent)
    few = RankEstimate(ordered=range(1, n), percent=percent)

    assert enough.values_to_bound(confidence) == n
    assert enough.upper(confidence) == n
    assert few.upper(confidence) == math.inf


@pytest.mark.parametrize("percent", [50, 90, 95, 99])
@pytest.mark.parametrize("n", [5, 20, 59, 100, 299, 1000])
def test_bounds_miss_no_oftener_than_they_may(percent: int, n: int) -> None:
    estimate = RankEstimate(ordered=range(1, n + 1), percent=percent)
    below = stats.binom(n, percent / 100)  # how many values lie below the true percentile

    low, high = estimate.lower(0.95), estimate.upper(0.95)

    assert below.sf(low - 1) >= 0.95
    assert low == n or below.sf(low) < 0.95
    assert math.isinf(high) or below.cdf(high - 1) >= 0.95 > below.cdf(high - 2)


@settings(deadline=None)
@given(VALUES, PERCENTS, CONFIDENCES)
def test_the_bounds_hold_the_observed_percentile(
    values: list[float], percent: int, confidence: float
) -> None:
    estimate = RankEstimate(ordered=values, percent=percent)

    assert 0 <= estimate.lower(confidence) <= estimate.value <= estimate.upper(confidence)


@settings(deadline=None)
@given(VALUES, PERCENTS, CONFIDENCES, st.floats(0.001, 100))
def test_bounds_and_p_values_agree(
    values: list[float], percent: int, confidence: float, threshold: float
) -> None:
    estimate = RankEstimate(ordered=values, percent=percent)

    assert (estimate.lower(confidence) >= threshold) is (
        estimate.p_above(threshold) <= 1 - confidence + 1e-12
    )
    assert (estimate.upper(confidence) < threshold) is (estimate.p_below(threshold) <= 1 - confidence + 1e-12)

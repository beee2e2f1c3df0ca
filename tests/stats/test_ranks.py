"""Bounds of a percentile by ranks: published sample sizes, exact coverage, what must hold of any bound."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_ftgate.stats.ranks import RankComparison, RankEstimate, compared_percentile

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


def steady(model: list[float], percent: int, compare: Literal["delta", "ratio"]) -> RankComparison:
    return compared_percentile(model, [2.0] * len(model), percent, compare)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_beside_a_steady_baseline_the_bounds_are_those_of_the_model(confidence: float) -> None:
    times = [1 + place / 10 for place in range(40)]
    alone = RankEstimate(ordered=times, percent=90)

    ratio, delta = steady(times, 90, "ratio"), steady(times, 90, "delta")

    assert ratio.value == pytest.approx(alone.value / 2)
    assert ratio.lower(confidence) == pytest.approx(alone.lower(confidence) / 2)
    assert ratio.upper(confidence) == pytest.approx(alone.upper(confidence) / 2)
    assert delta.lower(confidence) == pytest.approx(alone.lower(confidence) - 2)
    assert delta.upper(confidence) == pytest.approx(alone.upper(confidence) - 2)


@pytest.mark.parametrize(("percent", "n"), [(90, 29), (95, 59), (99, 299)])
@pytest.mark.parametrize("compare", ["delta", "ratio"])
def test_a_comparison_takes_as_many_calls_as_one_arm_does(
    percent: int, n: int, compare: Literal["delta", "ratio"]
) -> None:
    times = [float(place) for place in range(1, n + 1)]
    enough, few = steady(times, percent, compare), steady(times[1:], percent, compare)

    assert math.isfinite(enough.upper(0.95))
    assert (few.upper(0.95), enough.values_to_bound(0.95)) == (math.inf, n)
    assert compared_percentile([2.0] * (n - 1), times[1:], percent, compare).lower(0.95) == -math.inf


@pytest.mark.parametrize(("percent", "n"), [(50, 20), (90, 60), (95, 59), (99, 299)])
@pytest.mark.parametrize("spread", [0.0, 0.5], ids=["steady", "alike"])
def test_the_ratio_of_two_arms_is_no_oftener_too_low_than_it_may(percent: int, n: int, spread: float) -> None:
    random = np.random.default_rng(8)
    truth = math.exp((0.5 - spread) * stats.norm.ppf(percent / 100))

    missed = sum(
        compared_percentile(
            random.lognormal(0, 0.5, size=n).tolist(),
            random.lognormal(0, spread, size=n).tolist(),
            percent,
            "ratio",
        ).upper(0.95)
        < truth
        for _ in range(400)
    )

    # 5 % of 400 are 20, and three standard errors 13.
    assert missed <= 33


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 60), st.floats(0.01, 60)), min_size=5, max_size=40),
    st.sampled_from(["delta", "ratio"]),
    CONFIDENCES,
    st.floats(0.01, 20),
)
def test_bounds_and_p_values_of_a_comparison_agree(
    calls: list[tuple[float, float]],
    compare: Literal["delta", "ratio"],
    confidence: float,
    threshold: float,
) -> None:
    model, baseline = zip(*calls, strict=True)
    found = compared_percentile(model, baseline, 50, compare)
    low, high = found.lower(confidence), found.upper(confidence)
    if min(abs(low - threshold), abs(high - threshold), abs(found.value - threshold)) < 1e-9:
        return

    assert low <= found.value + 1e-9
    assert found.value <= high + 1e-9
    assert (low > threshold) is (found.p_above(threshold) <= 1 - confidence + 1e-9)
    assert (high < threshold) is (found.p_below(threshold) <= 1 - confidence + 1e-9)


def test_a_ratio_beyond_all_floats_is_infinite() -> None:
    found = compared_percentile([1e300] * 20, [1e-300] * 20, 50, "ratio")

    assert (found.value, found.upper(0.95)) == (math.inf, math.inf)

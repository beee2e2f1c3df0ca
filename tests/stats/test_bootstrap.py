"""Bounds and p-values from a bootstrap distribution, and how cases are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.stats.bootstrap import (
    BootstrapEstimate,
    Floats,
    bca_estimate,
    percentile_estimate,
    resample,
    swap,
)
from pytest_ftgate.stats.estimates import interval

EVEN = np.arange(1.0, 1000.0)


def test_percentile_bounds_leave_their_share_outside() -> None:
    estimate = percentile_estimate(500, EVEN[::-1])

    assert interval(estimate, 0.95) == (25, 975)
    assert (estimate.lower(0.95), estimate.upper(0.95)) == (50, 950)


def test_p_values_count_one_more_on_both_sides() -> None:
    estimate = percentile_estimate(500, EVEN)

    assert estimate.p_below(2000) == pytest.approx(1 / 1000)
    assert estimate.p_above(0) == pytest.approx(1 / 1000)
    assert estimate.p_below(950.5) == pytest.approx(50 / 1000)
    assert estimate.p_above(50.5) == pytest.approx(51 / 1000)


def test_bounds_beyond_all_resamples_are_no_bounds() -> None:
    estimate = percentile_estimate(500, EVEN)

    assert (estimate.lower(0.999), estimate.upper(0.999)) == (1, 999)
    assert (estimate.lower(0.9991), estimate.upper(0.9991)) == (-math.inf, math.inf)
    assert (estimate.lower(0), estimate.upper(0)) == (999, 1)


def test_corrected_bounds_stay_among_the_resamples() -> None:
    estimate = BootstrapEstimate(value=500, resampled=EVEN, cases=5)

    assert interval(estimate, 0.99) == (1, 999)


def test_bca_with_a_bias_takes_the_shares_of_efron_1987() -> None:
    # z0 = 0.146, a = 0.061 and 2000 resamples give shares of 0.110 and 0.985 for 90 %: Efron and Tibshirani
    # 1993, section 14.3, the spatial data.
    estimate = BootstrapEstimate(value=0, resampled=np.arange(1.0, 2000.0), bias=0.146, acceleration=0.061)
    low, high = interval(estimate, 0.9)

    assert (low / 2000, high / 2000) == pytest.approx((0.110, 0.985), abs=1e-3)


@settings(deadline=None)
@given(
    st.builds(
        BootstrapEstimate,
        value=st.just(0.0),
        resampled=st.lists(st.integers(-20, 20), min_size=5, max_size=60).map(
            lambda values: np.sort(np.asarray(values, dtype=np.float64))
        ),
        bias=st.floats(-0.4, 0.4),
        acceleration=st.floats(-0.2, 0.2),
        cases=st.sampled_from([None, 2, 7, 300]),
    ),
    st.floats(0.55, 0.99),
    st.integers(-25, 25),
)
def test_bounds_and_p_values_agree(estimate: BootstrapEstimate, confidence: float, threshold: int) -> None:
    inside = estimate.resampled[0] < threshold <= estimate.resampled[-1]

    for p, bound, meets in (
        (estimate.p_above(threshold), estimate.lower(confidence), np.greater_equal),
        (estimate.p_below(threshold), estimate.upper(confidence), np.less),
    ):
        if inside and abs(p - (1 - confidence)) > 1e-6:
            assert (p < 1 - confidence) == meets(bound, threshold)


def test_where_the_acceleration_leaves_no_bound_it_is_the_end() -> None:
    steep = BootstrapEstimate(value=0, resampled=EVEN, acceleration=0.8)
    other = BootstrapEstimate(value=0, resampled=EVEN, acceleration=-0.8)

    assert steep.upper(0.95) == 999
    assert other.lower(0.95) == 1
    assert steep.p_above(2) == 0
    assert other.p_below(998) == 0


def test_the_bias_is_found_where_the_observed_value_stands() -> None:
    assert bca_estimate(500, EVEN, 0).bias == pytest.approx(0, abs=1e-12)
    assert bca_estimate(841.5, EVEN, 0).bias == pytest.approx(1, abs=0.01)
    assert bca_estimate(3, np.full(99, 3.0), 0).bias == pytest.approx(0, abs=1e-12)
    assert np.isfinite(bca_estimate(5000, EVEN, 0).bias)


def test_drawn_cases_are_all_cases_equally_often_and_the_seed_decides() -> None:
    def places(drawn: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Floats:
        return drawn.astype(np.float64)

    rows = resample(7, 3000, 1, places)

    assert rows.shape == (3000, 7)
    assert np.bincount(rows.astype(int).ravel()) / rows.size == pytest.approx(np.full(7, 1 / 7), abs=0.01)
    assert np.array_equal(rows, resample(7, 3000, 1, places))
    assert not np.array_equal(rows, resample(7, 3000, 2, places))


def test_tossed_coins_are_fair_for_any_number_of_cases() -> None:
    rows = swap(11, 3000, 1, lambda coins: coins)

    assert rows.shape == (3000, 11)
    assert set(np.unique(rows)) == {0, 1}
    assert rows.mean(axis=0) == pytest.approx(np.full(11, 0.5), abs=0.05)


def test_more_numbers_than_are_held_at_once_come_in_pieces() -> None:
    sizes: list[int] = []

    def count(drawn: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Floats:
        sizes.append(len(drawn))
        return np.zeros(len(drawn))

    assert len(resample(2_000_000, 5, 1, count)) == 5
    assert sizes == [2, 2, 1]

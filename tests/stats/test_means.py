"""Means of graded values: scipy's BCa, Fisher's example, and what must hold of any bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.few_changes import FewChangesEstimate
from pytest_ftgate.stats.means import bca_mean, difference_estimate, mean_estimate, sign_flip_p
from pytest_ftgate.stats.unseen import UnseenEstimate

#: Darwin's Zea mays, crossed minus self-fertilized, in eighths of an inch (Fisher 1935, table 3).
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def test_the_sign_flip_test_is_that_of_fisher_1935() -> None:
    # 863 of the 32,768 splits give so large a sum, and as many so small a one: 5.267 %.
    assert sign_flip_p(DARWIN, seed=1) == 2 * 863 / 2**15


def test_sampled_sign_flips_come_near_scipys() -> None:
    differences = np.random.default_rng(3).normal(0.05, 0.2, size=60)

    expected = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=20_000, rng=1
    ).pvalue

    assert sign_flip_p(list(differences), seed=1, resamples=20_000) == pytest.approx(expected, abs=0.01)


def test_cases_that_do_not_differ_say_nothing_and_p_is_never_zero() -> None:
    assert sign_flip_p([0.0] * 10, seed=1) == 1
    assert sign_flip_p([], seed=1) == 1
    assert sign_flip_p([0.5] * 3 + [0.0] * 50, seed=1) == 0.25
    assert sign_flip_p([1.0] * 100, seed=1, resamples=500) == 1 / 501


@pytest.mark.parametrize("size", [-0.04, 0.5])
def test_ten_equal_differences_do_not_show_that_all_are(size: float) -> None:
    few = difference_estimate([size] * 10, seed=1)
    turned = difference_estimate([-size] * 10, seed=1)

    # Of ten cases, up to 25.9 % of all may be others: as bad, or as good, as a case can be.
    assert few.lower(0.95) == pytest.approx(size - (size + 1) * 0.2589, abs=1e-4)
    assert few.upper(0.95) == pytest.approx(size + (1 - size) * 0.2589, abs=1e-4)
    assert interval(turned, 0.95) == pytest.approx([-bound for bound in interval(few, 0.95)[::-1]])


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), max_size=12))
def test_exchanging_the_arms_changes_no_sign_flip_p(differences: list[float]) -> None:
    assert sign_flip_p(differences, seed=1) == sign_flip_p([-value for value in differences], seed=1)


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_bca_is_that_of_scipy(confidence: float) -> None:
    values = np.random.default_rng(5).beta(6, 1.5, size=40)

    expected = stats.bootstrap(
        (values,), np.mean, confidence_level=confidence, method="BCa", n_resamples=40_000, rng=1
    ).confidence_interval

    plain = replace(bca_mean(list(values), seed=2, resamples=40_000), cases=None)
    found = interval(plain, confidence)
    width = expected.high - expected.low
    assert found == pytest.approx((expected.low, expected.high), abs=0.02 * width)


def test_bounds_are_wider_where_few_values_tell() -> None:
    distinct = [place / 40 for place in range(40)]
    mostly_equal = [0.5] * 35 + [0.1, 0.2, 0.9, 0.8, 0.7]

    assert bca_mean(distinct, seed=1).cases == 40
    assert bca_mean(mostly_equal, seed=1).cases == 6
    low, high = interval(bca_mean(mostly_equal, seed=1), 0.95)
    inner_low, inner_high = interval(replace(bca_mean(mostly_equal, seed=1), cases=None), 0.95)
    assert low < inner_low < inner_high < high


def test_fewer_than_five_changes_are_bounded_exactly() -> None:
    differences = [0.3, -0.1, 0.2, -1.0] + [0.0] * 26

    estimate = difference_estimate(differences, seed=1)

    assert estimate == FewChangesEstimate(value=float(np.mean(differences)), below=2, above=2, n=30)
    assert isinstance(difference_estimate([*differences, 0.1], seed=1), UnseenEstimate)


def test_a_mean_with_few_cases_off_the_commonest_value_is_bounded_exactly() -> None:
    estimate = mean_estimate([1.0] * 20 + [0.5, 0.0], seed=1)

    assert estimate == FewChangesEstimate(
        value=20.5 / 22, below=2, above=0, n=22, common=1.0, least=0.0, most=1.0
    )
    assert isinstance(mean_estimate([1.0] * 20 + [0.1, 0.2, 0.3, 0.4, 0.5], seed=1), UnseenEstimate)


def test_of_equally_common_values_the_highest_is_the_common_one() -> None:
    estimate = mean_estimate([1.0, 0.0], seed=1)

    assert estimate == FewChangesEstimate(value=0.5, below=1, above=0, n=2, common=1.0, least=0.0, most=1.0)


def test_equal_values_have_a_bca_without_width() -> None:
    assert interval(bca_mean([0.25] * 8, seed=1, resamples=100), 0.95) == (0.25, 0.25)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0.8, 0.99))
def test_bounds_lie_where_values_can(values: list[float], confidence: float) -> None:
    low, high = interval(mean_estimate(values, seed=1, resamples=200), confidence)

    assert -1e-12 <= low <= high <= 1 + 1e-12


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=5, max_size=40))
def test_the_same_seed_gives_the_same_bounds(differences: list[float]) -> None:
    first, second = (difference_estimate(differences, seed=7, resamples=100) for _ in range(2))

    assert interval(first, 0.95) == interval(second, 0.95)


def test_the_95_percent_interval_of_graded_differences_covers_as_it_should() -> None:
    random = np.random.default_rng(11)
    covered = 0
    for run in range(400):
        differences = np.clip(random.normal(0.05, 0.3, size=150), -1, 1) * (random.random(150) < 0.6)
        low, high = interval(difference_estimate(list(differences), seed=run, resamples=600), 0.95)
        covered += low <= 0.03 <= high

    # The clipped mean is 0.0300 to four digits; three standard errors of 400 runs are 3.3 points.
    assert covered / 400 == pytest.approx(0.945, abs=0.035)

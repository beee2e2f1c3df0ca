"""The normal and the binomial distribution against scipy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from pytest_ftgate.stats.distributions import (
    beta_cdf,
    binomial_at_least,
    binomial_at_most,
    binomial_exactly,
    crossing,
    normal_cdf,
    normal_quantile,
    student_cdf,
    student_quantile,
)

RATES = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(1e-6, 1 - 1e-6))


@settings(deadline=None)
@given(st.floats(-8, 8))
def test_normal_shares_are_those_of_scipy(z: float) -> None:
    assert normal_cdf(z) == pytest.approx(stats.norm.cdf(z), rel=1e-12, abs=1e-300)


@settings(deadline=None)
@given(st.floats(1e-9, 1 - 1e-9))
def test_normal_quantiles_are_those_of_scipy(share: float) -> None:
    assert normal_quantile(share) == pytest.approx(stats.norm.ppf(share), rel=1e-9, abs=1e-9)


def test_quantiles_at_the_ends_are_infinite_and_come_back() -> None:
    assert (normal_quantile(0), normal_quantile(1)) == (-math.inf, math.inf)
    assert (normal_cdf(-math.inf), normal_cdf(math.inf)) == (0, 1)


@settings(deadline=None)
@given(st.integers(1, 5000), st.floats(0.0005, 0.9995))
def test_students_distribution_is_that_of_scipy(degrees: int, share: float) -> None:
    t = student_quantile(share, degrees)

    assert t == pytest.approx(stats.t.ppf(share, degrees), rel=1e-6, abs=1e-6)
    assert student_cdf(t, degrees) == pytest.approx(share, abs=1e-9)
    assert student_quantile(1, degrees) == math.inf


@settings(deadline=None)
@given(st.floats(-0.1, 1.1), st.floats(0.1, 20_000), st.floats(0.1, 20_000))
def test_the_incomplete_beta_function_is_that_of_scipy(x: float, a: float, b: float) -> None:
    expected = special.betainc(a, b, min(max(x, 0), 1))

    assert beta_cdf(x, a, b) == pytest.approx(expected, rel=1e-7, abs=1e-10)


@settings(deadline=None)
@given(st.integers(0, 200), st.data(), RATES)
def test_binomial_probabilities_are_those_of_scipy(n: int, data: st.DataObject, rate: float) -> None:
    k = data.draw(st.integers(0, n))

    assert binomial_at_most(k, n, rate) == pytest.approx(stats.binom.cdf(k, n, rate), abs=1e-11)
    assert binomial_at_least(k, n, rate) == pytest.approx(stats.binom.sf(k - 1, n, rate), abs=1e-11)
    assert binomial_exactly(k, n, rate) == pytest.approx(stats.binom.pmf(k, n, rate), abs=1e-11)


def test_counts_out_of_reach_are_certain_or_impossible() -> None:
    assert (binomial_at_most(-1, 5, 0.5), binomial_at_most(5, 5, 0.5)) == (0, 1)
    assert (binomial_at_least(0, 5, 0.5), binomial_at_least(6, 5, 0.5)) == (1, 0)


def test_a_crossing_is_found_to_the_precision_asked_for() -> None:
    assert crossing(lambda x: x * x > 2, 0, 2) == pytest.approx(math.sqrt(2), abs=1e-14)
    assert crossing(lambda x: x * x > 2, 0, 2, to=0.5) == pytest.approx(math.sqrt(2), abs=0.5)


def test_a_crossing_among_large_numbers_ends_where_floats_do() -> None:
    assert crossing(lambda x: x > 1e9 + 1, 0, 4e9) == pytest.approx(1e9 + 1)

"""Bounds of one rate: published tables, scipy, and what must hold of any bound."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.rates import ExactRateEstimate, RateEstimate

CONFIDENCES = st.floats(0.6, 0.999)
THRESHOLDS = st.floats(0.01, 0.99)
COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("passed", "n", "wilson", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_intervals_are_those_of_newcombe_1998_table_1(
    passed: int, n: int, wilson: tuple[float, float], exact: tuple[float, float]
) -> None:
    assert interval(RateEstimate(passed=passed, n=n), 0.95) == pytest.approx(wilson, abs=5e-5)
    assert interval(ExactRateEstimate(passed=passed, n=n), 0.95) == pytest.approx(exact, abs=5e-5)


@settings(deadline=None)
@given(COUNTS, st.floats(0.6, 0.999))
def test_intervals_are_those_of_scipy(counts: tuple[int, int], confidence: float) -> None:
    passed, n = counts
    oracle = stats.binomtest(passed, n)

    for method, estimate in (
        ("wilson", RateEstimate(passed=passed, n=n)),
        ("exact", ExactRateEstimate(passed=passed, n=n)),
    ):
        expected = oracle.proportion_ci(confidence, method=method)
        assert interval(estimate, confidence) == pytest.approx((expected.low, expected.high), abs=1e-9)


@settings(deadline=None)
@given(COUNTS, THRESHOLDS)
def test_exact_p_values_are_those_of_the_binomial_test(counts: tuple[int, int], threshold: float) -> None:
    passed, n = counts
    estimate = ExactRateEstimate(passed=passed, n=n)

    below = stats.binomtest(passed, n, threshold, alternative="less").pvalue
    above = stats.binomtest(passed, n, threshold, alternative="greater").pvalue

    assert estimate.p_below(threshold) == pytest.approx(below, abs=1e-10)
    assert estimate.p_above(threshold) == pytest.approx(above, abs=1e-10)


@pytest.mark.parametrize("kind", [RateEstimate, ExactRateEstimate])
@settings(deadline=None)
@given(counts=COUNTS, threshold=THRESHOLDS, confidence=CONFIDENCES)
def test_bounds_and_p_values_agree(
    kind: type[RateEstimate | ExactRateEstimate],
    counts: tuple[int, int],
    threshold: float,
    confidence: float,
) -> None:
    passed, n = counts
    estimate = kind(passed=passed, n=n)

    for p, bound, beyond in (
        (estimate.p_above(threshold), estimate.lower(confidence), 1),
        (estimate.p_below(threshold), estimate.upper(confidence), -1),
    ):
        if abs(bound - threshold) > 1e-9:
            assert (p < 1 - confidence) == ((bound - threshold) * beyond > 0)


@pytest.mark.parametrize("kind", [RateEstimate, ExactRateEstimate])
def test_no_count_shows_the_whole_and_any_shows_nothing(kind: type[RateEstimate | ExactRateEstimate]) -> None:
    none, some, every = (kind(passed=passed, n=10) for passed in (0, 7, 10))

    assert (some.p_above(0), none.p_above(0)) == (0, 0)
    assert (some.p_below(1), every.p_below(1)) == (0, 1)
    assert (every.p_above(1), every.upper(0.95), none.lower(0.95)) == (1, 1, 0)
    assert some.p_below(0) == 1
    assert some.value == 0.7


@settings(deadline=None)
@given(COUNTS, CONFIDENCES)
def test_one_more_pass_raises_both_bounds_and_failures_mirror_passes(
    counts: tuple[int, int], confidence: float
) -> None:
    passed, n = counts
    for kind in (RateEstimate, ExactRateEstimate):
        now, more = kind(passed=passed, n=n + 1), kind(passed=passed + 1, n=n + 1)
        failures = kind(passed=n + 1 - passed, n=n + 1)

        assert 0 <= now.lower(confidence) <= now.value <= now.upper(confidence) <= 1
        assert now.lower(confidence) <= more.lower(confidence)
        assert now.upper(confidence) <= more.upper(confidence)
        assert now.lower(confidence) == pytest.approx(1 - failures.upper(confidence), abs=1e-12)


def test_recorded_answers_do_not_show_ninety_percent() -> None:
    adversarial = RateEstimate(passed=128, n=139)

    assert adversarial.value > 0.92
    assert adversarial.lower(0.95) < 0.9 < adversarial.upper(0.95)


def test_shares_of_repeats_have_bounds_too() -> None:
    low, high = interval(RateEstimate(passed=7.5, n=10), 0.95)

    assert interval(RateEstimate(passed=7, n=10), 0.95) < (low, high)
    assert (low, high) < interval(RateEstimate(passed=8, n=10), 0.95)

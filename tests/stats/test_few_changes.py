"""Bounds where nearly all cases have one value."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.few_changes import FewChangesEstimate, cases_to_decide
from pytest_ftgate.stats.rates import ExactRateEstimate


def test_ten_identical_pairs_are_not_without_width() -> None:
    estimate = FewChangesEstimate(value=0, below=0, above=0, n=10)

    # 0 of 10: the upper bound is 1 - 0.025 ** (1 / 10).
    assert interval(estimate, 0.95) == pytest.approx((-0.3085, 0.3085), abs=5e-5)


def test_losses_bound_below_and_wins_above() -> None:
    estimate = FewChangesEstimate(value=-0.02, below=3, above=1, n=40)

    assert estimate.lower(0.975) == -ExactRateEstimate(passed=3, n=40).upper(0.975)
    assert estimate.upper(0.975) == ExactRateEstimate(passed=1, n=40).upper(0.975)


def test_a_mean_near_its_common_value_is_bounded_by_how_far_cases_can_lie() -> None:
    estimate = FewChangesEstimate(value=0.78, below=2, above=0, n=50, common=0.8, least=0.0, most=1.0)

    assert estimate.lower(0.95) == pytest.approx(0.8 - 0.8 * ExactRateEstimate(passed=2, n=50).upper(0.95))
    assert estimate.upper(0.95) == pytest.approx(0.8 + 0.2 * ExactRateEstimate(passed=0, n=50).upper(0.95))


def test_where_all_are_at_the_end_there_is_nothing_beyond() -> None:
    estimate = FewChangesEstimate(value=1, below=0, above=0, n=20, common=1.0, least=0.0, most=1.0)

    assert estimate.upper(0.95) == 1
    assert (estimate.p_below(1.0), estimate.p_below(1.1), estimate.p_above(1.0)) == (1, 0, 1)


@settings(deadline=None)
@given(
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(10, 300),
    st.floats(0.6, 0.999),
    st.floats(-1.2, 1.2),
)
def test_bounds_and_p_values_agree(
    below: int, above: int, n: int, confidence: float, threshold: float
) -> None:
    estimate = FewChangesEstimate(value=(above - below) / n, below=below, above=above, n=n)

    for p, bound, beyond in (
        (estimate.p_above(threshold), estimate.lower(confidence), 1),
        (estimate.p_below(threshold), estimate.upper(confidence), -1),
    ):
        if abs(bound - threshold) > 1e-9:
            assert (p < 1 - confidence) == ((bound - threshold) * beyond > 0)


@pytest.mark.parametrize(
    ("threshold", "confidence", "cases"),
    [(-0.05, 0.95, 59), (-0.01, 0.95, 299), (-0.1, 0.9, 22), (0.3, 0.95, 9)],
)
def test_without_changes_the_cases_that_decide_are_exact(
    threshold: float, confidence: float, cases: int
) -> None:
    seen = FewChangesEstimate(value=0.0, below=0, above=0, n=5)
    assert cases_to_decide(seen, threshold, confidence) == cases

    def decides(n: int) -> bool:
        then = replace(seen, n=n)
        return (then.p_above(threshold) if threshold < 0 else then.p_below(threshold)) <= 1 - confidence

    assert decides(cases)
    assert not decides(cases - 1)


def test_with_changes_it_takes_enough_to_resample_and_as_many_as_a_mean_needs() -> None:
    # 4 of 20 cases failed one repeat of three.
    seen = FewChangesEstimate(value=14 / 15, below=4, above=0, n=20, common=1.0, least=0.0)

    assert cases_to_decide(seen, 0.8, 0.95) == 35
    # Standard deviation 0.133, 1.645 + 0.842 standard errors within 1.33 points.
    assert cases_to_decide(seen, 0.92, 0.95) == pytest.approx((2.4865 * 0.13333 / 0.013333) ** 2, abs=1)
    assert cases_to_decide(seen, 0.95, 0.95) == pytest.approx((2.4865 * 0.13333 / 0.016667) ** 2, abs=1)


def test_a_threshold_between_the_mean_and_the_common_value_takes_changes_to_resample() -> None:
    seen = FewChangesEstimate(value=0.69, below=0, above=2, n=20, common=0.68, least=0.0)

    # None lies below, so of 24 cases at most 11.7 % do, and move the mean by 0.68 each.
    assert cases_to_decide(seen, 0.6, 0.95) == 24
    # A tenth of the cases are off by 0.1, and no bound of shares comes in under the common value.
    assert cases_to_decide(seen, 0.685, 0.95) == pytest.approx((2.4865 * 0.03 / 0.005) ** 2, abs=1)


def test_a_threshold_that_no_case_can_cross_takes_one_case() -> None:
    assert cases_to_decide(FewChangesEstimate(value=0.0, below=0, above=0, n=9), 1.0, 0.95) == 1

"""What of several answers passes, and where their spread comes from."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_ftgate.stats.repeats import majority, pass_all, pass_at, spread

COUNTS = st.integers(1, 8).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(1, n)))


@settings(deadline=None)
@given(COUNTS)
def test_chances_are_shares_of_all_draws(counts: tuple[int, int, int]) -> None:
    passed, n, k = counts
    draws = list(combinations([True] * passed + [False] * (n - passed), k))

    assert pass_at(k, passed=passed, n=n) == Fraction(sum(map(any, draws)), len(draws))
    assert pass_all(k, passed=passed, n=n) == Fraction(sum(map(all, draws)), len(draws))


@pytest.mark.parametrize(("n", "passed", "k"), [(200, 13, 10), (100, 1, 100), (20, 20, 1), (10, 0, 5)])
def test_pass_at_is_the_product_that_chen_et_al_2021_compute(n: int, passed: int, k: int) -> None:
    product = prod(1 - k / m for m in range(n - passed + 1, n + 1)) if n - passed >= k else 0

    assert float(pass_at(k, passed=passed, n=n) or 0) == pytest.approx(1 - product)


def test_more_draws_than_answers_are_undefined() -> None:
    assert pass_at(4, passed=3, n=3) is None
    assert pass_all(4, passed=3, n=3) is None


def test_a_majority_is_more_than_half() -> None:
    assert [majority(passed=passed, n=4) for passed in (1, 2, 3)] == [False, False, True]
    assert majority(passed=0, n=0) is None


def test_variances_are_those_of_the_analysis_of_variance() -> None:
    cases = [[1.0, 0.8, 0.9], [0.2, 0.4, 0.3], [0.6, 0.5, 0.7]]

    found = spread(cases)

    assert found is not None
    f = stats.f_oneway(*cases).statistic
    assert found.within == pytest.approx(0.01)
    assert found.between == pytest.approx((f - 1) * found.within / 3)


def test_cases_with_unequal_repeats_weigh_by_them_and_empty_ones_not_at_all() -> None:
    found = spread([[1.0, 1.0, 0.0], [], [0.0]])

    assert found is not None
    assert found.within == pytest.approx((2 / 3) / 2)
    # Among: 3 (2/3 - 1/2)² + (0 - 1/2)²; a typical case has 4 - 10/4 repeats.
    assert found.between == pytest.approx((1 / 3 - 1 / 3) / 1.5, abs=1e-12)


def test_noise_alone_has_no_variance_between_cases() -> None:
    found = spread([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])

    assert found is not None
    assert (found.within, found.between) == (0.5, 0)


@pytest.mark.parametrize("cases", [[], [[1.0, 0.0]], [[1.0], [0.0]], [[], [1.0, 0.0]]])
def test_one_case_or_one_repeat_each_tells_no_variances(cases: list[list[float]]) -> None:
    assert spread(cases) is None

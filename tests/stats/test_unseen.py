"""What a mean of graded values may hide: no bound is surer than that of as many passes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.stats.means import bca_mean, difference_estimate, mean_estimate
from pytest_ftgate.stats.rates import ExactRateEstimate
from pytest_ftgate.stats.unseen import with_unseen

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def with_a_low_share(random: np.random.Generator, n: int) -> list[float]:
    """Scores near 0.98, of which 5 % are 0.2: 0.941 on average."""
    high = random.uniform(0.97, 0.99, size=n)
    return list(np.where(random.random(n) < 0.05, 0.2, high))


def with_a_bad_drop(random: np.random.Generator, n: int) -> list[float]:
    """Differences near 0, of which 5 % are -0.8: -0.04 on average."""
    return list(np.where(random.random(n) < 0.05, -0.8, random.uniform(-0.01, 0.01, size=n)))


@pytest.mark.parametrize("n", [10, 20, 50])
@pytest.mark.parametrize(
    ("drawn", "estimate", "truth"),
    [(with_a_low_share, mean_estimate, 0.941), (with_a_bad_drop, difference_estimate, -0.04)],
    ids=["scores", "differences"],
)
def test_a_rare_failure_that_was_not_drawn_is_allowed_for(
    drawn: Callable[[np.random.Generator, int], list[float]],
    estimate: Callable[..., Estimate],
    truth: float,
    n: int,
) -> None:
    random = np.random.default_rng(n)

    beyond = sum(
        estimate(drawn(random, n), seed=run, resamples=200).lower(0.95) > truth + 1e-9 for run in range(200)
    )

    # 5 % of 200 are 10; 17 are two standard errors more. Resampling alone gives 120, 80 and 18.
    assert beyond <= 17


@settings(deadline=None)
@given(VALUES, st.floats(0.8, 0.99))
def test_no_mean_is_surer_than_as_many_passes(values: list[float], confidence: float) -> None:
    n = len(values)
    found = mean_estimate(values, seed=1, resamples=100)

    assert found.lower(confidence) <= ExactRateEstimate(passed=n, n=n).lower(confidence) + 1e-9
    assert found.upper(confidence) >= ExactRateEstimate(passed=0, n=n).upper(confidence) - 1e-9


@settings(deadline=None)
@given(VALUES, st.floats(0.8, 0.99), st.floats(0, 1))
def test_bounds_and_p_values_agree(values: list[float], confidence: float, threshold: float) -> None:
    estimate = with_unseen(
        ExactRateEstimate(passed=len(values) // 2, n=len(values)),
        value=float(np.mean(values)),
        n=len(values),
        least=0.0,
        most=1.0,
    )
    gaps = (estimate.lower(confidence) - threshold, estimate.upper(confidence) - threshold)
    if min(map(abs, gaps)) < 1e-9:
        return

    assert (gaps[0] > 0) is (estimate.p_above(threshold) <= 1 - confidence)
    assert (gaps[1] < 0) is (estimate.p_below(threshold) <= 1 - confidence)


def test_many_cases_are_bounded_as_resampling_has_it() -> None:
    values = list(np.random.default_rng(4).normal(0.7, 0.1, size=200))

    assert mean_estimate(values, seed=1).lower(0.95) == bca_mean(values, seed=1).lower(0.95)


def test_few_cases_are_bounded_by_what_was_not_seen() -> None:
    values = [0.97 + place / 500 for place in range(10)]

    # Up to 25.9 % of all cases may be of a kind of which none was among ten, and score 0.
    assert mean_estimate(values, seed=1).lower(0.95) == pytest.approx(0.979 * 0.05 ** (1 / 10))

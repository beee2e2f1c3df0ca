"""Percentiles of times and their ratio: the exact bootstrap distribution, and what must hold of any bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.percentiles import delta_estimates, percentile_estimates, ratio_estimates
from pytest_ftgate.summary.latencies import PERCENTILES, nearest_rank

TIMES = st.lists(st.floats(0.01, 60), min_size=1, max_size=50)


def test_resampled_ranks_have_their_exact_distribution() -> None:
    n, percent = 40, 90
    estimate = percentile_estimates(
        [float(place) for place in range(1, n + 1)], [percent], seed=1, resamples=20_000
    )[percent]

    # The 36th of 40 drawn times is at most j if at least 36 draws are: a binomial tail.
    for place in (33, 36, 38):
        share = np.mean(estimate.resampled <= place)
        assert share == pytest.approx(stats.binom.sf(35, n, place / n), abs=0.015)


@settings(deadline=None)
@given(TIMES)
def test_what_is_observed_is_the_summarys_nearest_rank(times: list[float]) -> None:
    found = percentile_estimates(times, PERCENTILES, seed=1, resamples=10)

    ordered = sorted(times)
    assert {percent: estimate.value for percent, estimate in found.items()} == {
        percent: nearest_rank(ordered, percent) for percent in PERCENTILES
    }


@settings(deadline=None)
@given(TIMES, st.floats(0.1, 10))
def test_a_baseline_in_proportion_has_a_ratio_without_doubt(times: list[float], factor: float) -> None:
    estimates = ratio_estimates([factor * time for time in times], times, (50, 99), seed=1, resamples=50)

    for estimate in estimates.values():
        assert (estimate.value, *interval(estimate, 0.95)) == pytest.approx((factor, factor, factor))


def test_pairing_is_kept_through_any_order_of_calls() -> None:
    random = np.random.default_rng(2)
    slow = random.lognormal(0, 1, size=300)
    model = slow * 1.2 + random.normal(0, 0.001, size=300)

    paired = delta_estimates(list(model), list(slow), (50,), seed=1)[50]
    shuffled = delta_estimates(list(model), list(random.permutation(slow)), (50,), seed=1)[50]

    widths = [high - low for low, high in (interval(paired, 0.95), interval(shuffled, 0.95))]
    assert widths[0] < widths[1] / 2
    assert paired.value == pytest.approx(np.sort(model)[149] - np.sort(slow)[149])


def test_a_ratio_of_percentiles_is_covered_as_often_as_it_should() -> None:
    random = np.random.default_rng(9)
    covered = 0
    for run in range(300):
        common = random.lognormal(0, 0.4, size=200)
        model, baseline = (common * random.lognormal(0, 0.3, size=200) for _ in range(2))
        estimate = ratio_estimates(list(2 * model), list(baseline), (90,), seed=run, resamples=300)[90]
        low, high = interval(estimate, 0.95)
        covered += low <= 2 <= high

    assert 0.92 <= covered / 300 <= 0.995

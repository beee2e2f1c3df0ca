from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_ftgate.stats.any_statistic import MOST_DRAWS, statistic_estimate
from pytest_ftgate.stats.means import bca_mean

VALUES = [0.1, 0.9, 0.4, 0.7, 0.3, 0.8, 0.6, 0.5, 0.2, 0.95] * 4


def mean(drawn: Sequence[int]) -> float:
    return sum(VALUES[case] for case in drawn) / len(drawn)


def test_a_mean_gets_about_the_bounds_that_means_have() -> None:
    found = statistic_estimate(mean, len(VALUES), seed=1)
    known = bca_mean(VALUES, seed=2)

    assert found is not None
    assert found.value == pytest.approx(known.value)
    assert found.lower(0.95) == pytest.approx(known.lower(0.95), abs=0.02)
    assert found.upper(0.95) == pytest.approx(known.upper(0.95), abs=0.02)


def test_the_seed_decides_the_resamples() -> None:
    one, again, other = (statistic_estimate(mean, len(VALUES), seed=seed) for seed in (1, 1, 2))

    assert one is not None
    assert again is not None
    assert other is not None
    assert list(one.resampled) == list(again.resampled)
    assert list(one.resampled) != list(other.resampled)


def test_too_many_cases_are_not_resampled() -> None:
    assert statistic_estimate(lambda _: 1.0, MOST_DRAWS // 100, seed=1) is None
    assert statistic_estimate(lambda _: 1.0, MOST_DRAWS // 5000, seed=1) is not None


def test_a_number_that_is_not_always_there_has_no_bounds() -> None:
    assert statistic_estimate(lambda drawn: None if 0 not in drawn else 1.0, 20, seed=1) is None

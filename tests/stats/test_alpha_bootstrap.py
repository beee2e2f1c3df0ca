"""Bounds of agreement: the estimate is the exact one, the bounds those of a plain bootstrap."""

from __future__ import annotations

import random

import pytest

from pytest_ftgate.stats.agreement import krippendorff_alpha
from pytest_ftgate.stats.alpha_bootstrap import alpha_estimate
from pytest_ftgate.stats.estimates import interval

#: The nominal data of Krippendorff 2011, section C: four observers, twelve units, alpha 0.743.
_OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
UNITS = [
    unit for column in zip(*_OBSERVERS, strict=True) if len(unit := "".join(column).replace(".", "")) > 1
]


def counts_of(units: list[str]) -> list[list[int]]:
    return [[unit.count(label) for label in "12345"] for unit in units]


def test_the_estimate_of_krippendorffs_example_is_the_published_one() -> None:
    found = alpha_estimate(counts_of(UNITS), seed=1)

    assert found is not None
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert found.value == pytest.approx(krippendorff_alpha(UNITS))


def test_the_bounds_are_those_of_resampling_units_one_by_one() -> None:
    draws = random.Random(7)
    resampled = sorted(
        value
        for _ in range(2000)
        if (value := krippendorff_alpha(draws.choices(UNITS, k=len(UNITS)))) is not None
    )

    found = alpha_estimate(counts_of(UNITS), seed=1)

    assert found is not None
    assert interval(found, 0.95) == pytest.approx((resampled[49], resampled[1949]), abs=0.05)


@pytest.mark.parametrize("units", [["11", "11"], ["11"] * 9 + ["12"]])
def test_labels_that_hardly_differ_have_no_bounds(units: list[str]) -> None:
    assert alpha_estimate(counts_of(units), seed=1) is None

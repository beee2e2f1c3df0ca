from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.gates import Status
from pytest_ftgate.reports.lines import cells, shorten, shorten_middle, wrap
from pytest_ftgate.reports.numbers import (
    amount,
    count,
    fixed,
    observed,
    observed_interval,
    p_value,
    percent,
    percent_interval,
    points,
    points_interval,
)
from tests.reports.samples import criterion


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (None, "-"),
        (Fraction(0), "0.0%"),
        (Fraction(1), "100.0%"),
        (Fraction(5, 6), "83.3%"),
        (Fraction(1999, 2000), ">99.9%"),
        (Fraction(1, 3000), "<0.1%"),
        (0.5, "50.0%"),
    ],
)
def test_percent_never_rounds_to_all_or_nothing(rate: Fraction | float | None, shown: str) -> None:
    assert percent(rate) == shown


@pytest.mark.parametrize(
    ("delta", "shown"),
    [
        (None, "-"),
        (Fraction(0), "0.0"),
        (Fraction(4, 25), "+16.0"),
        (Fraction(-1, 5), "-20.0"),
        (Fraction(-1, 9999), "-0.0"),
    ],
)
def test_points_have_their_sign(delta: Fraction | None, shown: str) -> None:
    assert points(delta) == shown


def test_counts_are_whole_unless_repeats_disagree() -> None:
    assert [count(Fraction(5)), count(Fraction(14, 3))] == ["5", "4.67"]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"observed": Fraction(5, 6)}, "83.3%"),
        ({"observed": Fraction(5, 6), "threshold": "≥ 0.9"}, "83.3%"),
        ({"observed": Fraction(4, 25), "compare": "delta", "threshold": "≥ 5%"}, "+16.0 points"),
        ({"observed": Fraction(-1, 5), "compare": "delta", "threshold": "≥ -5%"}, "-20.0 points"),
        (
            {"observed": Fraction(3, 2), "compare": "ratio", "metric": ("latency_p99",), "threshold": "≤ 2"},
            "1.50x",
        ),
        ({"observed": 0.8314, "metric": ("latency_p99",), "threshold": "≤ 1.5"}, "0.831 s"),
        ({"observed": Fraction(311, 2), "metric": ("tokens",), "threshold": "≤ 200"}, "155.50"),
        ({"observed": Fraction(1, 3), "metric": ("mean:bleu",), "threshold": "≥ 0.3"}, "0.333"),
        ({"observed": None}, "-"),
        ({"observed": float("nan")}, "-"),
        ({"observed": float("inf")}, "-"),
    ],
)
def test_what_was_observed_is_shown_in_its_unit(changes: dict[str, Any], shown: str) -> None:
    assert observed(criterion("c", Status.GO, **changes)) == shown


@pytest.mark.parametrize(
    ("value", "threshold", "shown"),
    [
        (Fraction(89996, 100000), "≥ 90%", "89.996%"),
        (Fraction(9, 10), "≥ 90%", "90.0%"),
        (Fraction(89996, 100000), "≥ 0.9", "89.996%"),
        (Fraction(949, 1000), "≥ 90%", "94.9%"),
    ],
)
def test_a_miss_is_never_shown_as_its_threshold(value: Fraction, threshold: str, shown: str) -> None:
    assert observed(criterion("c", Status.NO_GO, observed=value, threshold=threshold)) == shown


@given(st.fractions(-10, 10), st.integers(0, 6))
@settings(deadline=None)
def test_fixed_is_within_half_a_unit(value: Fraction, decimals: int) -> None:
    assert abs(Fraction(fixed(value, decimals)) - value) <= Fraction(1, 2 * 10**decimals)


@given(st.text(max_size=80), st.integers(2, 40))
@settings(deadline=None)
def test_shortened_texts_fit(text: str, width: int) -> None:
    assert cells(shorten(text, width)) <= width
    assert cells(shorten_middle(text, width)) <= width


@given(st.text(max_size=300), st.integers(8, 40), st.integers(1, 5))
@settings(deadline=None)
def test_wrapped_texts_fit(text: str, width: int, max_lines: int) -> None:
    rows = wrap(text, width, max_lines=max_lines)

    assert len(rows) <= max_lines
    assert all(cells(row) <= width for row in rows)


@given(st.text(max_size=300))
@settings(deadline=None)
def test_wrapping_loses_nothing_but_spaces(text: str) -> None:
    assert "".join("".join(wrap(text, 12, max_lines=1000)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("bounds", "shown"),
    [
        ((0.44, 0.97), "[44%, 97%]"),
        ((0.0, 0.3), "[0%, 30%]"),
        ((0.72, 1.0), "[72%, 100%]"),
        ((0.001, 0.998), "[<1%, >99%]"),
        ((0.912, 0.934), "[91.2%, 93.4%]"),
        ((0.99999, 1.0), "[>99.9%, 100.0%]"),
        ((-0.05, 0.24), "[-5%, 24%]"),
    ],
)
def test_an_interval_of_a_rate_never_reaches_an_end_that_it_does_not(
    bounds: tuple[float, float], shown: str
) -> None:
    assert percent_interval(bounds) == shown


@pytest.mark.parametrize(
    ("bounds", "shown"),
    [
        ((0.087, 0.354), "[+9, +35]"),
        ((-0.126, 0.3), "[-13, +30]"),
        ((-0.003, 0.3), "[-0, +30]"),
        ((0.003, 0.3), "[+0, +30]"),
        ((0.0, 0.3), "[0, +30]"),
        ((-0.012, 0.035), "[-1.2, +3.5]"),
        ((-1.0, 1.0), "[-100, +100]"),
    ],
)
def test_an_interval_of_a_difference_keeps_the_side_of_zero(bounds: tuple[float, float], shown: str) -> None:
    assert points_interval(bounds) == shown


@pytest.mark.parametrize(
    ("p", "shown"), [(0.2890625, "0.289"), (1.0, "1.000"), (0.0004, "<0.001"), (None, "-")]
)
def test_p_values_have_three_decimals(p: float | None, shown: str) -> None:
    assert p_value(p) == shown


@pytest.mark.parametrize(
    ("value", "bounds", "shown"),
    [
        (0.2104, (0.2, 0.2221), "0.210 [0.200, 0.222]"),
        (Fraction(21, 20), (0.98, 1.1234), "1.05 [0.98, 1.12]"),
        (153.6, None, "154"),
        (0.000123456, None, "0.000123"),
        (0, None, "0"),
    ],
)
def test_quantities_have_three_digits_that_count(
    value: Fraction | float, bounds: tuple[float, float] | None, shown: str
) -> None:
    assert amount(value, bounds) == shown


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"compare": "delta", "interval": (-0.02, 0.35)}, "[-2, +35] points"),
        ({"interval": (0.44, 0.97)}, "[44%, 97%]"),
        ({"metric": ("latency_p99",), "compare": "ratio", "interval": (0.981, 1.234)}, "[0.98, 1.23]x"),
        ({"metric": ("latency_p99",), "threshold": "≤ 2", "interval": (0.9, 1.25)}, "[0.900, 1.250] s"),
        ({"interval": None}, ""),
    ],
)
def test_the_interval_of_a_criterion_is_in_the_unit_of_its_metric(
    changes: dict[str, Any], shown: str
) -> None:
    assert observed_interval(criterion("any", Status.GO, **changes)) == shown

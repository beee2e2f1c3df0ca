"""Numbers of a gate at the ends of what they may be, and text of numbers near a threshold."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pytest_ftgate.gates import GateError, parse_gate
from pytest_ftgate.gates.thresholds import (
    amount_text,
    parse_confidence,
    parse_count,
    parse_threshold,
    parse_traffic,
    percent_text,
    points_text,
)

HERE = ("x",)


def refused(parse: Any, *arguments: object) -> str:
    with pytest.raises(GateError) as caught:
        parse(*arguments, HERE)
    return caught.value.reason


@pytest.mark.parametrize("raw", ["2", "0.5", 3])
def test_a_ratio_is_any_number_above_nothing_of_rates_too(raw: object) -> None:
    assert parse_threshold(raw, "rate", "ratio", HERE)[0] == Fraction(str(raw))
    assert "plain number" in refused(parse_threshold, "50%", "rate", "ratio")
    assert "a number above 0" in refused(parse_threshold, "0", "rate", "ratio")


@pytest.mark.parametrize(
    ("raw", "compare"), [("0.5%", "delta"), ("0.005", "value"), ("1%", "value"), ("0%", "value")]
)
def test_less_than_a_percent_may_be_meant(raw: str, compare: Any) -> None:
    assert parse_threshold(raw, "rate", compare, HERE)[1] == raw


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("0", "0 is not between 0 and 1: write e.g. 0.95 or 95%"),
        ("-0.5", "-0.5 is not between 0 and 1: write e.g. 0.95 or 95%"),
        ("1", "1 is not between 0 and 1: write e.g. 0.95 or 95%"),
        ("50%", "50% is too low: write the chance of being right, e.g. 0.95 or 95%"),
        ("0.4", "0.4 is too low: write the chance of being right, e.g. 0.95 or 95%"),
        ("99.91%", "99.91% is more than any suite can show: write at most 99.9%, e.g. 95%"),
    ],
)
def test_a_confidence_lies_between_a_coin_and_what_can_be_shown(raw: str, reason: str) -> None:
    assert refused(parse_confidence, raw) == reason
    assert parse_confidence("50.1%", HERE) == Fraction(501, 1000)
    assert parse_confidence("99.9%", HERE) == Fraction(999, 1000)


@pytest.mark.parametrize("raw", [True, 5.0, 1.5, None, "", "5.0", [5], "-1", "5 cases"])
def test_a_count_is_a_whole_number(raw: object) -> None:
    assert refused(parse_count, raw, 0).endswith(" is not a whole number from 0")
    assert (parse_count("5", 5, HERE), parse_count(5, 5, HERE)) == (5, 5)
    assert refused(parse_count, "4", 5) == "4 is too small: write a whole number from 5"


@pytest.mark.parametrize(
    "raw", [float("inf"), float("-inf"), float("nan"), "inf", "NaN", "1e999", "0x10", "\u0665"]
)
def test_a_number_is_finite(raw: object) -> None:
    assert refused(parse_threshold, raw, "number", "value").endswith(
        " is not a finite number: write e.g. 85% or 0.85"
    )


def test_shares_of_the_traffic_are_none_below_nothing_or_above_all() -> None:
    assert refused(parse_traffic, {"a": "150%"}) == "150% is not a share: write e.g. 0.3 or 30%"
    assert refused(parse_traffic, {"a": "-1%", "b": "101%"}) == "-1% is not a share: write e.g. 0.3 or 30%"
    assert parse_traffic({"a": 0, "b": 1}, HERE) == ({"a": Fraction(0), "b": Fraction(1)}, Fraction(1))


@pytest.mark.parametrize(("raw", "together"), [(("51%", "51%"), "1.02"), (("49%", "49%"), "0.98")])
def test_rounded_shares_may_be_two_points_off_and_are_scaled(raw: tuple[str, str], together: str) -> None:
    assert parse_traffic(dict(zip("ab", raw, strict=True)), HERE) == (
        {"a": Fraction(1, 2), "b": Fraction(1, 2)},
        Fraction(together),
    )
    assert refused(parse_traffic, {"a": "50%", "b": "52.1%"}) == (
        "the shares add up to 102.1%, and have to make 100%"
    )


@pytest.mark.parametrize(
    ("raw", "compare", "reason"),
    [
        ("85", "value", "85 is not a rate: write 85% or 0.85"),
        ("-5", "delta", "-5 is not a rate: write -5% or -0.05"),
        ("+5", "delta", "+5 is not a rate: write 5% or 0.05"),
        ("101", "value", "101 is not a rate: rates go from 0 to 1, or from 0% to 100%"),
        ("101%", "value", "101% is not a rate: rates go from 0 to 1, or from 0% to 100%"),
        (
            "0.995%",
            "value",
            "0.995% is less than one percent; probably 99.5%: write 99.5% or 0.995",
        ),
        ("0.9%", "value", "0.9% is less than one percent; probably 90%: write 90% or 0.9"),
    ],
)
def test_a_rate_that_is_none_is_told_as_what_it_may_have_meant(raw: str, compare: Any, reason: str) -> None:
    assert refused(parse_threshold, raw, "rate", compare) == reason


def test_a_hundred_is_the_last_number_that_may_be_a_percentage() -> None:
    assert refused(parse_threshold, "100", "rate", "value") == "100 is not a rate: write 100% or 1"


def test_a_number_is_rounded_but_never_onto_what_it_is_not() -> None:
    near = Fraction(84996, 100_000)

    assert percent_text(near) == "85%"
    assert percent_text(near, Fraction(85, 100)) == "84.996%"
    assert percent_text(Fraction(9999, 10_000)) == "99.99%"
    assert percent_text(Fraction(1, 10_000)) == "0.01%"
    assert (percent_text(Fraction(1)), percent_text(Fraction(0))) == ("100%", "0%")
    assert (points_text(Fraction(1, 20)), points_text(Fraction(0)), points_text(Fraction(-2, 9))) == (
        "+5",
        "0",
        "-22.2",
    )
    assert points_text(Fraction(49996, 1_000_000), Fraction(5, 100)) == "+4.9996"
    assert points_text(Fraction(49996, 1_000_000)) == "+5"
    assert amount_text(Fraction(1, 3), "seconds") == "0.333 s"
    assert amount_text(Fraction(1, 3), "number") == "0.333"
    assert amount_text(Fraction(20001, 10_000), "number", Fraction(2)) == "2.0001"


def test_a_count_that_is_a_boolean_is_a_mistake_of_the_gate() -> None:
    with pytest.raises(GateError, match="min_cases: true is not a whole number from 1"):
        parse_gate({"min_cases": True})


@pytest.mark.parametrize(
    ("raw", "shown"),
    [("", "nothing"), (None, "nothing"), ({}, "a mapping"), ([1], "a list"), (False, "false")],
)
def test_what_is_no_number_is_shown_as_what_it_is(raw: object, shown: str) -> None:
    assert refused(parse_count, raw, 0) == f"{shown} is not a whole number from 0"


def test_a_ratio_beyond_all_floats_is_still_told() -> None:
    assert amount_text(Fraction(10**400, 3), "number") == "3.333333e+399"

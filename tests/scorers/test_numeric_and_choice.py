from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.scorers.choice import chosen
from pytest_ftgate.scorers.numeric import numbers_in
from tests.scorers.build import problem, score

CITIES = ["Paris", "Lyon", "Marseille", "Nice"]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("The answer is 42.", "42"),
        ("It costs $1,234.50", "1234.50"),
        ("so x = -5", "-5"),
        ("so x = \u22125", "-5"),
        ("10-5", "5"),
        ("a loss of -$5", "-5"),
        ("a loss of $-5", "-5"),
        ("about 50%", "50"),
        ("1,2,3", "3"),
        ("one F-16", "16"),
        ("x2 = 7", "7"),
        ("1,000,000 \u20ac", "1000000"),
        ("2.5e3", "2500"),
        (".5", "0.5"),
    ],
)
def test_the_last_number_is_read_as_people_write_it(text: str, last: str) -> None:
    assert numbers_in(text)[-1] == Decimal(last)


def test_words_hold_no_numbers() -> None:
    assert numbers_in("GPT4 and x2 agree") == []


@given(st.decimals(-(10**9), 10**9, places=3))
def test_every_written_number_is_read_back(number: Decimal) -> None:
    assert numbers_in(f"It is {number:,f}")[-1] == number


@pytest.mark.parametrize(
    ("answer", "options", "passed"),
    [
        ("3 and 42", {"reference": 42}, True),
        ("42 or 3", {"reference": 42}, False),
        ("A: 42 (of 50)", {"reference": "42", "after": "A:"}, True),
        ("42", {"reference": "42", "after": "A:"}, False),
        ("0.30000000000000004", {"reference": 0.3}, False),
        ("0.3", {"reference": "0.30"}, True),
        ("41.5", {"reference": 42, "abs": 0.5}, True),
        ("41.4", {"reference": 42, "abs": 0.5}, False),
        ("105", {"reference": 100, "rel": 0.05}, True),
        ("1,200 dollars", {"reference": "$1,200"}, True),
        ("5 %", {"reference": "5%"}, True),
        ("7", {"reference": [5, 7]}, True),
        ("none", {"reference": 1}, False),
    ],
)
def test_numeric_compares_exactly_or_within_its_tolerance(
    answer: str, options: dict[str, Any], passed: bool
) -> None:
    assert score(answer, "numeric", **options).passed is passed


def test_numeric_says_what_it_read() -> None:
    assert score("It is 41", "numeric", reference=42, abs=0.5).explanation == (
        "numeric: got 41 in 'It is 41', expected 42 within abs 0.5"
    )
    assert score("It is 42", "numeric", reference=42).explanation == (
        "numeric: got 42 in 'It is 42', as expected: 42"
    )
    assert score("42", "numeric", reference=42, after="A:").explanation == (
        "numeric: no number after 'A:' in '42', expected 42"
    )


def test_a_number_of_absurd_size_stays_short_in_the_explanation() -> None:
    assert score("1e999", "numeric", reference=1).explanation == "numeric: got 1e+999 in '1e999', expected 1"


def test_a_reference_that_is_no_number_is_refused() -> None:
    assert problem("numeric", reference="forty") == "'reference' is 'forty', which is not a number"
    assert problem("numeric", reference=1, abs=-1) == "'abs' is -1, it must be a number that is 0 or more"
    assert problem("numeric", reference=1, rel=float("nan")) == (
        "'rel' is NaN, it must be a number that is 0 or more"
    )


@pytest.mark.parametrize(
    "answer",
    [
        "B", "(B)", "B.", "b", "[B]", "**B**", "The answer is B", "The answer is (B).", "Answer: B", "Lyon",
        "The answer is Lyon.", "B) Lyon", "B. Lyon", "The correct answer is **B. Lyon**.", "Option B",
        "$\\boxed{B}$", "I would go with B", "The answer is B, not A", "Answer: B\nExplanation: A is wrong",
        "Let me think.\nB", "(A) is wrong. The answer is (B).", "I think it is Lyon because it is big",
        "The best choice is B because of A", "B is the correct answer", "(B) is right.", "the answer is: b",
    ],
)  # fmt: skip
def test_a_choice_is_found_in_the_ways_models_write_it(answer: str) -> None:
    assert score(answer, "choice", reference="B", options=CITIES).passed


@pytest.mark.parametrize(
    "answer",
    [
        "The answer is B or C",
        "A and B",
        "B, C",
        "B. Actually C",
        "Paris, Lyon",
        "B: Paris",
        "(A) or (B)",
        "A/B",
    ],
)
def test_an_answer_that_names_two_options_passes_for_neither(answer: str) -> None:
    for letter in "ABC":
        assert not score(answer, "choice", reference=letter, options=CITIES).passed


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "A city is a place",
        "None of them",
        "It isn't Lyon",
        "The answer is not Lyon",
        "(B) is wrong",
        "B is not correct",
    ],
)
def test_an_answer_that_chooses_nothing_passes_for_nothing(answer: str) -> None:
    assert chosen(answer, CITIES) == set()


def test_a_choice_may_be_given_by_its_text_or_without_options() -> None:
    assert score("(b)", "choice", reference="Lyon", options=CITIES).passed
    assert score("The answer is B", "choice", reference="B").passed
    assert score("yes", "choice", reference="Yes", options={"Y": "yes", "N": "no"}).passed


def test_choice_says_what_was_chosen() -> None:
    assert score("(C)", "choice", reference="B", options=CITIES).explanation == (
        "choice: chose 'C' in '(C)', expected 'B'"
    )
    assert score("A or B", "choice", reference="B").explanation == (
        "choice: 'A or B' names several options (A, B), expected 'B'"
    )


def test_wrong_options_of_a_choice_are_refused() -> None:
    assert problem("choice", reference="E", options=CITIES) == (
        "'reference' is 'E', which is neither an option (A, B, C, D) nor its text"
    )
    assert problem("choice", reference="Lyon") == (
        "'reference' is 'Lyon'; give a letter, or the texts under 'options'"
    )
    assert (
        problem("choice", reference="A", options=["Paris", "paris!"])
        == "the option 'paris!' stands there twice"
    )


@given(st.text())
def test_any_answer_can_be_read_as_a_choice(answer: str) -> None:
    assert chosen(answer, CITIES) <= set("ABCD")

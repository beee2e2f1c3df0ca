"""Which entries of a case a metric's name finds, inside composites too, and what they say together."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pytest_ftgate.cases import Expectation
from pytest_ftgate.gates.entries import (
    entry_names,
    entry_passed,
    entry_value,
    has_entry,
    is_covered,
    scores_named,
)
from pytest_ftgate.scores import Score
from tests.support.records import entry


def score(scorer: str, value: float, *children: Score, name: str | None = None) -> Score:
    return Score(
        scorer=scorer, name=name, value=value, passed=value >= 0.5, explanation="", children=children
    )


EVERY = entry(
    "all_of", None, entry("contains", "tone"), entry("any_of", None, entry("regex"), entry("numeric"))
)
NEVER = entry("not", None, entry("contains", "tone"))


@pytest.mark.parametrize(
    ("check", "names"),
    [
        (EVERY, ["all_of", "tone", "any_of", "regex", "numeric"]),
        (NEVER, ["not"]),
        (entry("all_of", "whole", NEVER), ["whole", "not"]),
    ],
)
def test_names_are_those_of_entries_that_count(check: Expectation, names: list[str]) -> None:
    assert list(entry_names(check)) == names


@pytest.mark.parametrize(
    ("check", "name", "found"),
    [
        (EVERY, "contains", True),
        (EVERY, "tone", True),
        (EVERY, "numeric", True),
        (EVERY, "bleu", False),
        (NEVER, "not", True),
        (NEVER, "tone", False),
    ],
)
def test_an_entry_is_found_by_its_scorer_and_by_its_name_but_not_inside_not(
    check: Expectation, name: str, found: bool
) -> None:
    assert has_entry(check, {name}) is found


@pytest.mark.parametrize(
    ("check", "names", "covered"),
    [
        (EVERY, {"tone", "regex", "numeric"}, True),
        (EVERY, {"tone", "any_of"}, True),
        (EVERY, {"tone", "regex"}, False),
        (entry("contains"), {"regex"}, False),
        (NEVER, {"tone", "contains"}, False),
        (NEVER, {"not"}, True),
    ],
)
def test_a_check_is_covered_if_entries_of_these_names_decide_all_of_it(
    check: Expectation, names: set[str], covered: bool
) -> None:
    assert is_covered(check, names) is covered


def test_inside_any_of_one_passed_entry_suffices_elsewhere_all_must_pass() -> None:
    parts = score("regex", 0.25, name="a"), score("numeric", 0.75, name="a")

    assert entry_passed(score("any_of", 1.0, *parts), {"a"}) is True
    assert entry_passed(score("all_of", 0.0, *parts), {"a"}) is False
    assert entry_value(score("any_of", 1.0, *parts), {"a"}) == Fraction(3, 4)
    assert entry_value(score("all_of", 0.0, *parts), {"a"}) == Fraction(1, 2)


def test_what_is_not_there_or_inside_not_says_nothing() -> None:
    inverted = score("not", 1.0, score("contains", 0.0))

    for found in (inverted, score("all_of", 1.0, inverted), score("contains", 1.0)):
        assert entry_passed(found, {"regex"}) is None
        assert entry_value(found, {"regex"}) is None
    assert entry_passed(inverted, {"contains"}) is None
    assert entry_value(inverted, {"contains"}) is None
    assert list(scores_named(inverted, "contains")) == []
    assert list(scores_named(inverted, "not")) == [inverted]

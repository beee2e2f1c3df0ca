"""Which items a criterion reads, which nobody reads, and what is said where there are none."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Status, Word
from tests.support.records import case, entry, gate_of, judged, python_item, result, trials

MODEL_ONLY = [Arm.MODEL]


def names(made: Any) -> list[str]:
    return [one.name for one in made.verdict.criteria]


def test_a_case_that_a_comparison_can_not_read_is_read_by_other_cases() -> None:
    pair, alone = case("pair"), case("alone", arms=MODEL_ONLY)
    gate = gate_of(metric="exact_match", compare="delta", at_least="-100%")

    made = judged([pair, alone], [*trials(pair), *trials(alone, "F")], gate)

    assert result(made).n == 1
    assert (result(made, "other_cases").status, result(made, "other_cases").metric) == (
        Status.NO_GO,
        ("pass_rate",),
    )
    assert made.verdict.word is Word.ITERATE


def test_wins_are_counted_of_the_cases_that_both_arms_answer() -> None:
    pair, alone = case("pair"), case("alone", arms=MODEL_ONLY)

    made = judged(
        [pair, alone], [*trials(pair, "P", "F"), *trials(alone)], gate_of(metric="win_rate", at_least="1")
    )

    assert (result(made).status, result(made).n) == (Status.GO, 1)
    assert result(made, "other_cases").n == 1


def test_a_case_that_only_the_baseline_answers_is_in_no_criterion_of_the_model() -> None:
    theirs = case("theirs", category="x", items=[python_item("theirs", Arm.BASELINE)], must_pass=True)
    ours = case("ours", category="y", arms=MODEL_ONLY)

    made = judged([theirs, ours], None, gate_of(at_least="100%", category="y"))

    assert names(made) == ["rate"]
    assert made.verdict.word is Word.SHIP


def test_a_case_without_a_share_of_the_traffic_is_read_by_other_cases() -> None:
    cases = [case("a", category="x", arms=MODEL_ONLY), case("b", category="y", arms=MODEL_ONLY)]
    gate = gate_of(metric="weighted_pass_rate", at_least="50%")

    made = judged(cases, [*trials(cases[0]), *trials(cases[1], "F")], gate | {"traffic": {"z": "100%"}})

    assert (result(made, "other_cases").status, result(made, "other_cases").n) == (Status.NO_GO, 2)


@pytest.mark.parametrize(
    ("kind", "read"),
    [({}, False), ({"optional": True}, True), ({"advisory": True}, True)],
)
def test_only_a_criterion_that_surely_decides_spares_its_cases_from_other_cases(
    kind: dict[str, Any], read: bool
) -> None:
    made = judged([case("a", arms=MODEL_ONLY)], None, gate_of(at_least="0%", **kind))

    assert ("other_cases" in names(made)) is read


@pytest.mark.parametrize(
    ("criterion", "reason"),
    [
        (
            {"per": "tag"},
            "no case that it selects has a tag, and `per: tag` makes one criterion for each",
        ),
        (
            {"per": "tag", "role": "general", "category": "x"},
            "no case has role 'general' and category 'x' at once",
        ),
        ({"role": "general", "category": "x"}, "no case has role 'general' and category 'x' at once"),
        ({"category": "none"}, "no case that it selects is judged"),
        (
            {"category": "x", "compare": "delta"},
            "there is no baseline to compare with: add --baseline=NAME",
        ),
        (
            {"category": "x", "metric": "exact_mach"},
            "no case that it selects has an entry 'exact_mach'. Did you mean 'exact_match'?",
        ),
    ],
)  # fmt: skip
def test_why_nothing_is_read_is_told_as_it_is(criterion: dict[str, Any], reason: str) -> None:
    cases = [
        case("a", category="x", arms=MODEL_ONLY),
        case("b", category="y", role="general", arms=MODEL_ONLY),
        case("c", category="none", expect=(), arms=MODEL_ONLY),
    ]

    found = result(judged(cases, None, gate_of(at_least="0%", **criterion)))

    assert (found.status, found.reason.partition("; ")[0]) == (Status.NOT_MEASURED, reason.partition("; ")[0])


def test_an_entry_inside_a_covered_check_is_left_to_its_own_criterion() -> None:
    planned = case("a", expect=[entry("all_of", None, entry("contains"), entry("regex"))], arms=MODEL_ONLY)
    both = {
        "contains": {"metric": "contains", "at_least": "0%"},
        "regex": {"metric": "regex", "at_least": "0%"},
    }

    made = judged([planned], trials(planned, "F"), {"min_cases": 1, "criteria": both})
    half = judged(
        [planned], trials(planned, "F"), {"min_cases": 1, "criteria": {"contains": both["contains"]}}
    )

    assert "other_cases" not in names(made)
    assert result(half, "other_cases").status is Status.NO_GO


def listed(*metrics: str, category: str = "x") -> list[str]:
    """The criteria of a list of entries of category `x`; `regex` is inside another entry."""
    cases = [
        case("a", category="x", expect=[entry("contains"), entry("all_of", None, entry("regex"))]),
        case("b", category="x", expect=[entry("numeric", "regexy")]),
        case("c", category="y", expect=[entry("numeric")]),
    ]
    gate = {
        "min_cases": 1,
        "criteria": {"list": {"metric": list(metrics), "at_least": "0%", "category": category}},
    }
    return [name for name in names(judged(cases, None, gate)) if name != "other_cases"]


def test_a_name_in_a_list_that_is_nearly_an_entrys_blocks_as_a_criterion_of_its_own() -> None:
    assert listed("contains", "regx") == ["list", "list[regx]"]
    assert listed("contains", "regex") == ["list"]
    assert listed("contains", "rouge_l") == ["list"]


def test_a_list_that_finds_nothing_in_its_cases_is_left_to_its_own_message() -> None:
    assert listed("contains", "regx", category="y") == ["list"]


def test_a_test_that_judges_by_its_own_asserts_is_covered_by_no_entry() -> None:
    tested = case("a", expect=(), items=[python_item("a", Arm.MODEL)])
    other = case("b", arms=MODEL_ONLY)

    made = judged(
        [tested, other], [*trials(tested, "F"), *trials(other)], gate_of(metric="exact_match", at_least="0%")
    )

    assert result(made, "other_cases").status is Status.NO_GO
    assert made.verdict.word is Word.ITERATE

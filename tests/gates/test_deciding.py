"""Whether a criterion decides, how sure its family has to be, what is advised where nothing is found."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import BUILTIN_METRICS, Assessment, Status, Word, parse_gate, undecidable
from tests.support.records import case, gate_of, judged, result, trial, trials

LATENCY = {"metric": "latency_p50", "compare": "ratio", "at_most": "3"}
BUSY_S = 0.02


def timed(*letters: str, **criterion: Any) -> Assessment:
    """Cases whose calls took half a second, or errored without an answer, seen by a busy client."""
    cases = [case(f"c{number}") for number in range(len(letters))]
    came_in = [
        trial(key, letter) if letter == "E" else trial(key, letter, latency_s=0.3)
        for planned, letter in zip(cases, letters, strict=True)
        for key in planned.trial_keys()
    ]
    gate = gate_of(**LATENCY, **criterion) | {"max_errors": 9}
    return judged(cases, came_in, gate, lag_p95_s=BUSY_S)


def test_times_that_are_not_optional_block_whoever_was_busy() -> None:
    made = timed("P", "P")

    assert (result(made).status, result(made).decides, result(made).waived) == (
        Status.INCONCLUSIVE,
        True,
        None,
    )
    assert made.verdict.word is Word.INCONCLUSIVE
    assert made.verdict.warnings == ()


def test_advisory_times_of_a_busy_client_need_no_warning() -> None:
    made = timed("P", "P", advisory=True)

    assert (result(made).decides, made.verdict.warnings, made.verdict.word) == (False, (), Word.SHIP)


def test_times_too_few_to_decide_need_no_warning_of_a_busy_client() -> None:
    made = timed("P", "P", optional=True, min_cases=9)

    assert (result(made).decides, made.verdict.warnings) == (False, ())


def test_optional_times_that_an_error_took_away_block_whoever_was_busy() -> None:
    made = timed("P", "E", optional=True)

    assert (result(made).status, result(made).decides) == (Status.INCONCLUSIVE, True)
    assert result(made).reason == "2 values were lost to errors"
    assert made.verdict.word is not Word.SHIP


def test_an_optional_criterion_that_lost_its_only_value_decides() -> None:
    planned = case("a", arms=[Arm.MODEL], expect=())
    gate = gate_of(metric="tokens", at_most="50", optional=True) | {"max_errors": 1}

    made = judged([planned], trials(planned, "E"), gate)

    assert (result(made).status, result(made).decides) == (Status.INCONCLUSIVE, True)


def test_criteria_of_their_own_are_no_family_whose_misses_may_be_chance() -> None:
    # The one-sided p of 32 of 40 at 90 % is 0.018: as one of nine parts it would show nothing.
    cases = [case(f"c{number:02}", arms=[Arm.MODEL]) for number in range(40)]
    came_in = [one for place, planned in enumerate(cases) for one in trials(planned, "FP"[place < 32])]
    rows = {f"rate_{number}": {"metric": "pass_rate", "at_least": "90%"} for number in range(9)}

    made = judged(cases, came_in, {"min_cases": 1, "evidence": "strict", "criteria": rows})

    assert {result(made, name).status for name in rows} == {Status.NO_GO}


def test_what_can_never_be_decided_is_known_from_the_plan_alone() -> None:
    cases = [case("a", arms=[Arm.MODEL]), case("b", category="edge", skip="later")]
    rows = {
        "found": {"metric": "pass_rate", "at_least": "90%"},
        "lost": {"metric": "pass_rate", "category": "edge", "at_least": "90%"},
        "compared": {"metric": "pass_rate", "compare": "delta", "at_least": "0%"},
        "shown": {"metric": "pass_rate", "category": "edge", "at_least": "90%", "advisory": True},
        "votes": {"metric": "human_preference", "at_least": "60%", "category": "edge"},
    }

    assert undecidable(parse_gate({"criteria": rows}), cases, BUILTIN_METRICS) == [
        "lost: every case with category 'edge' is skipped",
        "compared: there is no baseline to compare with: add --baseline=NAME",
    ]


def test_what_to_add_is_told_once_for_each_default_comparison_and_for_no_other_criterion() -> None:
    cases = [case("a", arms=[Arm.MODEL])]

    made = judged(cases, None, {"min_cases": 1})

    target, general = result(made, "target_task_improvement"), result(made, "general_regression")
    assert target.reason == (
        "there is no baseline to compare with: add --baseline=NAME, or write in ftgate.yaml what must hold "
        "without one, e.g. gate: {criteria: {target_pass_rate: {metric: pass_rate, role: target, "
        "at_least: 90%}}}"
    )
    assert general.reason == (
        "no suite has `role: general`: add one with the abilities that must not be lost, or write in "
        "ftgate.yaml the criteria without it, e.g. gate: {criteria: {target_task_improvement: "
        "{metric: pass_rate, role: target, compare: delta, at_least: 5%}}}"
    )
    latency = result(made, "latency_p99")
    assert latency.reason == "there is no baseline to compare with: add --baseline=NAME"


@pytest.mark.parametrize("name", ["target_task_improvement", "general_regression"])
def test_who_wrote_the_criteria_is_not_told_to_write_them(name: str) -> None:
    made = judged([case("a", arms=[Arm.MODEL])], None, gate_of(name, compare="delta", at_least="0%"))

    assert result(made, name).reason == "there is no baseline to compare with: add --baseline=NAME"

"""Scripted conversations in the plan, the record and the measured times."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from pytest_ftgate.cases import AnswerRule, Arm, EvalCase, Expectation, Turn
from pytest_ftgate.completions import Completion, conversation
from pytest_ftgate.record import Outcome, PlannedCase, Trial
from pytest_ftgate.record.plan import case_plan
from pytest_ftgate.record.trials import sound
from pytest_ftgate.summary.latencies import latency_of, measured_calls
from tests.support.records import case, trial
from tests.support.requests import case as eval_case

KEY = next(case("talk").trial_keys())


def talk(*turns: Turn, **fields: Any) -> EvalCase:
    return eval_case(messages=(), turns=turns, **fields)


def said(*latencies_s: float, **rest: Any) -> Completion:
    """A conversation of one answer per turn."""
    steps = enumerate(latencies_s, 1)
    return conversation(
        [Completion(text=f"answer {turn}", latency_s=each, turn=turn, **rest) for turn, each in steps]
    )


def told(completion: Completion) -> Trial:
    return trial(KEY, completion=completion)


def test_a_planned_conversation_keeps_the_checks_of_its_turns_and_survives_json() -> None:
    first, last = Expectation(scorer="contains", options={"reference": "x"}), Expectation(scorer="regex")

    planned = case_plan(talk(Turn(user="a", expect=(first,)), Turn(user="b"), expect=(last,)), ())

    assert [check.scorer for check in planned.expect] == ["contains", "regex"]
    assert (planned.turns, planned.prompt) == (2, "a\nb")
    assert PlannedCase.from_json(planned.as_json()) == planned


@pytest.mark.parametrize(
    "change",
    [
        {"user": "c"},
        {"expect": (Expectation(scorer="contains", options={"reference": "y"}),)},
        {"expect": ()},
        {"answer": AnswerRule(lines=1)},
        {"tool_results": {"f": 1}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_digest_of_a_case_covers_its_turns(change: dict[str, Any]) -> None:
    turn = Turn(user="b", expect=(Expectation(scorer="contains", options={"reference": "x"}),))

    before, after = (case_plan(talk(Turn(user="a"), each), ()) for each in (turn, replace(turn, **change)))

    assert before.digest != after.digest


def test_when_and_whence_the_answers_of_a_conversation_came_makes_no_difference() -> None:
    before = told(said(1.0, 2.0, created=1.0))
    after = told(said(1.0, 2.0, created=9.0, source="resumed"))

    assert before.fingerprint == after.fingerprint
    assert before.fingerprint != told(said(1.0, 2.5)).fingerprint


def test_a_trial_with_a_conversation_survives_json() -> None:
    made = told(said(1.0, 2.0))

    assert Trial.from_json(made.as_json()) == made


def test_a_call_with_a_number_that_is_not_finite_makes_the_trial_errored() -> None:
    made = sound(told(said(1.0, math.nan)))

    assert made.outcome is Outcome.ERRORED
    assert made.error is not None
    assert made.error.message == "the answer's latency_s is not a finite number from 0"
    assert made.completion is not None
    assert made.completion.latency_s is None
    assert [step.latency_s for step in made.completion.steps] == [1.0, None]


def test_every_call_of_a_conversation_is_a_measurement() -> None:
    twins = told(said(1.0, 1.0, 3.0)), trial(KEY._replace(repeat=2), completion=said(2.0))

    latency = latency_of(twins, Arm.MODEL)

    assert sorted(measured_calls(twins, "latency_s")) == [1.0, 1.0, 2.0, 3.0]
    assert latency is not None
    assert (latency.n, latency.p50, latency.p99) == (4, 1.0, 3.0)


def test_calls_of_a_conversation_that_several_items_share_count_once() -> None:
    other = trial(KEY._replace(item="tests/test_talk.py::test_talk[talk]"), completion=said(1.0, 2.0))

    assert sorted(measured_calls([told(said(1.0, 2.0)), other], "latency_s")) == [1.0, 2.0]


def test_a_played_conversation_has_no_latency() -> None:
    assert measured_calls([told(said(1.0, 2.0, source="recorded"))], "latency_s") == []

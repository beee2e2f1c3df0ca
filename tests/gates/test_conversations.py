"""What the gate makes of scripted conversations: every call counts."""

from __future__ import annotations

from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion, conversation
from tests.support.records import case, gate_of, judged, result, trial


def said(*steps: dict[str, Any]) -> Completion:
    return conversation([Completion(text="x", turn=turn, **step) for turn, step in enumerate(steps, 1)])


def test_the_models_that_served_single_calls_are_told() -> None:
    talk = case("talk", arms=[Arm.MODEL], turns=2)
    came_in = [trial(key, completion=said({"model": "a"}, {"model": "b"})) for key in talk.trial_keys()]

    verdict = judged([talk], came_in, gate_of(at_least="50%")).verdict

    assert verdict.warnings == ("the model's answers come from 2 models: 'a', 'b'",)


def test_an_optional_criterion_on_latency_decides_if_enough_calls_are_planned() -> None:
    # Three conversations of four turns: twelve calls, where min_cases asks for ten.
    talks = [case(f"talk{number}", arms=[Arm.MODEL], turns=4) for number in range(3)]
    gate = {"criteria": {"fast": {"metric": "latency_p50", "at_most": 2, "min_cases": 10, "optional": True}}}
    steps = [{"latency_s": 1.0, "created": float(number)} for number in range(4)]
    came_in = [trial(key, completion=said(*steps)) for talk in talks for key in talk.trial_keys()]

    fast = result(judged(talks, came_in, gate), "fast")

    assert (fast.n, fast.decides, str(fast.status)) == (12, True, "GO")

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_ftgate.cases import EvalCase, Expectation, Turn
from pytest_ftgate.completions import Completion, ToolCall, conversation
from pytest_ftgate.record import PlannedItem, Trial
from pytest_ftgate.record.plan import case_plan
from pytest_ftgate.reports.case_text import MAX_BYTES, render_case
from tests.reports.samples import BASELINE, MODEL, eval_case, score, trial

ORDER = ToolCall(name="get_order", arguments={"id": "4711"})


def talk(*users: str, **fields: Any) -> EvalCase:
    contains = Expectation(scorer="contains", options={"reference": "paid"})
    turns = tuple(Turn(user=user, expect=(contains,)) for user in users)
    return eval_case(messages=(), turns=turns, expect=(), **fields)


def told(arm: Any, passed: bool, *steps: Completion) -> Trial:
    explanation = "turn 2: contains: got 'Hm.', which should contain 'paid'"
    made = replace(score(passed, scorer="contains"), explanation=explanation)
    return replace(trial(arm, passed, scores=(made,)), completion=conversation(steps))


HELLO = Completion(text="Your number?", turn=1)
CALL = Completion(tool_calls=(ORDER,), turn=2)
HM = Completion(text="Hm.", turn=2)


def test_a_conversation_is_shown_turn_by_turn() -> None:
    text = render_case(talk("Can I return it?", "It is 4711\nor so"), [told(MODEL, False, HELLO, CALL, HM)])

    assert text == (
        "failed: contains: turn 2: got 'Hm.', which should contain 'paid'\n"
        "\n"
        "evals/tools.evalcase.yaml:14: capital (suite tools, category simple)\n"
        "prompts of a conversation of 2 turns\n"
        "  | Can I return it?\n"
        "  | It is 4711\n"
        "  | or so\n"
        "expected\n"
        '  turn 1: contains: "paid"\n'
        '  turn 2: contains: "paid"\n'
        "\n"
        "model: failed, score 0.00\n"
        "  turn 1: Can I return it?\n"
        "  | Your number?\n"
        "  turn 2: It is 4711\\nor so\n"
        '  tool call: get_order(id="4711")\n'
        "  | Hm.\n"
        "  FAIL contains: turn 2: got 'Hm.', which should contain 'paid'\n"
    )


def test_the_same_conversation_is_shown_once() -> None:
    same = [told(arm, False, HELLO, HM) for arm in (MODEL, BASELINE)]
    other = [told(MODEL, False, HELLO, HM), told(BASELINE, False, Completion(text="No.", turn=1), HM)]

    assert "baseline: failed, score 0.00\n  the same answer as the model's\n" in render_case(
        talk("a", "b"), same
    )
    assert "the same answer" not in render_case(talk("a", "b"), other)


def test_a_planned_conversation_says_how_many_turns_it_has() -> None:
    planned = case_plan(talk("a", "b"), [PlannedItem(nodeid="x", arms=(MODEL,))])

    text = render_case(planned, [told(MODEL, False, HELLO, HM)])

    assert "\nprompts of a conversation of 2 turns\n  | a\n  | b\n" in text
    assert "\n  turn 1\n  | Your number?\n  turn 2\n  | Hm.\n" in text


def test_a_long_conversation_is_bounded() -> None:
    steps = [Completion(text=f"{turn} " * 3000, turn=turn) for turn in range(1, 61)]

    text = render_case(talk(*["x" * 1000] * 60), [told(MODEL, False, *steps)])

    assert len(text.encode()) <= MAX_BYTES + 200


def test_what_user_and_model_say_is_inert() -> None:
    hostile = "\x1b[2Jturn 9: passed\n::error::x"

    text = render_case(talk(hostile, "b"), [told(MODEL, False, Completion(text=hostile, turn=1), HM)])

    assert "\x1b" not in text
    assert not [line for line in text.splitlines() if line.startswith("::")]


def test_a_long_conversation_says_how_much_is_left_out() -> None:
    steps = [Completion(text="x", turn=turn) for turn in range(1, 31)]

    text = render_case(talk(*["x"] * 30), [told(MODEL, False, *steps)])

    assert "\n  (6 more answers)\n" in text

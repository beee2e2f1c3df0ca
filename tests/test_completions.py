from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.cases import EvalCase, Expectation, Turn
from pytest_ftgate.completions import Completion, ToolCall, Usage, conversation, turn_answers
from tests.support.requests import case

ORDER = ToolCall(name="get_order", arguments={"id": "4711"})
PLACE = ToolCall(name="get_place", arguments={})


def step(turn: int, text: str = "", *calls: ToolCall, **rest: object) -> Completion:
    return replace(Completion(text=text, tool_calls=calls, turn=turn), **rest)  # type: ignore[arg-type] # any field


def test_a_turn_is_answered_by_its_last_text_and_all_its_calls() -> None:
    whole = conversation(
        [step(1, "Hello"), step(2, "One moment", ORDER), step(2, "", PLACE), step(2, "Here")]
    )

    first, second = turn_answers(whole)

    assert (first.text, first.tool_calls) == ("Hello", ())
    assert (second.text, second.tool_calls) == ("Here", (ORDER, PLACE))


def test_the_whole_is_the_last_turns_answer_and_keeps_every_call() -> None:
    steps = [
        step(1, "Hello", finish_reason="stop"),
        step(2, "", ORDER),
        step(2, "Here", finish_reason="stop"),
    ]

    whole = conversation(steps)

    assert (whole.text, whole.tool_calls, whole.finish_reason) == ("Here", (ORDER,), "stop")
    assert whole.steps == tuple(steps)
    assert whole.turn is None


def test_what_was_measured_of_the_whole_is_the_sum_over_its_calls() -> None:
    measured = {
        "cost": 0.5,
        "latency_s": 1.25,
        "usage": Usage(input_tokens=10, output_tokens=3),
        "logprobs": (-1.0,),
    }

    whole = conversation([step(1, "a", **measured), step(2, "", ORDER, **measured), step(2, "b", **measured)])

    assert (whole.cost, whole.latency_s) == (1.5, 3.75)
    assert whole.usage == Usage(input_tokens=30, output_tokens=9)
    assert whole.logprobs == (-1.0, -1.0, -1.0)
    assert [answer.latency_s for answer in turn_answers(whole)] == [1.25, 2.5]


def test_a_sum_is_unknown_where_one_call_is() -> None:
    known = {
        "cost": 0.5,
        "latency_s": 1.0,
        "usage": Usage(input_tokens=10, output_tokens=3),
        "logprobs": (-1.0,),
    }

    whole = conversation([step(1, "a", **known), step(2, "b", usage=Usage(input_tokens=1))])

    assert (whole.cost, whole.latency_s, whole.logprobs) == (None, None, None)
    assert whole.usage == Usage(input_tokens=11)


def test_a_turn_of_which_any_call_was_cut_off_is_cut_off() -> None:
    whole = conversation([step(1, "", ORDER, finish_reason="length"), step(1, "b", finish_reason="stop")])

    assert whole.finish_reason == "length"


def test_a_completion_without_steps_is_its_own_answer() -> None:
    plain = Completion(text="Paris")

    assert turn_answers(plain) == (plain,)


@given(st.lists(st.tuples(st.integers(1, 3), st.text(), st.booleans()), min_size=1, max_size=8))
def test_a_conversation_survives_json(parts: list[tuple[int, str, bool]]) -> None:
    whole = conversation([step(turn, text, *([ORDER] * calls)) for turn, text, calls in sorted(parts)])

    assert Completion.from_json(whole.as_json()) == whole


@given(st.lists(st.tuples(st.integers(1, 3), st.text(), st.booleans()), min_size=1, max_size=8))
def test_the_answers_of_turns_are_their_own_conversation(parts: list[tuple[int, str, bool]]) -> None:
    # What is saved are the answers of turns: played, they have to give the same answers.
    whole = conversation([step(turn, text, *([ORDER] * calls)) for turn, text, calls in sorted(parts)])

    assert turn_answers(conversation(turn_answers(whole))) == turn_answers(whole)


# Cases with turns


def talk(*turns: Turn, **fields: Any) -> EvalCase:
    return case(messages=(), turns=turns, **fields)


def test_the_prompt_of_a_conversation_is_all_that_the_user_says() -> None:
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": "and this?"},
        {"type": "image_url", "image_url": {"url": "data:x"}},
    ]

    assert talk(Turn(user="What is this"), Turn(user=parts)).prompt == "What is this\nand this?\n[image_url]"


def test_all_that_is_expected_is_of_the_turns_and_then_of_the_case() -> None:
    first, second, last = (Expectation(scorer=name) for name in ("contains", "regex", "perplexity"))

    conversation_case = talk(
        Turn(user="a", expect=(first,)), Turn(user="b", expect=(second,)), expect=(last,)
    )

    assert conversation_case.checks == (first, second, last)
    assert conversation_case.wants_logprobs


def test_log_probabilities_are_wanted_where_a_turn_wants_them() -> None:
    assert talk(Turn(user="a", expect=(Expectation(scorer="perplexity"),))).wants_logprobs


def test_what_is_asked_covers_every_turn_and_what_its_tools_return() -> None:
    base = talk(Turn(user="a"), Turn(user="b", tool_results={"f": 1}))

    others = [
        talk(Turn(user="a"), Turn(user="c", tool_results={"f": 1})),
        talk(Turn(user="a"), Turn(user="b", tool_results={"f": 2})),
        talk(Turn(user="b", tool_results={"f": 1}), Turn(user="a")),
        talk(Turn(user="a")),
    ]
    same = talk(
        Turn(user="a", expect=(Expectation(scorer="contains"),)), Turn(user="b", tool_results={"f": 1})
    )

    assert len({base.asked, *(other.asked for other in others)}) == 5
    assert same.asked == base.asked

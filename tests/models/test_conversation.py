from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import Arm, Turn
from pytest_ftgate.completions import Completion, turn_answers
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models import Model, Request
from pytest_ftgate.models.answer_rows import read_answers
from pytest_ftgate.models.engine import CompletionEngine
from pytest_ftgate.models.functions.python_function import PythonFunction
from pytest_ftgate.models.recorded import Recorded
from tests.models.asking import chat
from tests.support.requests import request
from tests.support.server import ChatServer, Reply, error_reply

TOOLS = (
    {"type": "function", "function": {"name": "get_order", "parameters": {"type": "object"}}},
    {"type": "function", "function": {"name": "shop.get_place", "parameters": {"type": "object"}}},
)
ORDER = {"name": "get_order", "arguments": {"id": "4711"}}
ORDER_SENT = {"name": "get_order", "arguments": '{"id": "4711"}'}
SYSTEM = {"role": "system", "content": "Be kind."}


def asked(*turns: Turn, **fields: Any) -> Request:
    return request(messages=(SYSTEM,), turns=turns, tools=TOOLS, **fields)


def answer(model: Model, to: Request) -> Completion:
    """What the engine gives for a request."""
    with CompletionEngine({Arm.MODEL: model, Arm.BASELINE: model}) as engine:
        return engine.result(to, timeout=20)


def heard(
    function: Callable[[list[dict[str, Any]]], Any], to: Request
) -> tuple[Completion, list[list[dict[str, Any]]]]:
    """The conversation with a function, and the messages of each of its calls."""
    calls: list[list[dict[str, Any]]] = []

    def spy(messages: list[dict[str, Any]]) -> Any:
        calls.append(messages)
        return function(messages)

    return answer(PythonFunction("bot", spy), to), calls


def order_first(messages: Sequence[Mapping[str, Any]]) -> Any:
    """Calls `get_order` for every question, and tells its result."""
    last = messages[-1]
    return f"It says {last['content']}" if last["role"] == "tool" else {"tool_calls": [ORDER]}


def test_each_turn_is_asked_with_all_that_was_said_before() -> None:
    whole, calls = heard(
        lambda messages: f"answer {len(messages)}", asked(Turn(user="One"), Turn(user="Two"))
    )

    assert calls == [
        [SYSTEM, {"role": "user", "content": "One"}],
        [
            SYSTEM,
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": "answer 2"},
            {"role": "user", "content": "Two"},
        ],
    ]
    assert whole.text == "answer 4"
    assert [(step.turn, step.text) for step in whole.steps] == [(1, "answer 2"), (2, "answer 4")]


def test_a_function_is_given_the_turn_that_it_is_asked_as_its_prompt() -> None:
    prompts = []

    def bot(prompt: str) -> str:
        prompts.append(prompt)
        return "x"

    answer(PythonFunction("bot", bot), asked(Turn(user="One"), Turn(user="Two")))

    assert prompts == ["One", "Two"]


def test_a_call_gets_its_result_and_the_model_goes_on() -> None:
    whole, calls = heard(
        order_first, asked(Turn(user="4711?", tool_results={"get_order": {"status": "paid"}}))
    )

    assert calls[1][2:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call00000", "type": "function", "function": ORDER_SENT},
            ],
        },
        {"role": "tool", "tool_call_id": "call00000", "content": '{"status": "paid"}'},
    ]
    assert len(calls) == 2
    assert whole.text == 'It says {"status": "paid"}'
    assert [call.name for call in whole.tool_calls] == ["get_order"]


@pytest.mark.parametrize(
    ("results", "content"),
    [
        ({}, '{"error": "unavailable"}'),
        ({"other": 1}, '{"error": "unavailable"}'),
        ({"get_order": "delivered yesterday"}, "delivered yesterday"),
        ({"get_order": None}, "null"),
        ({"get_order": [1, {"ü": 0.5}]}, '[1, {"ü": 0.5}]'),
    ],
    ids=str,
)
def test_what_a_call_returns(results: dict[str, Any], content: str) -> None:
    whole, _ = heard(order_first, asked(Turn(user="4711?", tool_results=results)))

    assert whole.text == f"It says {content}"


def test_a_tool_whose_dots_the_api_does_not_allow_has_its_result() -> None:
    def bot(messages: Sequence[Mapping[str, Any]]) -> Any:
        last = messages[-1]
        return (
            last["content"]
            if last["role"] == "tool"
            else {"tool_calls": [{"name": "shop_get_place", "arguments": {}}]}
        )

    whole, _ = heard(bot, asked(Turn(user="x", tool_results={"shop.get_place": "here"})))

    assert whole.text == "here"


def test_every_one_of_several_calls_is_answered_by_its_own_id() -> None:
    two = [ORDER, {"name": "nothing", "arguments": {}}]

    def bot(messages: Sequence[Mapping[str, Any]]) -> Any:
        return "done" if messages[-1]["role"] == "tool" else {"text": "Let me see", "tool_calls": two}

    _, calls = heard(bot, asked(Turn(user="a", tool_results={"get_order": 1}), Turn(user="b")))

    said = calls[-1]
    assert [message["content"] for message in said if message["role"] == "assistant"] == [
        "Let me see",
        "done",
        "Let me see",
    ]
    ids = [call["id"] for message in said for call in message.get("tool_calls", ())]
    assert ids == ["call00000", "call00001", "call00002", "call00003"]
    assert [(m["tool_call_id"], m["content"]) for m in said if m["role"] == "tool"] == [
        ("call00000", "1"),
        ("call00001", '{"error": "unavailable"}'),
        ("call00002", '{"error": "unavailable"}'),
        ("call00003", '{"error": "unavailable"}'),
    ]


def test_after_five_rounds_of_results_the_next_turn_comes_whatever_the_model_wants() -> None:
    def stubborn(messages: Sequence[Mapping[str, Any]]) -> Any:
        return "fine" if messages[-1]["content"] == "Stop" else {"text": "again", "tool_calls": [ORDER]}

    whole, calls = heard(stubborn, asked(Turn(user="Go", tool_results={"get_order": 1}), Turn(user="Stop")))

    first, second = turn_answers(whole)
    assert len(calls) == 6 + 1
    assert (first.text, len(first.tool_calls)) == ("again", 6)
    assert (second.text, second.tool_calls) == ("fine", ())
    # Even the calls of the last round have results: an API refuses a conversation with open calls.
    assert [message["role"] for message in calls[-1][-3:]] == ["assistant", "tool", "user"]


def test_arguments_that_are_no_json_are_not_sent_back_to_a_server_that_would_refuse_them() -> None:
    def bot(messages: Sequence[Mapping[str, Any]]) -> Any:
        broken = {"name": "get_order", "arguments": '{"id": '}
        return "done" if messages[-1]["role"] == "tool" else {"tool_calls": [broken]}

    whole, calls = heard(bot, asked(Turn(user="x")))

    assert calls[1][-2]["tool_calls"][0]["function"] == {"name": "get_order", "arguments": "{}"}
    assert (whole.tool_calls[0].arguments, whole.tool_calls[0].text) == (None, '{"id": ')


def test_a_refusal_is_what_the_model_said() -> None:
    def bot(messages: Sequence[Mapping[str, Any]]) -> Any:
        return {"refusal": "I can't do that."} if len(messages) == 2 else "ok"

    _, calls = heard(bot, asked(Turn(user="a"), Turn(user="b")))

    assert calls[1][2] == {"role": "assistant", "content": "I can't do that."}


def test_an_error_in_any_call_is_the_error_of_the_conversation() -> None:
    def bot(messages: Sequence[Mapping[str, Any]]) -> Any:
        if messages[-1]["content"] == "Two":
            raise RuntimeError("out of memory")
        return "ok"

    with pytest.raises(ModelError, match="RuntimeError: out of memory"):
        heard(bot, asked(Turn(user="One"), Turn(user="Two"), Turn(user="Three")))


def server_side(body: dict[str, Any]) -> Reply:
    """A server's model that calls `get_order` for a question about 4711, and repeats what it returns."""
    items = body.get("messages") or body["input"]
    last = items[-1]
    told = last.get("content") if last.get("role") == "tool" else last.get("output")
    if told is not None:
        return Reply(text=f"It says {told}", usage=(100, 7))
    if "4711" in str(last["content"]):
        return Reply(text=None, tool_calls=[ORDER_SENT], finish_reason="tool_calls", usage=(50, 5))
    return Reply(text="Your number?", usage=(10, 3))


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_conversation_with_an_endpoint(api: str) -> None:
    to = asked(Turn(user="Hello"), Turn(user="It is 4711", tool_results={"get_order": {"status": "paid"}}))
    with ChatServer(server_side) as server:
        whole = answer(chat(server.url, api=api), to)

    assert server.count == 3
    assert whole.text == 'It says {"status": "paid"}'
    assert [(step.turn, step.text) for step in whole.steps] == [
        (1, "Your number?"),
        (2, ""),
        (2, 'It says {"status": "paid"}'),
    ]
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (160, 15)
    latencies = [step.latency_s or 0 for step in whole.steps]
    assert all(latencies)
    assert whole.latency_s == pytest.approx(sum(latencies))


def test_the_responses_api_is_told_calls_and_results_in_its_own_words() -> None:
    to = asked(Turn(user="It is 4711", tool_results={"get_order": 1}))
    with ChatServer(server_side) as server:
        answer(chat(server.url, api="responses"), to)

    assert server.requests[1].body["input"][2:] == [
        {"type": "function_call", "call_id": "call00000", **ORDER_SENT},
        {"type": "function_call_output", "call_id": "call00000", "output": "1"},
    ]


def test_each_call_is_retried_by_itself() -> None:
    replies = [Reply(text="one"), error_reply(500, "hiccup"), Reply(text="two")]
    with ChatServer(script=replies) as server:
        whole = answer(chat(server.url), asked(Turn(user="a"), Turn(user="b")))

    assert server.count == 3
    assert [step.text for step in whole.steps] == ["one", "two"]


def test_an_entrys_system_message_replaces_the_suites_in_every_call() -> None:
    with ChatServer() as server:
        answer(chat(server.url, system="Be brief."), asked(Turn(user="a"), Turn(user="b")))

    assert [each.body["messages"][0]["content"] for each in server.requests] == ["Be brief.", "Be brief."]


# Saved answers

ROW = {"suite": "facts", "id": "capital"}


def played(tmp_path: Path, *rows: dict[str, Any]) -> Recorded:
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(ROW | row) + "\n" for row in rows), encoding="utf-8")
    return Recorded("recorded:answers.jsonl", read_answers(path, "answers.jsonl"), shown="answers.jsonl")


def test_saved_answers_are_played_turn_by_turn(tmp_path: Path) -> None:
    model = played(tmp_path, {"turn": 2, "text": "two", "tool_calls": [ORDER]}, {"turn": 1, "text": "one"})
    to = asked(Turn(user="a"), Turn(user="b"))

    whole = answer(model, to)

    assert not model.missing([to])
    assert [(step.turn, step.text, len(step.tool_calls)) for step in whole.steps] == [
        (1, "one", 0),
        (2, "two", 1),
    ]
    assert whole.source == "recorded"


def test_every_turn_without_an_answer_is_named(tmp_path: Path) -> None:
    model = played(tmp_path, {"turn": 2, "text": "two"}, {"turn": 2, "text": "two", "repeat": 2})

    first, second = (
        asked(*[Turn(user=text) for text in "abc"]),
        asked(*[Turn(user=text) for text in "abc"], repeat=2),
    )

    where = "evals/facts.evalcase.yaml:3: case 'capital': no answer for"
    assert list(model.missing([first, second])) == [
        f"{where} turn 1 in answers.jsonl",
        f"{where} turn 3 in answers.jsonl",
        f"{where} repeat 2, turn 1 in answers.jsonl",
        f"{where} repeat 2, turn 3 in answers.jsonl",
    ]


def test_an_answer_to_another_script_is_named_once_per_row(tmp_path: Path) -> None:
    model = played(tmp_path, {"turn": 1, "text": "one", "asked": "0" * 16})

    assert list(model.missing([asked(Turn(user="a"))])) == [
        "evals/facts.evalcase.yaml:3: case 'capital': asked something else when the answer was saved "
        "(turns, tools or params changed): answers.jsonl:1"
    ]


def test_the_answers_to_all_turns_are_used(tmp_path: Path) -> None:
    model = played(
        tmp_path, {"turn": 1, "text": "one"}, {"turn": 2, "text": "two"}, {"id": "other", "text": "x"}
    )

    model.missing([asked(Turn(user="a"), Turn(user="b"))])

    assert list(model.remarks()) == [
        "answers.jsonl: 2 of 2 answers are unverified: the file does not say what was asked",
        "answers.jsonl: answers that no selected case needs: 1 (other)",
    ]


def test_a_record_is_played_turn_by_turn_too(tmp_path: Path) -> None:
    live, _ = heard(order_first, asked(Turn(user="a", tool_results={"get_order": 1}), Turn(user="b")))
    trial = {"kind": "trial", "suite": "facts", "case": "capital", "arm": "model", "repeat": 1}
    path = tmp_path / "record.jsonl"
    path.write_text(json.dumps(trial | {"completion": live.as_json()}) + "\n", encoding="utf-8")
    model = Recorded("r", read_answers(path, "record.jsonl"), shown="record.jsonl")

    whole = answer(model, asked(Turn(user="a", tool_results={"get_order": 1}), Turn(user="b")))

    assert [(each.text, each.tool_calls) for each in turn_answers(whole)] == [
        (each.text, each.tool_calls) for each in turn_answers(live)
    ]

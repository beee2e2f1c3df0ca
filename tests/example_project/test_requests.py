"""What a request may ask, and how the server refuses the rest."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_project.assistant.errors import ApiError
from example_project.assistant.requests import ChatRequest, parse_request
from example_project.assistant.sampling import Sampling
from example_project.assistant.template import parts

HELLO = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"properties": {"n": {}}}}}
CALLED = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}],
}
ANSWERED = {"role": "tool", "tool_call_id": "c1", "content": "3"}


def parse(**changes: object) -> ChatRequest:
    return parse_request(json.dumps({"model": "base", "messages": HELLO} | changes).encode())


def refusal(**changes: object) -> dict[str, Any]:
    """The error that a request is answered with."""
    with pytest.raises(ApiError) as caught:
        parse(**changes)

    assert caught.value.status == 400
    return caught.value.error


def test_what_is_left_out_has_the_defaults_of_the_api() -> None:
    request = parse()

    assert request.sampling == Sampling(temperature=1, top_p=1)
    assert (request.choices, request.max_tokens, request.stop, request.stream) == (1, None, (), False)
    assert (request.may_call, request.call, request.parallel_calls) == (False, None, True)
    assert request.top_logprobs is None


def test_null_is_as_good_as_left_out() -> None:
    nulls = dict.fromkeys(["temperature", "tools", "tool_choice", "stop", "n", "response_format", "logprobs"])

    assert parse(seed=1, **nulls) == parse(seed=1)


def test_without_a_seed_two_requests_get_different_ones() -> None:
    assert parse().seed != parse().seed


@given(st.integers())
def test_any_whole_number_is_a_seed(seed: int) -> None:
    assert 0 <= parse(seed=seed).seed < 2**64


@pytest.mark.parametrize(
    ("changes", "may_call", "call"),
    [
        ({"tools": [TOOL]}, True, None),
        ({"tools": [TOOL], "tool_choice": "auto"}, True, None),
        ({"tools": [TOOL], "tool_choice": "none"}, False, None),
        ({"tools": [TOOL], "tool_choice": "required"}, True, ""),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "find"}}}, True, "find"),
        ({"tool_choice": "none"}, False, None),
    ],
)
def test_calls_are_allowed_and_forced_as_asked(
    changes: dict[str, object], may_call: bool, call: str | None
) -> None:
    request = parse(**changes)

    assert (request.may_call, request.call) == (may_call, call)


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
    ],
)
def test_the_limit_of_tokens_has_two_names(changes: dict[str, object], limit: int) -> None:
    assert parse(**changes).max_tokens == limit


def test_a_stop_sequence_may_stand_alone() -> None:
    assert parse(stop="ü").stop == ("ü".encode(),)
    assert parse(stop=["a", "b"]).stop == (b"a", b"b")


@pytest.mark.parametrize(
    "changes",
    [
        {"response_format": {"type": "text"}},
        {"logit_bias": {}},
        {"presence_penalty": 0},
        {"frequency_penalty": 0.0},
        {"modalities": ["text"]},
        {"user": "me"},
        {"metadata": {"a": "b"}},
        {"store": False},
    ],
)
def test_what_changes_nothing_is_accepted(changes: dict[str, object]) -> None:
    assert parse(seed=1, **changes) == parse(seed=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("response_format", {"type": "json_object"}),
        ("logit_bias", {"1": 2}),
        ("presence_penalty", 0.5),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "x"}),
        ("functions", []),
        ("reasoning_effort", "low"),
        ("temprature", 0),
    ],
)
def test_what_the_server_can_not_do_is_refused_by_name(name: str, value: object) -> None:
    assert refusal(**{name: value}) == {
        "message": f"this server does not support '{name}'",
        "type": "invalid_request_error",
        "param": name,
        "code": "unsupported_parameter",
    }


@pytest.mark.parametrize(
    ("changes", "param", "message"),
    [
        ({"model": None}, "model", "'model' must be a text"),
        ({"temperature": 2.5}, "temperature", "'temperature' must be a number from 0 to 2"),
        ({"temperature": True}, "temperature", "'temperature' must be a number from 0 to 2"),
        ({"top_p": -1}, "top_p", "'top_p' must be a number from 0 to 1"),
        ({"max_tokens": 0}, "max_tokens", "'max_tokens' must be a whole number from 1"),
        ({"n": 17}, "n", "'n' must be a whole number from 1 to 16"),
        ({"n": 1.0}, "n", "'n' must be a whole number from 1 to 16"),
        ({"seed": "x"}, "seed", "'seed' must be a whole number"),
        ({"stop": [""]}, "stop", "'stop' must be a text or up to four texts, none of them empty"),
        ({"stop": [*"abcde"]}, "stop", "'stop' must be a text or up to four texts, none of them empty"),
        ({"stream": 1}, "stream", "'stream' must be true or false"),
        ({"top_logprobs": 2}, "top_logprobs", "'top_logprobs' needs 'logprobs': true"),
        (
            {"logprobs": True, "top_logprobs": 21},
            "top_logprobs",
            "'top_logprobs' must be a whole number from 0 to 20",
        ),
        (
            {"stream_options": {}},
            "stream_options",
            "'stream_options' must be an object, and needs 'stream': true",
        ),
        (
            {"tool_choice": "required"},
            "tool_choice",
            "'tool_choice' asks for a call, but there are no 'tools'",
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "seek"}}},
            "tool_choice",
            "'tool_choice' must be none, auto, required, or name one of: find",
        ),
        ({"tools": {}}, "tools", "'tools' must be a list"),
        (
            {"tools": [{"type": "custom"}]},
            "tools[0]",
            "tools[0]: this server knows only tools of the type 'function'",
        ),
        (
            {"tools": [{"type": "function", "function": {}}]},
            "tools[0].function",
            "tools[0].function.name is missing",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": []}}}]},
            "tools[0].function.parameters",
            "tools[0].function.parameters must be a JSON Schema of an object",
        ),
        ({"messages": []}, "messages", "'messages' must be a list of at least one message"),
        (
            {"messages": [{"role": "bot", "content": ""}]},
            "messages[0].role",
            "messages[0].role must be one of system, developer, user, assistant, tool",
        ),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "messages[0].content is missing"),
        (
            {"messages": [{"role": "user", "content": 3}]},
            "messages[0].content",
            "messages[0].content must be a text or a list of parts",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content",
            "messages[0].content[0]: this server reads only parts of the type 'text'",
        ),
        (
            {"messages": [{**CALLED, "role": "user"}]},
            "messages[0].tool_calls",
            "messages[0].tool_calls must be a list, in a message of the assistant",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f"}}]}]},
            "messages[0].tool_calls[0]",
            "messages[0].tool_calls[0] must have an id and a function with a name and arguments, all texts",
        ),
        (
            {"messages": [ANSWERED]},
            "messages[0].tool_call_id",
            "messages[0].tool_call_id names no call that is still open",
        ),
        ({"messages": [CALLED, *HELLO]}, "messages[1]", "messages[1]: no tool has answered c1 yet"),
        ({"messages": [CALLED]}, "messages", "messages: no tool has answered c1 yet"),
    ],
)
def test_a_mistake_is_refused_with_the_place_where_it_is(
    changes: dict[str, object], param: str, message: str
) -> None:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}

    assert refusal(**changes) == error


def test_a_call_and_its_answer_are_a_conversation() -> None:
    assert len(parse(messages=[*HELLO, CALLED, ANSWERED]).messages) == 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}}", "the body is not JSON: Extra data: line 1 column 3 (char 2)"),
        (b"", "the body is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"a": NaN}', "the body is not JSON: NaN is no JSON"),
        (b"[]", "the body is not a JSON object"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_request(body)

    assert str(caught.value) == message


@given(st.binary())
def test_no_body_whatever_breaks_the_parser(body: bytes) -> None:
    with pytest.raises(ApiError):
        parse_request(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool"])},
        optional={"content": JSON, "tool_calls": JSON, "tool_call_id": JSON},
    )
)
NAMES = ["messages", "tools", "tool_choice", "stop", "n", "seed", "temperature", "stream_options", "logprobs"]


@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_no_value_of_a_parameter_breaks_the_parser(changes: dict[str, object]) -> None:
    with suppress(ApiError):
        assert parse(**changes).model == "base"


@given(MESSAGES, JSON)
def test_no_message_and_no_tool_breaks_the_parser_or_the_template(
    messages: list[dict[str, Any]], function: object
) -> None:
    tools = [{"type": "function", "function": function}]
    with suppress(ApiError):
        request = parse(messages=messages, tools=tools)
        assert parts(request.messages, request.tools)[-1] == ("<assistant>", "")

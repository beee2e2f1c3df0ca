from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.models.endpoints.bodies import MalformedAnswer, error_code
from pytest_ftgate.models.endpoints.chat_answer import parse_chat_completion


def body_with(message: Any, **choice: Any) -> bytes:
    return json.dumps({"choices": [{"message": message, **choice}]}).encode()


def text_of(message: Any) -> str:
    return parse_chat_completion(body_with(message)).text


def calls_of(*calls: Any) -> tuple[ToolCall, ...]:
    return parse_chat_completion(body_with({"tool_calls": list(calls)})).tool_calls


def call(arguments: Any, name: str = "f") -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=4), part, max_size=4),
    max_leaves=20,
)
FIELDS = (
    "choices",
    "message",
    "content",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "usage",
    "logprobs",
    "refusal",
)


@given(st.binary())
def test_any_bytes_are_an_answer_or_malformed(body: bytes) -> None:
    with contextlib.suppress(MalformedAnswer):
        assert isinstance(parse_chat_completion(body), Completion)


@given(
    st.recursive(
        JSON,
        lambda part: st.dictionaries(st.sampled_from(FIELDS), part | st.lists(part, max_size=2), max_size=4),
    )
)
def test_any_message_is_an_answer_or_malformed(message: Any) -> None:
    with contextlib.suppress(MalformedAnswer):
        assert isinstance(parse_chat_completion(body_with(message)), Completion)


def test_content_may_come_in_parts() -> None:
    assert text_of({"content": [{"type": "text", "text": "Pa"}, {"type": "text", "text": "ris"}]}) == "Paris"


def test_no_content_is_an_empty_text() -> None:
    assert text_of({"content": None}) == text_of({}) == ""


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"content": 7}, "the message's content is a int: "),
        ({"content": {"text": "x"}}, "the message's content is a dict: "),
        (None, "its first choice has no message: "),
        ({"tool_calls": {"a": 1}}, "tool_calls is not a list: "),
        ({"tool_calls": [{"function": {}}]}, "a tool call has no function name: "),
        ({"tool_calls": ["f()"]}, "a tool call has no function name: "),
    ],
)
def test_a_message_of_another_shape_is_malformed(message: Any, said: str) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        parse_chat_completion(body_with(message))

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    "arguments",
    [
        '{"city": "Tok',
        "[1]",
        '"x"',
        "null",
        "city=Tokyo",
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": 1, "a": 2}',
        "[" * 9999,
    ],
)
def test_arguments_that_are_no_json_object_are_kept_as_text(arguments: str) -> None:
    assert calls_of(call(arguments)) == (ToolCall(name="f", arguments=None, text=arguments),)


@pytest.mark.parametrize("arguments", ['{"city": "Tokyo"}', {"city": "Tokyo"}])
def test_arguments_may_be_text_or_an_object(arguments: Any) -> None:
    assert calls_of(call(arguments)) == (ToolCall(name="f", arguments={"city": "Tokyo"}),)


@pytest.mark.parametrize("arguments", ["", "  ", None, "{}"])
def test_no_arguments_are_an_empty_object(arguments: Any) -> None:
    assert calls_of(call(arguments)) == (ToolCall(name="f", arguments={}),)


def test_a_custom_tools_input_is_text() -> None:
    custom = {"type": "custom", "custom": {"name": "sql", "input": "select 1"}}

    assert calls_of(custom) == (ToolCall(name="sql", arguments=None, text="select 1"),)


def test_the_old_form_of_a_call_is_read() -> None:
    answer = parse_chat_completion(
        body_with({"content": None, "function_call": {"name": "f", "arguments": "{}"}})
    )

    assert answer.tool_calls == (ToolCall(name="f", arguments={}),)


@pytest.mark.parametrize(
    "usage", [None, 5, {"prompt_tokens": "9"}, {"prompt_tokens": -1}, {"prompt_tokens": True}]
)
def test_token_counts_that_are_none_are_unknown(usage: Any) -> None:
    body = json.dumps({"choices": [{"message": {"content": "x"}}], "usage": usage}).encode()

    assert parse_chat_completion(body).usage == Usage()


@pytest.mark.parametrize("values", [[-0.1, None], [-0.1, float("nan")], ["x"], [-float("inf")], [10**400]])
def test_log_probabilities_with_gaps_are_none(values: list[Any]) -> None:
    tokens = {"content": [{"token": "x", "logprob": value} for value in values]}

    assert parse_chat_completion(body_with({"content": "x"}, logprobs=tokens)).logprobs is None


def test_an_error_of_azure_names_its_code() -> None:
    assert error_code(b'{"error": {"code": "content_filter", "status": 400}}') == "content_filter"
    assert error_code(b'{"error": {"type": "insufficient_quota", "code": null}}') == "insufficient_quota"
    assert error_code(b"<html>") is None
    assert error_code(b'{"error": "no"}') is None

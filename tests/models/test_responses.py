"""The Responses API: how a case is asked there, and how its answers read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter

from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.models.endpoints.apis import APIS, Asked
from pytest_ftgate.models.endpoints.bodies import FailedAnswer, MalformedAnswer
from pytest_ftgate.models.endpoints.responses_answer import parse_response

#: What the openai package says a request is. Names that it does not know are dropped, and so found.
REQUEST = TypeAdapter(ResponseCreateParamsNonStreaming)
HELLO = {"role": "user", "content": "Hello?"}


def body_of(
    *messages: Mapping[str, Any], tools: Sequence[Mapping[str, Any]] = (), **params: Any
) -> dict[str, Any]:
    asked = Asked(model="ft:gpt", messages=messages or (HELLO,), tools=tools, params=params)
    body = APIS["responses"].body(asked)
    known = _read_out(REQUEST.validate_python(body))
    assert {name: part for name, part in body.items() if name != "seed"} == known
    return body


def _read_out(value: Any) -> Any:
    """Iterables are only looked at as they are read."""
    if isinstance(value, Mapping):
        return {name: _read_out(part) for name, part in value.items()}
    is_plain = isinstance(value, str | int | float | None)
    return value if is_plain else [_read_out(part) for part in value]


def items_of(*messages: Mapping[str, Any]) -> Any:
    return body_of(*messages)["input"]


def test_a_request_holds_model_input_and_parameters_and_is_not_kept() -> None:
    assert body_of(temperature=0) == {
        "model": "ft:gpt",
        "input": [{"role": "user", "content": "Hello?"}],
        "temperature": 0,
        "store": False,
    }


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
def test_messages_of_all_speakers_keep_their_place(role: str) -> None:
    messages = ({"role": role, "content": "Be brief.", "name": "x"}, HELLO)

    assert items_of(*messages) == [{"role": role, "content": "Be brief."}, HELLO]


def test_content_parts_of_a_user_become_input_parts() -> None:
    image, small = {"url": "https://x/y.png"}, {"url": "data:image/png;base64,AA==", "detail": "low"}
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": image},
        {"type": "image_url", "image_url": small},
    ]

    assert items_of({"role": "user", "content": parts})[0]["content"] == [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "auto"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
    ]


def test_content_parts_of_the_assistant_become_one_text() -> None:
    parts = [{"type": "text", "text": "Pa"}, {"type": "text", "text": "ris"}]

    assert items_of({"role": "assistant", "content": parts}) == [{"role": "assistant", "content": "Paris"}]


def test_calls_and_their_results_become_items_of_their_own() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    bare = {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}
    messages = (
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
        {"role": "assistant", "content": "One more.", "tool_calls": [bare]},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "43"}]},
    )

    assert items_of(*messages) == [
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "42"},
        {"role": "assistant", "content": "One more."},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "43"}]},
    ]


def test_tools_are_flat_and_as_lenient_as_in_chat() -> None:
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
    tools = [{"type": "function", "function": function}, {"type": "function", "function": {"name": "g"}}]

    assert body_of(tools=tools)["tools"] == [
        {"type": "function", **function},
        {
            "type": "function",
            "name": "g",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
    ]


def test_what_already_has_the_form_of_the_api_goes_as_it_is() -> None:
    part = {"type": "input_text", "text": "Hello?"}
    tool = {"type": "function", "name": "f", "parameters": None, "strict": None}

    body = body_of({"role": "user", "content": [part]}, tools=[tool])

    assert (body["input"][0]["content"], body["tools"]) == ([part], [tool])


SCHEMA = {"name": "answer", "schema": {"type": "object"}, "strict": True}
FLAT_SCHEMA = {"type": "json_schema", **SCHEMA}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"max_tokens": 20}, {"max_output_tokens": 20}),
        ({"max_completion_tokens": 30, "max_tokens": 20}, {"max_output_tokens": 30}),
        ({"max_output_tokens": 40, "max_tokens": 20}, {"max_output_tokens": 40}),
        ({"response_format": {"type": "json_object"}}, {"text": {"format": {"type": "json_object"}}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
            {"text": {"format": FLAT_SCHEMA}},
        ),
        (
            {"response_format": {"type": "text"}, "verbosity": "low", "text": {"verbosity": "high"}},
            {"text": {"format": {"type": "text"}, "verbosity": "high"}},
        ),
        ({"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}),
        (
            {"reasoning_effort": "low", "reasoning": {"summary": "auto"}},
            {"reasoning": {"effort": "low", "summary": "auto"}},
        ),
        ({"logprobs": True}, {"include": ["message.output_text.logprobs"]}),
        ({"logprobs": False}, {}),
        (
            {"logprobs": True, "top_logprobs": 2, "include": ["reasoning.encrypted_content"]},
            {"top_logprobs": 2, "include": ["reasoning.encrypted_content", "message.output_text.logprobs"]},
        ),
        ({"tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"tool_choice": {"type": "function", "name": "f"}},
        ),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {
                        "mode": "auto",
                        "tools": [{"type": "function", "function": {"name": "f"}}],
                    },
                }
            },
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "function", "name": "f"}],
                }
            },
        ),
        ({"store": True}, {"store": True}),
        ({"seed": 7, "top_p": 1}, {"seed": 7, "top_p": 1}),
    ],
)
def test_parameters_go_by_the_names_that_they_have_there(
    params: dict[str, Any], expected: dict[str, Any]
) -> None:
    given = dict(params)

    body = body_of(**params)

    assert {name: body[name] for name in body if name not in ("model", "input")} == {
        "store": False
    } | expected
    assert params == given


def answer_of(*output: Mapping[str, Any], **fields: Any) -> Completion:
    return parse_response(json.dumps({"status": "completed", "output": list(output), **fields}).encode())


def refusal(body: object) -> str:
    with pytest.raises(MalformedAnswer) as caught:
        parse_response(json.dumps(body).encode())
    return str(caught.value)


def message(*parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(parts)}


def text(said: str, *logprobs: Any) -> dict[str, Any]:
    tokens = [{"token": "x", "logprob": value} for value in logprobs]
    return {"type": "output_text", "text": said, "annotations": [], "logprobs": tokens}


def test_the_text_is_that_of_all_messages_and_not_of_the_reasoning() -> None:
    reasoning = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}

    answer = answer_of(reasoning, message(text("Pa"), text("ris")), message(text("!")), model="gpt-5")

    assert (answer.text, answer.finish_reason, answer.model) == ("Paris!", "stop", "gpt-5")


def test_a_refusal_is_an_answer() -> None:
    answer = answer_of(message({"type": "refusal", "refusal": "I can't help with that."}))

    assert (answer.text, answer.refusal, answer.finish_reason) == ("", "I can't help with that.", "stop")


def test_function_calls_are_parsed() -> None:
    answer = answer_of(
        {"type": "function_call", "name": "f", "arguments": '{"a": 1}', "call_id": "c1"},
        {"type": "function_call", "name": "g", "arguments": ""},
        {"type": "function_call", "name": "h", "arguments": "a=1"},
        {"type": "custom_tool_call", "name": "sql", "input": "{}"},
    )

    assert answer.finish_reason == "tool_calls"
    assert answer.tool_calls == (
        ToolCall(name="f", arguments={"a": 1}),
        ToolCall(name="g", arguments={}),
        ToolCall(name="h", arguments=None, text="a=1"),
        ToolCall(name="sql", arguments=None, text="{}"),
    )


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"reason": "max_output_tokens"}, "length"),
        ({"reason": "content_filter"}, "content_filter"),
        ({"reason": "max_messages"}, "max_messages"),
        ({"reason": None}, "incomplete"),
        (None, "incomplete"),
    ],
)
def test_an_incomplete_response_says_why_in_the_words_of_chat(details: Any, reason: str) -> None:
    answer = answer_of(message(text("Par")), status="incomplete", incomplete_details=details)

    assert (answer.text, answer.finish_reason) == ("Par", reason)


def test_token_counts_and_their_absence() -> None:
    assert answer_of(usage={"input_tokens": 9, "output_tokens": 3}).usage == Usage(
        input_tokens=9, output_tokens=3
    )
    assert answer_of(usage={"input_tokens": -1}).usage == answer_of(usage=None).usage == Usage()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([text("Pa", -0.1), text("ris", -0.2, -0.3)], (-0.1, -0.2, -0.3)),
        ([text("Paris")], None),
        ([text("Pa", -0.1), text("ris")], None),
        ([text("Paris", -0.1, None)], None),
        ([text("Paris", -0.1), text("")], (-0.1,)),
        ([], None),
    ],
)
def test_log_probabilities_are_those_of_the_whole_text_or_none(
    parts: list[dict[str, Any]], expected: tuple[float, ...] | None
) -> None:
    assert answer_of(message(*parts)).logprobs == expected


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"status": "completed"}, 'the body has no output: "{\\"status\\": \\"completed\\"}"'),
        ({"output": [7]}, 'the body has no output: "{\\"output\\": [7]}"'),
        (
            {"status": "queued", "output": []},
            'the response is not completed: "{\\"status\\": \\"queued\\", \\"output\\": []}"',
        ),
        (
            {"output": [{"type": "message", "content": "x"}]},
            "the content of a message is not a list: "
            '"{\\"output\\": [{\\"type\\": \\"message\\", \\"content\\": \\"x\\"}]}"',
        ),
        ({"output": [message(7)]}, "a content part is not an object: "),  # type: ignore[arg-type] # as endpoints may
        (
            {"output": [message({"type": "output_text", "text": 7})]},
            'the text of a content part is a int: "7"',
        ),
        ({"output": [{"type": "function_call"}]}, "a function call has no name: "),
        ({"status": "failed", "error": None}, 'the response failed: "null"'),
    ],
)  # fmt: skip
def test_what_is_no_response_is_malformed(body: object, said: str) -> None:
    assert refusal(body).startswith(said)


def test_a_failed_response_keeps_its_code() -> None:
    with pytest.raises(FailedAnswer) as caught:
        answer_of(status="failed", error={"code": "server_error", "message": "oops"})

    assert caught.value.code == "server_error"
    assert str(caught.value) == (
        'the body is an error: "{\\"code\\": \\"server_error\\", \\"message\\": \\"oops\\"}"'
    )


FIELDS = (
    "output",
    "type",
    "message",
    "content",
    "text",
    "output_text",
    "status",
    "logprobs",
    "name",
    "usage",
)
ANY = st.recursive(
    st.none() | st.integers() | st.sampled_from(FIELDS),
    lambda part: st.dictionaries(st.sampled_from(FIELDS), part | st.lists(part, max_size=2), max_size=4),
)


@given(st.binary() | ANY.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_an_answer_or_malformed(body: bytes) -> None:
    with contextlib.suppress(MalformedAnswer):
        assert isinstance(parse_response(body), Completion)

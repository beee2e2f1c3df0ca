"""A streamed answer is the answer that it would have been without streaming."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.models.endpoints.apis import APIS
from pytest_ftgate.models.endpoints.bodies import FailedAnswer, MalformedAnswer
from pytest_ftgate.models.endpoints.event_stream import parse_events
from pytest_ftgate.models.endpoints.settings import ApiName
from tests.support.server import Reply
from tests.support.streams import DONE, event

BOTH: tuple[ApiName, ...] = ("chat", "responses")
ASKED = {"model": "ft:gpt", "stream": True}


def answer_of(api: ApiName, events: Iterable[bytes]) -> Completion:
    collected = APIS[api].collect(parse_events(b"".join(events)))
    return APIS[api].parse(json.dumps(collected.payload).encode())


def content_of(api: ApiName, events: Iterable[bytes]) -> int | None:
    return APIS[api].collect(parse_events(b"".join(events))).content_end


def refusal(api: ApiName, *events: bytes) -> str:
    with pytest.raises(MalformedAnswer) as caught:
        answer_of(api, events)
    return str(caught.value)


TEXTS = st.text(max_size=12)
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["f", "get_weather"]),
            "arguments": st.sampled_from(["", "{}", '{"city": "Tōkyō"}']),
        }
    ),
    max_size=3,
)
REPLIES = st.builds(
    Reply,
    text=TEXTS,
    refusal=st.none() | TEXTS,
    tool_calls=CALLS,
    finish_reason=st.sampled_from(["stop", "length", "content_filter"]),
    logprobs=st.none() | st.lists(st.floats(-9, 0), min_size=1, max_size=3),
    usage=st.none() | st.just((10, 5)),
)


@pytest.mark.parametrize("api", BOTH)
@given(reply=REPLIES)
def test_it_is_equal_to_the_whole_one(api: ApiName, reply: Reply) -> None:
    path = APIS[api].path
    events = reply.events(path, ASKED)

    assert events is not None
    assert answer_of(api, events) == APIS[api].parse(reply.content(path, ASKED))


@pytest.mark.parametrize("api", BOTH)
@given(reply=REPLIES, data=st.data())
def test_one_that_ends_early_is_never_an_answer(api: ApiName, reply: Reply, data: Any) -> None:
    path = APIS[api].path
    body = b"".join(reply.events(path, ASKED) or ())
    # In chat it is whole with its reason to finish, though the count of tokens is then missing.
    last = body.index(b'"finish_reason": "') if api == "chat" else body.rindex(b"data: ")
    end = data.draw(st.integers(0, last))

    assert refusal(api, body[:end])


FIELDS = (
    "type", "choices", "delta", "index", "tool_calls", "function", "name", "arguments", "content", "logprobs",
    "response", "output", "output_index", "item", "status", "error", "response.completed",
)  # fmt: skip
ROWS = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.sampled_from(FIELDS),
    lambda part: st.dictionaries(st.sampled_from(FIELDS), part | st.lists(part, max_size=2), max_size=4),
)


@pytest.mark.parametrize("api", BOTH)
@given(rows=st.lists(ROWS, max_size=3))
def test_any_events_are_an_answer_or_malformed(api: ApiName, rows: list[Any]) -> None:
    with contextlib.suppress(MalformedAnswer):
        assert isinstance(answer_of(api, [*map(event, rows), DONE]), Completion)


def chunk(finish_reason: str | None = None, **delta: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})


def call(index: int | None, **function: str) -> dict[str, Any]:
    return {"function": function} | ({} if index is None else {"index": index})


END = chunk("stop")


def test_calls_are_put_together_by_their_index_and_not_by_their_order() -> None:
    events = [
        chunk(tool_calls=[call(1, name="g", arguments="")]),
        chunk(tool_calls=[call(0, name="f", arguments="{")]),
        chunk(tool_calls=[call(1, arguments='{"a": 1}'), call(0, arguments="}")]),
        END,
    ]

    assert answer_of("chat", events).tool_calls == (
        ToolCall(name="f", arguments={}),
        ToolCall(name="g", arguments={"a": 1}),
    )


def test_calls_without_an_index_begin_with_their_name() -> None:
    events = [
        chunk(tool_calls=[call(None, name="f", arguments="{")]),
        chunk(tool_calls=[call(None, arguments="}")]),
        chunk(tool_calls=[call(None, name="g", arguments="{}")]),
        END,
    ]

    assert [one.name for one in answer_of("chat", events).tool_calls] == ["f", "g"]


def test_a_name_that_is_repeated_with_each_piece_is_one_name() -> None:
    pieces = [chunk(tool_calls=[call(0, name="f", arguments=piece)]) for piece in ("{", "}")]

    assert answer_of("chat", [*pieces, END]).tool_calls == (ToolCall(name="f", arguments={}),)


def test_the_old_form_of_a_call_is_put_together_too() -> None:
    events = [
        chunk(function_call={"name": "f", "arguments": "{"}),
        chunk(function_call={"arguments": "}"}),
        END,
    ]

    assert answer_of("chat", events).tool_calls == (ToolCall(name="f", arguments={}),)


def test_only_the_first_choice_is_the_answer() -> None:
    other = event({"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": "stop"}]})

    assert answer_of("chat", [other, chunk(content="yes"), END]).text == "yes"


def test_a_count_of_tokens_in_every_chunk_counts_once() -> None:
    rows = [{"choices": [{"delta": {"content": "x"}}], "usage": {"completion_tokens": n}} for n in (1, 2)]

    assert answer_of("chat", [*map(event, rows), END]).usage.output_tokens == 2


def test_without_done_a_reason_to_finish_is_the_end() -> None:
    assert answer_of("chat", [chunk(content="Paris"), END]).text == "Paris"


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([DONE], "the stream has no choices"),
        ([], "the stream has no choices"),
        ([chunk(content="Par")], "the stream ends before the answer does"),
        ([event({"choices": 7})], 'the choices of a chunk are not a list: "{\\"choices\\": 7}"'),
        ([event({"choices": [7]})], 'a choice of a chunk is not an object: "{\\"choices\\": [7]}"'),
        ([event({"choices": [{"delta": 7}]})], 'the delta of a chunk is not an object: "{\\"delta\\": 7}"'),
        ([chunk(content=7)], "the message's content is a int: \"7\""),
        ([chunk(tool_calls=7)], 'tool_calls is not a list: "{\\"tool_calls\\": 7}"'),
        ([chunk(tool_calls=[7])], 'a piece of a tool call is not an object: "7"'),
        (
            [chunk(tool_calls=[{"index": "0"}])],
            'the index of a tool call is not a number: "{\\"index\\": \\"0\\"}"',
        ),
        ([chunk(function_call=7)], 'a piece of a tool call is not an object: "7"'),
        (
            [chunk(function_call={"arguments": {}})],
            'the arguments of a tool call are not text: "{\\"arguments\\": {}}"',
        ),
        (
            [chunk(content="x"), event({"error": {"message": "overloaded", "code": 503}})],
            'the stream holds an error: "{\\"message\\": \\"overloaded\\", \\"code\\": 503}"',
        ),
        ([event({"message": "no"}, "error")], 'the stream holds an error: "{\\"message\\": \\"no\\"}"'),
    ],
)  # fmt: skip
def test_chunks_that_make_no_answer_are_malformed(events: list[bytes], said: str) -> None:
    assert refusal("chat", *events) == said


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], "the stream ends before the answer does"),
        (
            [event({"type": "response.output_text.delta", "delta": "x"}), DONE],
            "the stream ends before the answer does",
        ),
        (
            [event({"type": "response.completed"})],
            'the last event has no response: "{\\"type\\": \\"response.completed\\"}"',
        ),
        (
            [event({"type": "error", "message": "no"})],
            'the stream holds an error: "{\\"type\\": \\"error\\", \\"message\\": \\"no\\"}"',
        ),
        (
            [event({"type": "response.failed", "response": {"status": "failed", "error": {"code": "x"}}})],
            'the body is an error: "{\\"code\\": \\"x\\"}"',
        ),
    ],
)  # fmt: skip
def test_events_that_make_no_response_are_malformed(events: list[bytes], said: str) -> None:
    assert refusal("responses", *events) == said


@pytest.mark.parametrize("api", BOTH)
def test_an_error_in_a_stream_keeps_its_code(api: ApiName) -> None:
    said = event({"type": "error", "error": {"code": "rate_limit_exceeded", "message": "slow down"}})

    with pytest.raises(FailedAnswer) as caught:
        answer_of(api, [said])

    assert caught.value.code == "rate_limit_exceeded"


def test_a_response_whose_last_event_is_empty_is_made_of_the_items_before() -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "Paris"}]}
    events = [
        event({"type": "response.output_item.done", "output_index": 1, "item": message}),
        event({"type": "response.output_item.done", "output_index": 0, "item": {"type": "reasoning"}}),
        event({"type": "response.completed", "response": {"status": "completed", "output": []}}),
    ]

    assert answer_of("responses", events).text == "Paris"


@pytest.mark.parametrize(
    "reply",
    [Reply(text="Paris"), Reply(refusal="No."), Reply(tool_calls=[{"name": "f", "arguments": ""}])],
    ids=["text", "refusal", "tool call"],
)
@pytest.mark.parametrize("api", BOTH)
def test_content_begins_with_the_first_piece_of_text_refusal_or_call(api: ApiName, reply: Reply) -> None:
    events = reply.events(APIS[api].path, ASKED)

    assert events is not None
    first = next(at for at, one in enumerate(events) if b"Par" in one or b"No." in one or b'"name"' in one)
    assert content_of(api, events) == len(b"".join(events[: first + 1])) - len(b"\n\n")


@pytest.mark.parametrize("api", BOTH)
def test_an_empty_answer_has_no_first_content(api: ApiName) -> None:
    assert content_of(api, Reply(text="").events(APIS[api].path, ASKED) or ()) is None

"""The server of the tests speaks as OpenAI does: by the types of the openai package."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from pytest_ftgate.models.endpoints.event_stream import parse_events
from tests.support.server import Reply

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
CALLS = [{"name": "f", "arguments": '{"a": 1}'}, {"name": "g", "arguments": ""}]
REPLIES = [
    Reply(text="Paris"),
    Reply(text="Pa", finish_reason="length", logprobs=[-0.5]),
    Reply(text="x", refusal="No.", usage=None),
    Reply(tool_calls=CALLS, finish_reason="tool_calls"),
]


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize(("path", "kind"), [(CHAT, ChatCompletion), (RESPONSES, Response)])
def test_whole_answers_are_what_the_package_reads(path: str, kind: Any, reply: Reply) -> None:
    TypeAdapter(kind).validate_python(json.loads(reply.content(path, {"model": "x"})))


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize(("path", "kind"), [(CHAT, ChatCompletionChunk), (RESPONSES, ResponseStreamEvent)])
def test_events_are_what_the_package_reads(path: str, kind: Any, reply: Reply) -> None:
    body = b"".join(reply.events(path, {"model": "x", "stream": True}) or [])

    events = [event for event in parse_events(body) if not event.is_done]

    assert len(events) > 2
    for event in events:
        TypeAdapter(kind).validate_python(event.payload())

"""The APIs that an endpoint may speak, as one table: where it is asked, in which words, and how it answers.

No I/O. A further API is its own modules and a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.cases import message_text
from pytest_ftgate.completions import Completion
from pytest_ftgate.models.endpoints.chat_answer import parse_chat_completion
from pytest_ftgate.models.endpoints.chat_stream import collect_chat
from pytest_ftgate.models.endpoints.embedding_answer import parse_embedding
from pytest_ftgate.models.endpoints.event_stream import Collected, Event
from pytest_ftgate.models.endpoints.responses_answer import parse_response
from pytest_ftgate.models.endpoints.responses_request import input_items, responses_params, responses_tools
from pytest_ftgate.models.endpoints.responses_stream import collect_response
from pytest_ftgate.models.endpoints.settings import ApiName


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request says, in the form of chat completions, whichever API it goes to."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    params: Mapping[str, Any]
    stream: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One API. `noun` is what an answer is called; `collect` makes of a stream the body without streaming."""

    path: str
    noun: str
    body: Callable[[Asked], dict[str, Any]]
    parse: Callable[[bytes], Completion]
    collect: Callable[[Iterable[Event]], Collected]


def _chat_body(asked: Asked) -> dict[str, Any]:
    body = {**asked.params, "model": asked.model, "messages": list(asked.messages)}
    if asked.tools:
        body["tools"] = list(asked.tools)
    if asked.stream:
        options = asked.params.get("stream_options") or {}
        body |= {"stream": True, "stream_options": {"include_usage": True, **options}}
    return body


def _responses_body(asked: Asked) -> dict[str, Any]:
    body = {**responses_params(asked.params), "model": asked.model, "input": input_items(asked.messages)}
    if asked.tools:
        body["tools"] = responses_tools(asked.tools)
    return body | ({"stream": True} if asked.stream else {})


def _embeddings_body(asked: Asked) -> dict[str, Any]:
    text = message_text(asked.messages[-1])
    return {"encoding_format": "float", **asked.params, "model": asked.model, "input": text}


APIS: Mapping[ApiName, Api] = {
    "chat": Api(
        path="/chat/completions",
        noun="chat completion",
        body=_chat_body,
        parse=parse_chat_completion,
        collect=collect_chat,
    ),
    "responses": Api(
        path="/responses",
        noun="response",
        body=_responses_body,
        parse=parse_response,
        collect=collect_response,
    ),
    "embeddings": Api(
        path="/embeddings",
        noun="embedding",
        body=_embeddings_body,
        parse=parse_embedding,
        collect=collect_chat,  # never streamed
    ),
}

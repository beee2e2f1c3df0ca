"""Answers in the API's JSON: whole, or as the chunks of a stream."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .answering import Answering
from .models import Model
from .reading import Piece
from .requests import ChatRequest


def completion(answering: Answering, pieces: Iterable[Piece]) -> dict[str, Any]:
    """The body of an answer that is not streamed, from all its pieces."""
    request = answering.request
    by_choice: list[list[Piece]] = [[] for _ in range(request.choices)]
    for piece in pieces:
        by_choice[piece.choice].append(piece)
    return {
        **_head(answering.model, "chat.completion"),
        "choices": [_choice(index, own, request) for index, own in enumerate(by_choice)],
        "usage": answering.usage.as_json(),
    }


def chunks(answering: Answering, pieces: Iterable[Piece]) -> Iterator[dict[str, Any]]:
    """The events of a streamed answer, as its pieces come."""
    head = _head(answering.model, "chat.completion.chunk")
    if answering.request.stream_usage:
        head["usage"] = None
    for piece in pieces:
        choice = {
            "index": piece.choice,
            "delta": piece.delta,
            "logprobs": _logprobs(piece.logprobs) if piece.logprobs else None,
            "finish_reason": piece.finish_reason,
        }
        yield {**head, "choices": [choice]}
    if answering.request.stream_usage:
        yield {**head, "choices": [], "usage": answering.usage.as_json()}


def _head(model: Model, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": kind,
        "created": int(time.time()),
        "model": model.name,
        "system_fingerprint": model.fingerprint,
    }


def _choice(index: int, pieces: Sequence[Piece], request: ChatRequest) -> dict[str, Any]:
    logprobs = [entry for piece in pieces for entry in piece.logprobs]
    return {
        "index": index,
        "message": _message(pieces),
        "logprobs": None if request.top_logprobs is None else _logprobs(logprobs),
        "finish_reason": pieces[-1].finish_reason,
    }


def _message(pieces: Sequence[Piece]) -> dict[str, Any]:
    """The sum of a message's deltas."""
    content = "".join(piece.delta.get("content", "") for piece in pieces)
    calls: list[dict[str, Any]] = []
    for delta in (call for piece in pieces for call in piece.delta.get("tool_calls", ())):
        if "id" in delta:
            calls.append({"id": delta["id"], "type": "function", "function": dict(delta["function"])})
        else:
            calls[delta["index"]]["function"]["arguments"] += delta["function"]["arguments"]
    message = {"role": "assistant", "content": content, "refusal": None}
    return message | {"content": content or None, "tool_calls": calls} if calls else message


def _logprobs(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"content": list(entries), "refusal": None}

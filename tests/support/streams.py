"""How OpenAI streams an answer: the events that a whole one is taken apart into."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def event(payload: Mapping[str, Any], name: str = "") -> bytes:
    """One event, as it goes over the wire."""
    named = f"event: {name}\n" if name else ""
    return f"{named}data: {json.dumps(payload)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def chat_events(whole: Mapping[str, Any]) -> list[bytes]:
    """The chunks of a chat completion: the first says only who speaks, the last counts the tokens."""
    choice = whole["choices"][0]
    message, tokens = choice["message"], (choice.get("logprobs") or {}).get("content")
    chunks: list[dict[str, Any]] = [_delta({"role": "assistant", "content": ""})]
    for name in ("content", "refusal"):
        chunks += [_delta({name: piece}) for piece in _pieces(message.get(name) or "")]
    if tokens is not None:
        chunks += [_delta({}) | {"logprobs": {"content": [token]}} for token in tokens]
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        named = {"name": function["name"], "arguments": ""}
        chunks.append(_delta({"tool_calls": [{**call, "index": index, "function": named}]}))
        chunks += [
            _delta({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            for piece in _pieces(function.get("arguments") or "")
        ]
    chunks.append(_delta({}) | {"finish_reason": choice["finish_reason"]})
    frame = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    counted = [{**frame, "choices": [], "usage": whole["usage"]}] if "usage" in whole else []
    rows = [*({**frame, "choices": [chunk], "usage": None} for chunk in chunks), *counted]
    return [*map(event, rows), DONE]


def _delta(delta: Mapping[str, Any]) -> dict[str, Any]:
    return {"index": 0, "delta": dict(delta), "finish_reason": None}


def response_events(whole: Mapping[str, Any]) -> list[bytes]:
    """The events of a response, of which the last repeats it all."""
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    rows: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    for index, item in enumerate(whole["output"]):
        rows += [{**row, "output_index": index} for row in _item_rows(item)]
    rows.append({"type": f"response.{whole['status']}", "response": dict(whole)})
    return [event({**row, "sequence_number": number}, row["type"]) for number, row in enumerate(rows)]


def _item_rows(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    empty = {name: [] if name == "content" else "" for name in ("content", "arguments") if name in item}
    yield {"type": "response.output_item.added", "item": {**item, **empty}}
    for piece in _pieces(item.get("arguments") or ""):
        yield {"type": "response.function_call_arguments.delta", "item_id": item["id"], "delta": piece}
    for index, part in enumerate(item.get("content") or ()):
        kind, key = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
        where = {"item_id": item["id"], "content_index": index} | ({"logprobs": []} if key == "text" else {})
        for piece in _pieces(part[key]):
            yield {"type": f"response.{kind}.delta", **where, "delta": piece}
    yield {"type": "response.output_item.done", "item": dict(item)}


def _pieces(text: str) -> list[str]:
    return [text[start : start + 3] for start in range(0, len(text), 3)]

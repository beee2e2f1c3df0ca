"""From the body of a response of the Responses API to a `Completion`, trusting nothing in it. No I/O.

A refusal, a content filter, an empty text and function calls are answers; what is none raises
`MalformedAnswer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.models.boundary import safe_text
from pytest_ftgate.models.endpoints.bodies import (
    count_or_none,
    custom_call,
    failed,
    log_probabilities,
    malformed,
    payload_of,
    text_or_none,
    tool_call,
)

#: The words of chat completions, in which scorers think, for the reasons of an incomplete response.
_FINISH_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def parse_response(body: bytes) -> Completion:
    """The response as a completion, without latency, cost and stamp."""
    payload = payload_of(body)
    items = _items(payload)
    parts = _parts(items, payload)
    calls = tuple(_call(item, payload) for item in items if item.get("type") in _CALLS)
    return Completion(
        text=safe_text("".join(_texts(parts, "output_text", "text"))),
        tool_calls=calls,
        finish_reason=_finish_reason(payload, calls),
        refusal=safe_text("".join(_texts(parts, "refusal", "refusal"))) or None,
        usage=_usage(payload.get("usage")),
        logprobs=_logprobs(parts),
        model=text_or_none(payload.get("model")),
        fingerprint=text_or_none(payload.get("system_fingerprint")),
    )


_CALLS = ("function_call", "custom_tool_call")


def _items(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    status = payload.get("status")
    if status == "failed":
        raise failed("the response failed", payload.get("error"))
    if status not in (None, "completed", "incomplete"):
        raise malformed("the response is not completed", payload)
    items = payload.get("output")
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise malformed("the body has no output", payload)
    return items


def _parts(items: Sequence[Mapping[str, Any]], payload: object) -> list[Mapping[str, Any]]:
    """The content parts of all messages, in order; `Response.output_text` of the openai package agrees."""
    contents = [item.get("content") or [] for item in items if item.get("type") == "message"]
    if not all(isinstance(content, list) for content in contents):
        raise malformed("the content of a message is not a list", payload)
    parts = [part for content in contents for part in content]
    if not all(isinstance(part, Mapping) for part in parts):
        raise malformed("a content part is not an object", payload)
    return parts


def _texts(parts: Sequence[Mapping[str, Any]], kind: str, key: str) -> list[str]:
    found = [part.get(key) for part in parts if part.get("type") == kind]
    wrong = next((text for text in found if not isinstance(text, str | None)), None)
    if wrong is not None:
        raise malformed(f"the {key} of a content part is a {type(wrong).__name__}", wrong)
    return [text for text in found if isinstance(text, str)]


def _call(item: Mapping[str, Any], payload: object) -> ToolCall:
    if not isinstance(item.get("name"), str):
        raise malformed("a function call has no name", payload)
    if item["type"] == "custom_tool_call":
        return custom_call(item["name"], item.get("input", ""))
    return tool_call(item["name"], item.get("arguments"))


def _finish_reason(payload: Mapping[str, Any], calls: Sequence[ToolCall]) -> str | None:
    if payload.get("status") is None:
        return None
    if payload["status"] == "completed":
        return "tool_calls" if calls else "stop"
    details = payload.get("incomplete_details")
    reason = text_or_none(details.get("reason")) if isinstance(details, Mapping) else None
    return _FINISH_REASONS.get(reason, reason) if reason else "incomplete"


def _usage(usage: object) -> Usage:
    if not isinstance(usage, Mapping):
        return Usage()
    return Usage(
        input_tokens=count_or_none(usage.get("input_tokens")),
        output_tokens=count_or_none(usage.get("output_tokens")),
    )


def _logprobs(parts: Sequence[Mapping[str, Any]]) -> tuple[float, ...] | None:
    lists = [part.get("logprobs") for part in parts if part.get("type") == "output_text" and part.get("text")]
    tokens: list[object] = []
    for found in lists:
        # An endpoint that was not asked for them sends an empty list.
        if not isinstance(found, list) or not found:
            return None
        tokens.extend(found)
    return log_probabilities(tokens) if tokens else None

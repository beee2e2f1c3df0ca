"""From the body of a chat completion to a `Completion`, trusting nothing in it. No I/O.

A refusal, a content filter, an empty text and tool calls are answers; what is none raises `MalformedAnswer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.models.boundary import safe_text
from pytest_ftgate.models.endpoints.bodies import (
    count_or_none,
    custom_call,
    log_probabilities,
    malformed,
    payload_of,
    text_or_none,
    tool_call,
)


def parse_chat_completion(body: bytes) -> Completion:
    """The first choice as a completion, without latency, cost and stamp."""
    payload = payload_of(body)
    choice = _first_choice(payload)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise malformed("its first choice has no message", payload)
    return Completion(
        text=safe_text(content_text(message.get("content"))),
        tool_calls=_tool_calls(message, payload),
        finish_reason=text_or_none(choice.get("finish_reason")),
        refusal=text_or_none(message.get("refusal")) or None,
        usage=_usage(payload.get("usage")),
        logprobs=_logprobs(choice.get("logprobs")),
        model=text_or_none(payload.get("model")),
        fingerprint=text_or_none(payload.get("system_fingerprint")),
    )


def content_text(content: object) -> str:
    """The text of a message's content, or of one piece of it."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(text for text in texts if isinstance(text, str))
    raise malformed(f"the message's content is a {type(content).__name__}", content)


def _first_choice(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise malformed("the body has no choices", payload)
    return choices[0]


def _tool_calls(message: Mapping[str, Any], payload: object) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise malformed("tool_calls is not a list", payload)
    # The predecessor of tool_calls, which some servers still send.
    legacy = [{"function": message["function_call"]}] if message.get("function_call") and not calls else []
    return tuple(_call(call, payload) for call in [*calls, *legacy])


def _call(call: object, payload: object) -> ToolCall:
    function = (call.get("function") or call.get("custom")) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise malformed("a tool call has no function name", payload)
    if "input" in function and "arguments" not in function:
        return custom_call(function["name"], function["input"])
    return tool_call(function["name"], function.get("arguments"))


def _usage(usage: object) -> Usage:
    if not isinstance(usage, Mapping):
        return Usage()
    return Usage(
        input_tokens=count_or_none(usage.get("prompt_tokens")),
        output_tokens=count_or_none(usage.get("completion_tokens")),
    )


def _logprobs(logprobs: object) -> tuple[float, ...] | None:
    tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    return log_probabilities(tokens) if isinstance(tokens, list) else None

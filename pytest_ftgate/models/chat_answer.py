"""From the body of a chat completion to a `Completion`, trusting nothing in it. No I/O.

A status of 200 is not yet an answer: whatever can't be one raises `MalformedAnswer`. A refusal, a content
filter, an empty text and tool calls are answers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.models.boundary import parse_json, quoted, safe_json, safe_text


class MalformedAnswer(ValueError):
    """The body is no chat completion; the message quotes its start."""


def parse_chat_completion(body: bytes) -> Completion:
    """The first choice as a completion, without latency, cost and stamp."""
    payload = _payload(body)
    choice = _first_choice(payload)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise _malformed("its first choice has no message", payload)
    return Completion(
        text=_content(message, payload),
        tool_calls=_tool_calls(message, payload),
        finish_reason=_text_or_none(choice.get("finish_reason")),
        refusal=_text_or_none(message.get("refusal")) or None,
        usage=_usage(payload.get("usage")),
        logprobs=_logprobs(choice.get("logprobs")),
        model=_text_or_none(payload.get("model")),
        fingerprint=_text_or_none(payload.get("system_fingerprint")),
    )


def error_code(body: bytes) -> str | None:
    """The `code` of an error's body, else its `type`; None where there is none."""
    error = _error(body)
    code = error.get("code") or error.get("type")
    return code if isinstance(code, str) else None


def error_message(body: bytes) -> str:
    """What the endpoint says of an error, quoted; "no message" for an empty body."""
    message = _error(body).get("message")
    if isinstance(message, str) and message:
        return quoted(message)
    text = body[:1000].decode("utf-8", "backslashreplace").strip()
    return quoted(text) if text else "no message"


def tool_call(name: str, arguments: object) -> ToolCall:
    """A call whose arguments are a mapping or a JSON text; that text is kept if it is no JSON object."""
    if isinstance(arguments, Mapping):
        return ToolCall(name=safe_text(name), arguments=safe_json(arguments))
    text = "" if arguments is None else str(arguments)
    try:
        # Endpoints send "" for a call of a function without parameters.
        parsed = parse_json(text) if text.strip() else {}
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        return ToolCall(name=safe_text(name), arguments=safe_json(parsed))
    return ToolCall(name=safe_text(name), arguments=None, text=safe_text(text))


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedAnswer(f"the body is not UTF-8: {quoted(body[:800].decode('latin-1'))}") from None
    except (ValueError, RecursionError):
        start = body[:1000].decode("utf-8", "replace")
        raise MalformedAnswer(
            f"the body is not JSON: {quoted(start)}" if start.strip() else "the body is empty"
        ) from None
    if not isinstance(payload, dict):
        raise _malformed("the body is not a JSON object", payload)
    if payload.get("error"):
        raise _malformed("the body is an error", payload["error"])
    return payload


def _first_choice(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise _malformed("the body has no choices", payload)
    return choices[0]


def _content(message: Mapping[str, Any], payload: object) -> str:
    content = message.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return safe_text(content)
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return safe_text("".join(text for text in texts if isinstance(text, str)))
    raise _malformed(f"the message's content is a {type(content).__name__}", payload)


def _tool_calls(message: Mapping[str, Any], payload: object) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise _malformed("tool_calls is not a list", payload)
    # The predecessor of tool_calls, which some servers still send.
    legacy = [{"function": message["function_call"]}] if message.get("function_call") and not calls else []
    return tuple(_call(call, payload) for call in [*calls, *legacy])


def _call(call: object, payload: object) -> ToolCall:
    function = (call.get("function") or call.get("custom")) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise _malformed("a tool call has no function name", payload)
    if "input" in function and "arguments" not in function:
        return ToolCall(
            name=safe_text(function["name"]), arguments=None, text=safe_text(str(function["input"]))
        )
    return tool_call(function["name"], function.get("arguments"))


def _usage(usage: object) -> Usage:
    if not isinstance(usage, Mapping):
        return Usage()
    return Usage(
        input_tokens=_count(usage.get("prompt_tokens")), output_tokens=_count(usage.get("completion_tokens"))
    )


def _logprobs(logprobs: object) -> tuple[float, ...] | None:
    tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(tokens, list):
        return None
    values = [token.get("logprob") if isinstance(token, Mapping) else None for token in tokens]
    numbers = tuple(float(value) for value in values if is_number(value))
    # A list with gaps would make a perplexity of the wrong tokens.
    return numbers if len(numbers) == len(tokens) else None


def is_number(value: object) -> TypeGuard[float]:
    """An int or float, not a bool, that fits a finite float."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an int of more than 308 digits
        return False


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text_or_none(value: object) -> str | None:
    return safe_text(value) if isinstance(value, str) else None


def _error(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = payload.get("error", payload) if isinstance(payload, Mapping) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, Mapping) else {}


def _malformed(what: str, value: object) -> MalformedAnswer:
    # allow_nan: json.loads lets NaN through, and this is only a quotation.
    return MalformedAnswer(f"{what}: {quoted(json.dumps(value, ensure_ascii=False))}")

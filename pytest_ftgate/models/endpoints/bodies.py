"""What the answers of all APIs have in common, read from bodies that nobody vouches for. No I/O.

A status of 200 is not yet an answer: whatever can't be one raises `MalformedAnswer`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from pytest_ftgate.completions import ToolCall
from pytest_ftgate.models.boundary import parse_json, quoted, safe_json, safe_text


class MalformedAnswer(ValueError):
    """The body is no answer; the message quotes its start."""


class FailedAnswer(MalformedAnswer):
    """The endpoint says, under a status of 200, that it failed; `code` is its own word for why."""

    def __init__(self, message: str, code: str | None) -> None:
        super().__init__(message)
        self.code = code


def payload_of(body: bytes) -> Mapping[str, Any]:
    """The JSON object that an answer is."""
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
        raise malformed("the body is not a JSON object", payload)
    if payload.get("error"):
        raise failed("the body is an error", payload["error"])
    return payload


def malformed(what: str, value: object) -> MalformedAnswer:
    """The exception that says what is wrong with which value."""
    return MalformedAnswer(f"{what}: {shown(value)}")


def failed(what: str, error: object) -> FailedAnswer:
    """The exception for an error in the endpoint's own words."""
    code = error.get("code") or error.get("type") if isinstance(error, Mapping) else None
    return FailedAnswer(f"{what}: {shown(error)}", code if isinstance(code, str) else None)


def shown(value: object) -> str:
    """The start of a value's JSON, for a message."""
    # allow_nan: json.loads lets NaN through, and this is only a quotation.
    return quoted(json.dumps(value, ensure_ascii=False))


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


def custom_call(name: str, text: object) -> ToolCall:
    """A call of a tool that takes text, which is no JSON even where it looks like some."""
    return ToolCall(name=safe_text(name), arguments=None, text=safe_text(str(text)))


def log_probabilities(tokens: Sequence[object]) -> tuple[float, ...] | None:
    """Those of a list of tokens; None if one has none, which would make a perplexity of the wrong tokens."""
    values = [token.get("logprob") if isinstance(token, Mapping) else None for token in tokens]
    numbers = tuple(float(value) for value in values if is_number(value))
    return numbers if len(numbers) == len(tokens) else None


def is_number(value: object) -> TypeGuard[float]:
    """An int or float, not a bool, that fits a finite float."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an int of more than 308 digits
        return False


def count_or_none(value: object) -> int | None:
    """A whole number from 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def text_or_none(value: object) -> str | None:
    """A text, made safe."""
    return safe_text(value) if isinstance(value, str) else None


def error_code(body: bytes) -> str | None:
    """The `code` of an error's body, else its `type`; None where there is none."""
    error = _error(body)
    code = error.get("code") or error.get("type")
    return code if isinstance(code, str) else None


def is_out_of_quota(body: bytes) -> bool:
    """Whether an error says so, as its code or as its type."""
    return "insufficient_quota" in (_error(body).get("code"), _error(body).get("type"))


def error_message(body: bytes) -> str:
    """What the endpoint says of an error, quoted; "no message" for an empty body."""
    message = _error(body).get("message")
    if isinstance(message, str) and message:
        return quoted(message)
    text = body[:1000].decode("utf-8", "backslashreplace").strip()
    return quoted(text) if text else "no message"


def _error(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = payload.get("error", payload) if isinstance(payload, Mapping) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, Mapping) else {}

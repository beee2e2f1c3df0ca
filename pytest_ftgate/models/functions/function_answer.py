"""What a user's function may return as an answer, and what is said of anything else. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models.boundary import safe_json, safe_text
from pytest_ftgate.models.endpoints.bodies import is_number, tool_call
from pytest_ftgate.models.wording import did_you_mean

KEYS = ("text", "tool_calls", "finish_reason", "refusal", "usage", "latency_s", "logprobs", "model")


def as_completion(result: object, shown: str) -> Completion:
    """The answer in a text, a mapping or a completion; raises `ModelError` for anything else."""
    if isinstance(result, Completion):
        return replace(result, text=safe_text(result.text))
    if isinstance(result, str):
        return Completion(text=safe_text(result))
    if isinstance(result, list) and result and all(map(is_number, result)):
        return Completion(text=json.dumps(result))  # an embedding, in the form that endpoints give one
    if not isinstance(result, Mapping):
        raise _wrong(shown, f"a {type(result).__name__}, not text or a mapping")
    return _from_mapping(result, shown)


def _from_mapping(row: Mapping[Any, Any], shown: str) -> Completion:
    unknown = next((name for name in row if name not in KEYS), None)
    if unknown is not None:
        raise _wrong(shown, f"a mapping with {unknown!r}{did_you_mean(str(unknown), KEYS)}")
    for name in ("text", "finish_reason", "refusal", "model"):
        if not isinstance(row.get(name), str | None):
            raise _wrong(shown, f"{name!r} of type {type(row[name]).__name__}, not text")
    latency_s = row.get("latency_s")
    if latency_s is not None and not (is_number(latency_s) and latency_s >= 0):
        raise _wrong(shown, f"'latency_s' {latency_s!r}, not seconds from 0")
    logprobs = row.get("logprobs")
    if logprobs is not None and not (isinstance(logprobs, Sequence) and all(map(is_number, logprobs))):
        raise _wrong(shown, "'logprobs' that are not a list of finite numbers")
    calls = row.get("tool_calls")
    if calls is not None and not isinstance(calls, list | tuple):
        raise _wrong(shown, f"'tool_calls' {calls!r}, not a list")
    row = {name: safe_json(value) for name, value in row.items()}
    return Completion(
        text=row.get("text") or "",
        tool_calls=tuple(_call_of(call, shown) for call in row.get("tool_calls") or ()),
        finish_reason=row.get("finish_reason"),
        refusal=row.get("refusal"),
        usage=_usage(row.get("usage"), shown),
        latency_s=None if latency_s is None else float(latency_s),
        logprobs=None if logprobs is None else tuple(map(float, logprobs)),
        model=row.get("model"),
    )


def _call_of(call: object, shown: str) -> ToolCall:
    if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
        raise _wrong(shown, f"a tool call {call!r}, not a mapping with 'name' and 'arguments'")
    arguments = call.get("arguments")
    if not isinstance(arguments, Mapping | str | None):
        raise _wrong(shown, f"a tool call with arguments {arguments!r}, not a mapping")
    return tool_call(call["name"], arguments)


def _usage(usage: object, shown: str) -> Usage:
    if usage is None:
        return Usage()
    names = ("input_tokens", "output_tokens")
    if not isinstance(usage, Mapping) or not all(_is_count(usage.get(name)) for name in names):
        raise _wrong(shown, f"'usage' {usage!r}, not a mapping with input_tokens and output_tokens")
    return Usage(**{name: usage.get(name) for name in names})


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def _wrong(shown: str, what: str) -> ModelError:
    return ModelError(f"{shown} returned {safe_text(what)}", kind="protocol")

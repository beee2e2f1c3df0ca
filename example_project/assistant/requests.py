"""From the body of a request to a `ChatRequest`. What this server can't do is refused, never ignored."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ApiError
from .messages import checked_messages, checked_tools
from .sampling import Sampling
from .template import Json

#: They change who pays or what is kept, not what is answered.
_WITHOUT_EFFECT = {"metadata", "prompt_cache_key", "safety_identifier", "service_tier", "store", "user"}
#: What this server can't do, with the value that asks for nothing.
_NEUTRAL: Mapping[str, object] = {
    "frequency_penalty": 0,
    "logit_bias": {},
    "modalities": ["text"],
    "presence_penalty": 0,
    "response_format": {"type": "text"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What is asked of a model. `call` is the tool that must be called, "" being any; None leaves it open."""

    model: str
    messages: Sequence[Json]
    tools: Sequence[Json]
    may_call: bool
    call: str | None
    parallel_calls: bool
    sampling: Sampling
    seed: int
    max_tokens: int | None
    stop: tuple[bytes, ...]
    choices: int
    #: How many alternatives to show with each token's log-probability; None shows neither.
    top_logprobs: int | None
    stream: bool
    stream_usage: bool


def parse_request(body: bytes) -> ChatRequest:
    """The request in a body; raises `ApiError`, which names the parameter that is wrong."""
    given = _Parameters(body)
    tools = checked_tools(given.take("tools", []))
    may_call, call = _tool_choice(given.take("tool_choice", "auto"), tools)
    stream = given.flag("stream", default=False)
    request = ChatRequest(
        model=given.text("model"),
        messages=checked_messages(given.take("messages")),
        tools=tools,
        may_call=may_call,
        call=call,
        parallel_calls=given.flag("parallel_tool_calls", default=True),
        sampling=Sampling(
            temperature=given.number("temperature", 0, 2, default=1.0),
            top_p=given.number("top_p", 0, 1, default=1.0),
        ),
        seed=given.seed(),
        max_tokens=given.max_tokens(),
        stop=given.stop(),
        choices=given.whole("n", 1, 16) or 1,
        top_logprobs=given.top_logprobs(),
        stream=stream,
        stream_usage=given.stream_usage(stream=stream),
    )
    given.refuse_others()
    return request


def _tool_choice(choice: object, tools: Sequence[Json]) -> tuple[bool, str | None]:
    """Whether tools may be called, and which one must be."""
    names = [tool["function"]["name"] for tool in tools]
    named = choice.get("function") if isinstance(choice, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    if choice in ("none", "auto"):
        return choice == "auto" and bool(tools), None
    if not tools:
        raise ApiError("'tool_choice' asks for a call, but there are no 'tools'", param="tool_choice")
    if choice == "required":
        return True, ""
    if name not in names:
        message = f"'tool_choice' must be none, auto, required, or name one of: {', '.join(names)}"
        raise ApiError(message, param="tool_choice")
    return True, name


class _Parameters:
    """A request's JSON object; a parameter that is null counts as left out."""

    def __init__(self, body: bytes) -> None:
        try:
            content = json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ApiError(f"the body is not JSON: {error}") from None
        if not isinstance(content, dict):
            raise ApiError("the body is not a JSON object")
        self._left: dict[str, Any] = {name: value for name, value in content.items() if value is not None}

    def take(self, name: str, default: object = None) -> Any:
        return self._left.pop(name, default)

    def refuse_others(self) -> None:
        """Raises for what nobody took, unless it asks for nothing."""
        for name, value in self._left.items():
            if name not in _WITHOUT_EFFECT and not (name in _NEUTRAL and value == _NEUTRAL[name]):
                message = f"this server does not support '{name}'"
                raise ApiError(message, param=name, code="unsupported_parameter")

    def text(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str):
            raise ApiError(f"'{name}' must be a text", param=name)
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.take(name, default)
        if not isinstance(value, bool):
            raise ApiError(f"'{name}' must be true or false", param=name)
        return value

    def number(self, name: str, low: float, high: float, *, default: float) -> float:
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ApiError(f"'{name}' must be a number from {low} to {high}", param=name)
        return float(value)

    def whole(self, name: str, low: int, high: float = math.inf) -> int | None:
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            upper = "" if high == math.inf else f" to {high}"
            raise ApiError(f"'{name}' must be a whole number from {low}{upper}", param=name)
        return value

    def max_tokens(self) -> int | None:
        """By its new name, or by its old one."""
        limits = [self.whole(name, 1) for name in ("max_completion_tokens", "max_tokens")]
        return next((limit for limit in limits if limit is not None), None)

    def seed(self) -> int:
        """The seed as 64 bits, random if there is none."""
        value = self.take("seed", secrets.randbits(64))
        if isinstance(value, bool) or not isinstance(value, int):
            raise ApiError("'seed' must be a whole number", param="seed")
        return value & (2**64 - 1)

    def stop(self) -> tuple[bytes, ...]:
        value = self.take("stop", [])
        texts = [value] if isinstance(value, str) else value
        is_list = isinstance(texts, list) and len(texts) <= 4
        if not is_list or not all(isinstance(text, str) and text for text in texts):
            raise ApiError("'stop' must be a text or up to four texts, none of them empty", param="stop")
        return tuple(text.encode("utf-8", "replace") for text in texts)

    def top_logprobs(self) -> int | None:
        wanted, count = self.flag("logprobs", default=False), self.whole("top_logprobs", 0, 20)
        if count is not None and not wanted:
            raise ApiError("'top_logprobs' needs 'logprobs': true", param="top_logprobs")
        return count or 0 if wanted else None

    def stream_usage(self, *, stream: bool) -> bool:
        options = self.take("stream_options")
        if options is None:
            return False
        if not stream or not isinstance(options, dict):
            raise ApiError(
                "'stream_options' must be an object, and needs 'stream': true", param="stream_options"
            )
        return options.get("include_usage") is True


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")

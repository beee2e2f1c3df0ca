"""From the chunks of a streamed chat completion to the one that it would have been without streaming. No I/O.

What the parts mean is not decided here: the result goes the same way as any other body.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from pytest_ftgate.models.endpoints.bodies import MalformedAnswer, failed, malformed
from pytest_ftgate.models.endpoints.chat_answer import content_text
from pytest_ftgate.models.endpoints.event_stream import Collected, Event


def collect_chat(events: Iterable[Event]) -> Collected:
    """The chunks put together.

    Raises `MalformedAnswer` for what is no chunk, and for a stream that ends before `[DONE]` without a reason
    to finish.
    """
    chunks = _Chunks()
    is_done = False
    for event in events:
        is_done = event.is_done
        if not is_done:
            chunks.add(event)
    if not chunks.has_choice:
        raise MalformedAnswer("the stream has no choices")
    if not is_done and chunks.finish_reason is None:
        raise MalformedAnswer("the stream ends before the answer does")
    return Collected(payload=chunks.payload(), content_end=chunks.content_end)


class _Chunks:
    """The chunks of one stream so far; lives for one call of `collect_chat`."""

    def __init__(self) -> None:
        self.has_choice = False
        self.finish_reason: object = None
        self.content_end: int | None = None
        self._texts: dict[str, list[str]] = {"content": [], "refusal": []}
        self._calls: dict[int, dict[str, str]] = {}
        self._legacy: dict[str, str] = {}
        self._logprobs: list[object] | None = None
        self._about: dict[str, Any] = {}

    def add(self, event: Event) -> None:
        chunk = event.payload()
        if chunk.get("error") or event.name == "error":
            raise failed("the stream holds an error", chunk.get("error") or chunk)
        # The endpoint says of itself what it knows by then, and leaves the rest empty.
        self._about |= {name: chunk[name] for name in _ABOUT if chunk.get(name)}
        choices = chunk.get("choices") or []
        if not isinstance(choices, list):
            raise malformed("the choices of a chunk are not a list", chunk)
        for choice in choices:
            if not isinstance(choice, Mapping):
                raise malformed("a choice of a chunk is not an object", chunk)
            if not choice.get("index"):
                self._add_choice(choice, event.end)

    def payload(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            name: "".join(texts) if texts else None for name, texts in self._texts.items()
        }
        if self._calls:
            message["tool_calls"] = [
                {"function": call} for _, call in sorted(self._calls.items(), key=itemgetter(0))
            ]
        if self._legacy:
            message["function_call"] = self._legacy
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        if self._logprobs is not None:
            choice["logprobs"] = {"content": self._logprobs}
        return {**self._about, "choices": [choice]}

    def _add_choice(self, choice: Mapping[str, Any], end: int) -> None:
        self.has_choice = True
        if choice.get("finish_reason") is not None:
            self.finish_reason = choice["finish_reason"]
        logprobs = choice.get("logprobs")
        tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
        if isinstance(tokens, list):
            self._logprobs = self._logprobs or []
            self._logprobs.extend(tokens)
        delta = choice.get("delta") or {}
        if not isinstance(delta, Mapping):
            raise malformed("the delta of a chunk is not an object", choice)
        if self._add_delta(delta) and self.content_end is None:
            self.content_end = end

    def _add_delta(self, delta: Mapping[str, Any]) -> bool:
        """Whether there is content in it."""
        found = False
        for name, texts in self._texts.items():
            if piece := content_text(delta.get(name)):
                texts.append(piece)
                found = True
        calls = delta.get("tool_calls") or []
        if not isinstance(calls, list):
            raise malformed("tool_calls is not a list", delta)
        for call in calls:
            self._add_call(call)
        if delta.get("function_call"):
            _extend(self._legacy, delta["function_call"])
        return bool(found or calls or self._legacy)

    def _add_call(self, call: object) -> None:
        function = (call.get("function") or call.get("custom") or {}) if isinstance(call, Mapping) else None
        if not isinstance(call, Mapping) or not isinstance(function, Mapping):
            raise malformed("a piece of a tool call is not an object", call)
        index = call.get("index")
        if index is None:
            # Some servers leave it out: then a name begins the next call.
            index = max(self._calls, default=-1) + (1 if function.get("name") or not self._calls else 0)
        elif not isinstance(index, int):
            raise malformed("the index of a tool call is not a number", call)
        _extend(self._calls.setdefault(index, {}), function)


_ABOUT = ("model", "system_fingerprint", "usage")


def _extend(call: dict[str, str], piece: object) -> None:
    """Adds a piece of a call: its name comes whole, its arguments mostly in pieces."""
    if not isinstance(piece, Mapping):
        raise malformed("a piece of a tool call is not an object", piece)
    name = piece.get("name")
    if isinstance(name, str) and name and "name" not in call:
        call["name"] = name
    for part in ("arguments", "input"):
        text = piece.get(part)
        if isinstance(text, str):
            call[part] = call.get(part, "") + text
        elif text is not None:
            raise malformed(f"the {part} of a tool call are not text", piece)

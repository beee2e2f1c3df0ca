"""Server-sent events: what a streamed body is made of, and when which part of it came. No I/O.

Source: the WHATWG HTML standard, 9.2.6, "Interpreting an event stream"; stricter in one point: an event that
the body ends within is not dropped, since half an answer must not pass for a whole one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.models.boundary import quoted
from pytest_ftgate.models.endpoints.bodies import MalformedAnswer

DONE = "[DONE]"
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|$)")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. `end` is how many bytes of the body had to come until its data was there."""

    name: str
    data: str
    end: int

    @property
    def is_done(self) -> bool:
        """Whether it says that all has been said."""
        return self.data.strip() == DONE

    def payload(self) -> Mapping[str, Any]:
        """Its data as a JSON object; raises `MalformedAnswer`."""
        try:
            payload = json.loads(self.data)
        except (ValueError, RecursionError):
            raise MalformedAnswer(f"an event is not JSON: {quoted(self.data)}") from None
        if not isinstance(payload, dict):
            raise MalformedAnswer(f"an event is not a JSON object: {quoted(self.data)}")
        return payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A stream as the body that would have come without streaming.

    `content_end` is the `Event.end` of the first event with content; None if there was none.
    """

    payload: Mapping[str, Any]
    content_end: int | None


def is_event_stream(content_type: str, body: bytes) -> bool:
    """Whether a body is a stream; servers that ignore `stream` send JSON, and some call a stream text."""
    start = body[:100].removeprefix(_BOM).lstrip()
    if start.startswith((b"{", b"[")):
        return False
    return content_type.startswith("text/event-stream") or start.startswith((b"data:", b"event:", b":"))


def parse_events(body: bytes) -> Iterator[Event]:
    """The events with data, up to `[DONE]`; comments and unknown fields are left out.

    Raises `MalformedAnswer` when it comes to what can't be one.
    """
    name, data, end = b"", list[bytes](), 0
    for line, line_end in _lines(body):
        if not line:
            if data:
                yield Event(name=_text(name), data=_text(b"\n".join(data)), end=end)
            name, data = b"", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data, end = [*data, value], line_end
            if _is_done(data):
                yield Event(name="", data=DONE, end=end)
                return
        elif field == b"event":
            name = value
    if data or name:
        raise MalformedAnswer("the stream ends within an event")


def _lines(body: bytes) -> Iterator[tuple[bytes, int]]:
    """The lines and where they end; one without an end is malformed, unless it says that all is done."""
    position = len(_BOM) if body.startswith(_BOM) else 0
    while position < len(body):
        match = _LINE.match(body, position)
        assert match is not None
        line, position = match[1], match.end()
        if not match[2] and not _is_done([line.partition(b":")[2]]):
            raise MalformedAnswer("the stream ends within a line")
        yield line, match.end(1)


def _is_done(data: Sequence[bytes]) -> bool:
    return len(data) == 1 and data[0].strip() == DONE.encode()


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedAnswer("the stream is not UTF-8") from None


def seconds_at(marks: Sequence[tuple[int, float]], end: int) -> float | None:
    """When so many bytes of a body were there, by (bytes, seconds) of each of its parts."""
    return next((seconds for size, seconds in marks if size >= end), None)

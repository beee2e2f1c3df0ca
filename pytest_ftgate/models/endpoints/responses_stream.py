"""From the events of a streamed response of the Responses API to the response itself. No I/O.

The last event repeats all that the others told piece by piece; they are needed for when the first piece came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ftgate.models.endpoints.bodies import MalformedAnswer, failed, malformed
from pytest_ftgate.models.endpoints.event_stream import Collected, Event

_ENDS = ("response.completed", "response.incomplete", "response.failed")
_DELTAS = (
    "response.output_text.delta",
    "response.refusal.delta",
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
)
_CALLS = ("function_call", "custom_tool_call")


def collect_response(events: Iterable[Event]) -> Collected:
    """The response that the stream ends with.

    Raises `MalformedAnswer` for what is no event of this API, and for a stream that ends early.
    """
    content_end: int | None = None
    items: dict[int, Any] = {}
    response: Mapping[str, Any] | None = None
    for event in events:
        if event.is_done:
            break
        said = event.payload()
        kind = said.get("type") or event.name
        if kind == "error" or said.get("error"):
            raise failed("the stream holds an error", said.get("error") or said)
        if content_end is None and _is_content(kind, said):
            content_end = event.end
        if kind == "response.output_item.done" and isinstance(said.get("output_index"), int):
            items[said["output_index"]] = said.get("item")
        if kind in _ENDS:
            response = _response(said)
    if response is None:
        raise MalformedAnswer("the stream ends before the answer does")
    return Collected(payload=_with_items(response, items), content_end=content_end)


def _is_content(kind: object, said: Mapping[str, Any]) -> bool:
    """Whether this is the answer itself; reasoning and the frame around an answer are not."""
    if kind == "response.output_item.added":
        item = said.get("item")
        return isinstance(item, Mapping) and item.get("type") in _CALLS
    return kind in _DELTAS and bool(said.get("delta"))


def _response(said: Mapping[str, Any]) -> Mapping[str, Any]:
    response = said.get("response")
    if not isinstance(response, Mapping):
        raise malformed("the last event has no response", said)
    return response


def _with_items(response: Mapping[str, Any], items: Mapping[int, Any]) -> Mapping[str, Any]:
    """Some servers leave the last event's output empty; its items came before, one by one."""
    if response.get("output") or not items:
        return response
    return {**response, "output": [items[index] for index in sorted(items)]}

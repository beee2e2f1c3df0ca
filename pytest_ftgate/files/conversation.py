"""`system`, `prompt` and `messages` → the messages of chat completions. Text stays as it was typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pytest_ftgate.files import values
from pytest_ftgate.files.nodes import MapNode, Node, wrong
from pytest_ftgate.files.wording import quoted

_ROLES = ("system", "developer", "user", "assistant", "tool")
_KEYS = ("role", "content", "name", "tool_calls", "tool_call_id")


def prompt(node: Node) -> str:
    """The one message of a user."""
    return values.filled_text(node, "'prompt'")


def system(node: Node) -> str:
    """The text of the system message."""
    return values.filled_text(node, "'system'")


def messages(node: Node) -> tuple[Mapping[str, Any], ...]:
    """The messages of a conversation that the model is to continue."""
    entries = values.items(node, "'messages'")
    if not entries:
        raise wrong(node, "'messages' is an empty list")
    return tuple(values.each(_message, entries))


def _message(node: Node) -> dict[str, Any]:
    entry = values.mapping(node, "a message")
    values.known_keys(entry, _KEYS)
    message: dict[str, Any] = {"role": values.choice(_needed(entry, "role", "a message"), "'role'", _ROLES)}
    for key, node_below in entry.values.items():
        if key != "role":
            message[key] = _PARTS[key](node_below)
    if message.get("content") is None and not message.get("tool_calls"):
        raise wrong(entry, "a message needs content")
    return message


def _content(node: Node) -> Any:
    if values.is_null(node):
        return None
    parts = values.items_or_none(node)
    return values.text(node, "'content'") if parts is None else values.each(_part, parts)


def _part(node: Node) -> dict[str, Any]:
    entry = values.mapping(node, "a content part")
    kind = values.choice(_needed(entry, "type", "a content part"), "'type'", tuple(_CONTENT))
    values.known_keys(entry, ("type", kind))
    return {"type": kind, kind: _CONTENT[kind](_needed(entry, kind, f"a content part of type {kind}"))}


def _needed(entry: MapNode, key: str, what: str) -> Node:
    if key not in entry.values:
        raise wrong(entry, f"{what} needs {quoted(key)}")
    return entry.values[key]


def _text_part(node: Node) -> str:
    return values.text(node, "'text'")


def _image(node: Node) -> dict[str, Any]:
    if not values.is_mapping(node):
        return {"url": values.filled_text(node, "'image_url'")}
    entry = values.mapping(node, "'image_url'")
    values.known_keys(entry, ("url", "detail"))
    _needed(entry, "url", "'image_url'")
    return {key: values.filled_text(value, f"'{key}'") for key, value in entry.values.items()}


_CONTENT: Mapping[str, Callable[[Node], Any]] = {"text": _text_part, "image_url": _image}


def _tool_calls(node: Node) -> list[dict[str, Any]]:
    return values.each(_tool_call, values.items(node, "'tool_calls'"))


def _tool_call(node: Node) -> dict[str, Any]:
    entry = values.mapping(node, "a tool call")
    values.known_keys(entry, ("id", "type", "function"))
    function = values.mapping(_needed(entry, "function", "a tool call"), "'function'")
    values.known_keys(function, ("name", "arguments"))
    return {
        "id": values.filled_text(_needed(entry, "id", "a tool call"), "'id'"),
        "type": "function",
        "function": {
            "name": values.filled_text(_needed(function, "name", "'function'"), "'name'"),
            "arguments": _arguments(function),
        },
    }


def _arguments(function: MapNode) -> str:
    """The JSON text of a call's arguments, which may be written as a mapping."""
    node = function.values.get("arguments")
    if node is None:
        return "{}"
    if values.is_mapping(node):
        return json.dumps(values.plain(node), ensure_ascii=False)
    return values.text(node, "'arguments'")


def _name(node: Node) -> str:
    return values.filled_text(node, "'name'")


def _call_id(node: Node) -> str:
    return values.filled_text(node, "'tool_call_id'")


_PARTS: Mapping[str, Callable[[Node], Any]] = {
    "content": _content,
    "name": _name,
    "tool_calls": _tool_calls,
    "tool_call_id": _call_id,
}

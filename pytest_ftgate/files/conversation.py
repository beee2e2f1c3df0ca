"""`system`, `prompt` and `messages` → the messages of chat completions, and scripted `turns`.

Text stays as it was typed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_ftgate.cases import AnswerRule, Expectation, Turn
from pytest_ftgate.files import values
from pytest_ftgate.files.nodes import MapNode, Node, NodeError, Note, Scalar, wrong
from pytest_ftgate.files.wording import did_you_mean, quoted

_ROLES = ("system", "developer", "user", "assistant", "tool")
_KEYS = ("role", "content", "name", "tool_calls", "tool_call_id")
_NO_USER = "a turn needs 'user': what the user says"
TURN_KEYS = ("user", "expect", "answer", "tool_results")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResults:
    """What called tools return, by name, with the places of the names."""

    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Scalar] = field(default_factory=dict)

    def misfits(self, tools: Sequence[Mapping[str, Any]]) -> Iterator[Note]:
        """Tools that the case does not have; nothing is said of a case without tools."""
        names = [tool["function"]["name"] for tool in tools]
        for name, at in self.places.items() if names else ():
            if name.replace(".", "_") not in {known.replace(".", "_") for known in names}:
                message = f"the case has no tool {quoted(name)}. {did_you_mean(name, names, 'Its tools')}"
                yield at.line, at.column, message


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedTurn:
    """One entry of `turns:` as it stands there; `node` is its place."""

    node: MapNode
    user: str | Sequence[Mapping[str, Any]]
    expect: tuple[Expectation, ...] = ()
    answer: AnswerRule | None = None
    tool_results: ToolResults = field(default_factory=ToolResults)

    def within(self, case: Mapping[str, Any]) -> Turn:
        """The turn with what the fields of its case add: its rule for answers, results of other tools."""
        answer = self.answer if "answer" in self.node.values else case.get("answer")
        shared: ToolResults = case.get("tool_results") or ToolResults()
        results = {**shared.values, **self.tool_results.values}
        return Turn(user=self.user, expect=self.expect, answer=answer, tool_results=results)


class TurnReader:
    """Reads `turns:`; what a turn expects and cuts out is read as it is for a whole case."""

    def __init__(
        self, expect: Callable[[Node], tuple[Expectation, ...]], answer: Callable[[Node], AnswerRule]
    ) -> None:
        self._readers: Mapping[str, Callable[[Node], Any]] = {
            "user": _user,
            "expect": expect,
            "answer": answer,
            "tool_results": tool_results,
        }

    def read(self, node: Node) -> tuple[ScriptedTurn, ...]:
        """All turns of a case."""
        entries = values.items(node, "'turns'")
        if not entries:
            raise wrong(node, "'turns' is an empty list")
        return tuple(values.each(self._turn, entries))

    def _turn(self, node: Node) -> ScriptedTurn:
        entry = values.mapping(node, "a turn")
        notes = [values.unknown_key(at, TURN_KEYS) for key, at in entry.keys.items() if key not in TURN_KEYS]
        if "user" not in entry.values:
            notes.append((entry.line, entry.column, _NO_USER))
        read = {}
        for key, value in entry.values.items():
            try:
                if key in TURN_KEYS and (key == "user" or not values.is_null(value)):
                    read[key] = self._readers[key](value)
            except NodeError as error:
                notes.extend(error.notes)
        if notes:
            raise NodeError(*notes)
        return ScriptedTurn(node=entry, **read)


def tool_results(node: Node) -> ToolResults:
    """What called tools return: any JSON, by the tool's name."""
    entry = values.mapping(node, "'tool_results'")
    return ToolResults(
        values={name: values.plain(value) for name, value in entry.values.items()}, places=entry.keys
    )


def _user(node: Node) -> str | list[Any]:
    if values.is_null(node):
        raise wrong(node, f"{_NO_USER}; if it is the word null, quote it")
    parts = values.items_or_none(node)
    if parts is None:
        return values.filled_text(node, "'user'")
    if not parts:
        raise wrong(node, "'user' is an empty list")
    return values.each(_part, parts)


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

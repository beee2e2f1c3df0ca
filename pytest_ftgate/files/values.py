"""Nodes → Python values: text as it was typed where text is meant, YAML 1.2's core schema everywhere else.

Every function returns a value or raises `NodeError` at the node; nothing is guessed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pytest_ftgate.files.nodes import ListNode, MapNode, Node, NodeError, Scalar, Value, wrong
from pytest_ftgate.files.wording import did_you_mean, quoted

T = TypeVar("T")

# YAML 1.2.2, section 10.3.2 (core schema): `yes`, `on`, `12:30`, `1_000` and dates are text.
_INT = re.compile(r"[-+]?[0-9]+")
_OTHER_INT = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS = {word: value for value, words in (
    (None, ("null", "Null", "NULL", "~")),
    (True, ("true", "True", "TRUE")),
    (False, ("false", "False", "FALSE")),
) for word in words}  # fmt: skip
_MAY_BE_A_NUMBER = frozenset("+-.0123456789")
_MOST_DIGITS = 300


def text(node: Node, what: str) -> str:
    """The text of a scalar as the author typed it; a row's value that is no text is its JSON text."""
    if type(node) is Scalar:
        if node.text or not node.plain:
            return node.text
        raise wrong(node, f"the value of {what} is empty: quote it (a '#' begins a comment)")
    if type(node) is Value:
        return _value_text(node, what)
    raise wrong(node, f"{what} takes text, and this is {kind_of(node)}")


def _value_text(node: Value, what: str) -> str:
    if type(node.value) is str:
        return node.value
    if node.value is None:
        raise wrong(node, f"{what} takes text, and this is null")
    return json.dumps(node.value, ensure_ascii=False)


def filled_text(node: Node, what: str) -> str:
    """Text that is more than white space."""
    found = text(node, what)
    if not found.strip():
        raise wrong(node, f"{what} is empty")
    return found


def plain(node: Node) -> Any:
    """Builtins by the core schema. NaN and infinity are refused: no JSON, so no request, can hold them."""
    if type(node) is Scalar:
        return core(node)
    if type(node) is MapNode:
        return {key: plain(value) for key, value in node.values.items()}
    if type(node) is ListNode:
        return [plain(item) for item in node.items]
    return node.value if type(node) is Value else None


def core(node: Scalar) -> Any:
    """The value of one scalar by the core schema."""
    written = node.text
    if not node.plain:
        return written
    if not written:
        raise wrong(node, "the value is empty: write null, or quote it (a '#' begins a comment)")
    if written[0] in _MAY_BE_A_NUMBER:
        return _number_or_text(node)
    return _WORDS.get(written, written)


def _number_or_text(node: Scalar) -> Any:
    written = node.text
    if _INT.fullmatch(written):
        if len(written) > _MOST_DIGITS:
            raise wrong(node, f"a number of {len(written)} digits: quote it if it is text")
        return int(written)
    if _OTHER_INT.fullmatch(written):
        return int(written, 0)
    if _NOT_FINITE.fullmatch(written) or (_FLOAT.fullmatch(written) and not math.isfinite(float(written))):
        raise wrong(node, f"{quoted(written)} is no finite number: quote it if it is text")
    return float(written) if _FLOAT.fullmatch(written) else written


def boolean(node: Node, what: str) -> bool:
    """`true` or `false`, and nothing that only looks like it."""
    found = _core_or_none(node)
    if type(found) is bool:
        return found
    raise wrong(node, f"{what} takes true or false, and this is {shown(node)}")


def whole_number(node: Node, what: str, *, least: int) -> int:
    """A whole number of at least `least`."""
    found = _core_or_none(node)
    if type(found) is int and found >= least:
        return found
    raise wrong(node, f"{what} takes a whole number of at least {least}, and this is {shown(node)}")


def number(node: Node, what: str, *, least: float, above: bool = False) -> float:
    """A finite number of at least `least`, or above it."""
    found = _core_or_none(node)
    if type(found) in (int, float) and (found > least if above else found >= least):
        return float(found)
    bound = f"above {least:g}" if above else f"of at least {least:g}"
    raise wrong(node, f"{what} takes a number {bound}, and this is {shown(node)}")


def choice(node: Node, what: str, allowed: Iterable[str]) -> str:
    """One of a few words."""
    found = text(node, what)
    if found in allowed:
        return found
    raise wrong(node, f"{what} is {quoted(found)}. {did_you_mean(found, allowed, 'It may be')}")


def mapping(node: Node, what: str) -> MapNode:
    """A mapping, whose keys are text."""
    if type(node) is MapNode:
        return node
    if type(node) is Value and isinstance(node.value, Mapping):
        line, column, row = node.line, node.column, node.row
        return MapNode(
            {str(key): Value(value, line, column, row) for key, value in node.value.items()},
            {str(key): Scalar(str(key), False, line, column) for key in node.value},
            line,
            column,
        )
    raise wrong(node, f"{what} takes a mapping, and this is {shown(node)}")


def items(node: Node, what: str) -> list[Node]:
    """The entries of a list."""
    found = items_or_none(node)
    if found is None:
        raise wrong(node, f"{what} takes a list, and this is {shown(node)}")
    return found


def items_or_none(node: Node) -> list[Node] | None:
    """The entries of a list, None where no list stands."""
    if type(node) is ListNode:
        return node.items
    if type(node) is Value and isinstance(node.value, list | tuple):
        return [Value(item, node.line, node.column, node.row) for item in node.value]
    return None


def is_mapping(node: Node) -> bool:
    """Whether a mapping stands here."""
    return type(node) is MapNode or (type(node) is Value and isinstance(node.value, Mapping))


def is_null(node: Node) -> bool:
    """Whether the author wrote null: with it a key takes a default away. An empty value is no null."""
    if type(node) is Scalar:
        return node.plain and bool(node.text) and _WORDS.get(node.text, "") is None
    return type(node) is Value and node.value is None and not node.row


def each(parse: Callable[[Node], T], nodes: Iterable[Node]) -> list[T]:
    """`parse` over all nodes; raises what is wrong with all of them at once."""
    parsed: list[T] = []
    notes: list[tuple[int, int, str]] = []
    for node in nodes:
        try:
            parsed.append(parse(node))
        except NodeError as error:
            notes.extend(error.notes)
    if notes:
        raise NodeError(*notes)
    return parsed


def known_keys(node: MapNode, allowed: Iterable[str], plural: str = "Keys") -> None:
    """Raises for every key that is not among the allowed ones, with the nearest of them."""
    unknown = [key for key in node.keys if key not in allowed]
    if unknown:
        raise NodeError(*(unknown_key(node.keys[key], allowed, plural) for key in unknown))


def unknown_key(key: Scalar, allowed: Iterable[str], plural: str = "Keys") -> tuple[int, int, str]:
    """The note for one unknown key."""
    return key.line, key.column, f"unknown key {quoted(key.text)}. {did_you_mean(key.text, allowed, plural)}"


def kind_of(node: Node) -> str:
    """What stands here, in words."""
    if type(node) is Scalar:
        return "text"
    value = node.value if type(node) is Value else node
    if isinstance(value, MapNode | Mapping):
        return "a mapping"
    if isinstance(value, ListNode | list | tuple):
        return "a list"
    return "null" if value is None else "text" if isinstance(value, str) else "a number or boolean"


def shown(node: Node) -> str:
    """What stands here, quoted if it is a scalar."""
    if type(node) is Scalar:
        return quoted(node.text) if node.text or not node.plain else "empty"
    if type(node) is Value and isinstance(node.value, str | int | float):
        return quoted(node.value if isinstance(node.value, str) else json.dumps(node.value))
    return kind_of(node)


def _core_or_none(node: Node) -> Any:
    if type(node) is Scalar:
        return core(node) if node.text or not node.plain else None
    return node.value if type(node) is Value else None

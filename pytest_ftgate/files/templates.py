"""`{{name}}` and `{{a.b}}` in a data set's entry: one lookup in the row, in one pass. Nothing is evaluated.

What a row holds is never looked at for templates again, and attributes do not exist here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pytest_ftgate.files import values
from pytest_ftgate.files.nodes import ListNode, MapNode, Node, Scalar, Value, wrong
from pytest_ftgate.files.wording import did_you_mean, quoted

Row = Mapping[str, Any]
Fill = Callable[[Row], Node]

_TEMPLATE = re.compile(r"\{\{([^{}]*)\}\}")
MISSING: Any = object()


def compiled(node: Node) -> Fill | None:
    """A function that fills in the templates at and below `node`; None if there are none."""
    if type(node) is Scalar:
        return _compiled_text(node)
    if type(node) is ListNode:
        return _compiled_list(node)
    return _compiled_mapping(node) if type(node) is MapNode else None


def names(node: Node) -> Iterator[str]:
    """The names that the templates at and below `node` look up."""
    if type(node) is Scalar:
        yield from (name.strip() for name in _TEMPLATE.findall(node.text))
    below: Iterable[Node] = ()
    if type(node) is ListNode:
        below = node.items
    elif type(node) is MapNode:
        below = node.values.values()
    for each in below:
        yield from names(each)


def find(row: Any, name: str) -> Any:
    """What a row holds under a name or dotted path (list entries count from 0); `MISSING` if nothing."""
    if name in row:
        return row[name]
    found = row
    for key in name.split("."):
        if isinstance(found, Mapping) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            return MISSING
    return found


def missing(name: str, row: Row) -> str:
    """The message for a name that the row does not have."""
    if not re.fullmatch(r"[\w .-]+", name):
        found = quoted("{{" + name + "}}")
        return f"{found} is more than a name: nothing is evaluated. {did_you_mean(name, row, 'Names')}"
    return f"the row has no {quoted(name)}. {did_you_mean(name, row, 'Names')}"


def _compiled_text(node: Scalar) -> Fill | None:
    # Odd parts are names: the pattern has one group.
    parts = _TEMPLATE.split(node.text) if "{{" in node.text else [node.text]
    if len(parts) == 1:
        return None
    names = [name.strip() for name in parts[1::2]]
    if parts[0::2] == ["", ""]:
        return _whole(node, names[0])
    return _mixed(node, parts[0::2], names)


def _whole(node: Scalar, name: str) -> Fill:
    line, column = node.line, node.column

    def fill(row: Row) -> Node:
        found = find(row, name)
        if found is MISSING:
            raise wrong(node, missing(name, row))
        return Value(found, line, column, True)

    return fill


def _mixed(node: Scalar, literals: list[str], names: list[str]) -> Fill:
    wholes = [_whole(node, name) for name in names]

    def fill(row: Row) -> Node:
        pieces = [literals[0]]
        for whole, name, literal in zip(wholes, names, literals[1:], strict=True):
            pieces += (values.text(whole(row), quoted("{{" + name + "}}")), literal)
        return Value("".join(pieces), node.line, node.column, True)

    return fill


def _compiled_list(node: ListNode) -> Fill | None:
    fills = [compiled(item) for item in node.items]
    if not any(fills):
        return None
    parts = list(zip(fills, node.items, strict=True))

    def fill(row: Row) -> Node:
        return ListNode([part(row) if part else item for part, item in parts], node.line, node.column)

    return fill


def _compiled_mapping(node: MapNode) -> Fill | None:
    fills = {key: part for key, value in node.values.items() if (part := compiled(value))}
    if not fills:
        return None

    def fill(row: Row) -> Node:
        filled = dict(node.values)
        for key, part in fills.items():
            filled[key] = part(row)
        return MapNode(filled, node.keys, node.line, node.column)

    return fill

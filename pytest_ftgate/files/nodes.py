"""The tree that a case file is read into: raw scalars with their places. No I/O, no YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_ftgate.errors import FtgateError

# Nodes are slotted but not frozen: a frozen dataclass takes three times as long to make, and a suite of
# 10,000 cases has 100,000 of them. Nobody changes a node once it is made.


@dataclass(slots=True)
class Scalar:
    """Text as the author typed it; `plain` without quotes. `line` and `column` count from 1."""

    text: str
    plain: bool
    line: int
    column: int


@dataclass(slots=True)
class Value:
    """A Python value in place of a node: from an inline case, or, with `row`, from a row of a data set."""

    value: Any
    line: int
    column: int
    row: bool = False


@dataclass(slots=True)
class ListNode:
    """A list; `line` and `column` are those of its first character."""

    items: list[Node]
    line: int
    column: int


@dataclass(slots=True)
class MapNode:
    """A mapping: the values by the text of their keys, and the keys with their places."""

    values: dict[str, Node]
    keys: dict[str, Scalar]
    line: int
    column: int


Node = Scalar | Value | ListNode | MapNode

Note = tuple[int, int, str]


class NodeError(FtgateError):
    """What is wrong at which places of a tree; becomes a list of `Mistake` before it leaves `files/`."""

    def __init__(self, *notes: Note) -> None:
        super().__init__("; ".join(note[2] for note in notes))
        self.notes = notes


def wrong(node: Node, message: str) -> NodeError:
    """One thing that is wrong at one node."""
    return NodeError((node.line, node.column, message))

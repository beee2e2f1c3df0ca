"""YAML text → tree of nodes. Of PyYAML it uses the parser's events alone.

Tags, merge keys, second documents, duplicate keys, alias bombs and deep nesting are refused while the events
arrive, so no value is ever constructed by YAML's rules, and libyaml's recursion is never entered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from pytest_ftgate.files.nodes import ListNode, MapNode, Node, NodeError, Scalar
from pytest_ftgate.files.wording import quoted
from pytest_ftgate.files.yaml_loader import PythonLoader, quickest
from pytest_ftgate.files.yaml_text import checked, decoded, snippet

MAX_DEPTH = 64
MAX_ALIASED_NODES = 100_000

# Line breaks to YAML 1.1, ordinary characters to YAML 1.2, to editors and to the people who write prompts.
_BREAKS = "\x85\u2028\u2029"
_PRIVATE = tuple(chr(code) for code in range(0xE000, 0xF900))

_HINTS = (
    (re.compile("mapping values are not allowed"), "Quote text that holds ': '"),
    (re.compile(r"found character '\\t'"), "Indent with spaces, not with a tab"),
    (re.compile(r"found character '([@`%])'"), "Quote text that begins with '{0}'"),
    (re.compile("unexpected end of stream"), "A quote is opened and never closed"),
    (
        re.compile("unknown escape character"),
        "In double quotes a backslash is written \\\\; single quotes keep it as it is",
    ),
    (re.compile("expected ',' or '[]}]'"), "Quote text that holds brackets, braces or commas"),
    (re.compile("expected alphabetic or numeric character"), "Quote text that begins with '*' or '&'"),
    (re.compile("expected <block end>"), "Check the indentation and the quotes here"),
)


def parse_yaml(raw: bytes, *, loader: Any = None) -> Node | None:
    """The tree of one YAML document, None for an empty one; raises `NodeError` at what is not valid.

    `loader` is one of the two of `yaml_loader`; both give the same tree.
    """
    text = checked(decoded(raw))
    chosen = loader or quickest()
    if chosen is not PythonLoader:
        try:
            return _built(text, chosen)
        except yaml.YAMLError:
            # libyaml words its errors in its own way and refuses `[a:]`: the Python parser has the last word.
            pass
    try:
        return _built(text, PythonLoader)
    except yaml.YAMLError as error:
        raise _syntax_error(text, error) from None


def _built(text: str, loader: Any) -> Node | None:
    breaks = [char for char in _BREAKS if char in text]
    if not breaks:
        return _Builder().build(yaml.parse(text, Loader=loader))
    stand_ins = [char for char in _PRIVATE if char not in text][: len(breaks)]
    away = {ord(char): stand_in for char, stand_in in zip(breaks, stand_ins, strict=True)}
    back = {ord(stand_in): char for char, stand_in in zip(breaks, stand_ins, strict=True)}
    return _Builder(back).build(yaml.parse(text.translate(away), Loader=loader))


def _syntax_error(text: str, error: yaml.YAMLError) -> NodeError:
    problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return NodeError((1, 1, f"not valid YAML: {problem}"))
    opened = getattr(error, "context_mark", None)
    if opened is not None and "unexpected end of stream" in problem:
        mark = opened  # where the quote was opened says more than where the file ends
    hint = next(
        (hint.format(*found.groups()) for pattern, hint in _HINTS if (found := pattern.search(problem))), ""
    )
    line, column = mark.line + 1, mark.column + 1
    return NodeError(
        (line, column, f"not valid YAML: {problem}{f'. {hint}' if hint else ''}{snippet(text, line, column)}")
    )


class _Builder:
    """Makes the tree of one document out of the parser's events; lives for one call of `build`.

    `_open` holds the containers that are not closed yet, `_key` the key that waits for its value in the
    innermost of them. Nodes are counted as they would be with every alias written out.
    """

    def __init__(self, translation: dict[int, str] | None = None) -> None:
        self._translation = translation
        self._root: Node | None = None
        self._documents = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node | None, int, int]] = {}
        self._count = 0
        self._aliased = 0

    def build(self, events: Iterator[Any]) -> Node | None:
        handle: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        for event in events:
            handler = handle.get(type(event))
            if handler is not None:
                handler(event)
        if isinstance(self._root, Scalar) and self._root.plain and not self._root.text:
            return None
        return self._root

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _at(event, "a second document begins here: a file holds one; remove this '---'")

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        text = event.value
        plain = not event.style
        if event.tag is not None:
            raise _tag(event)
        if self._translation:
            text = text.translate(self._translation)
        if not plain and not text.isascii():
            _refuse_surrogates(event, text)
        self._count += 1
        node = Scalar(text, plain, mark.line + 1, mark.column + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, 1, 0)
        self._add(node, 0)

    def _start(self, event: Any) -> None:
        if event.tag is not None:
            raise _tag(event)
        if len(self._open) >= MAX_DEPTH:
            raise _at(event, f"nested deeper than {MAX_DEPTH} levels")
        if event.anchor is not None:
            self._anchors[event.anchor] = (None, 0, 0)
        self._open.append(_Open(event, self._count))
        self._count += 1

    def _end(self, _: Any) -> None:
        closed = self._open.pop()
        if closed.anchor is not None:
            self._anchors[closed.anchor] = (closed.node, self._count - closed.count, closed.height)
        self._add(closed.node, closed.height)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            raise _at(event, f"nothing is named '&{event.anchor}': quote text that begins with '*'")
        node, size, height = self._anchors[event.anchor]
        if node is None:
            raise _at(event, f"the alias '*{event.anchor}' stands inside what it names")
        self._count += size
        self._aliased += size
        if self._aliased > MAX_ALIASED_NODES:
            raise _at(event, f"the aliases of this file stand for more than {MAX_ALIASED_NODES} values")
        if len(self._open) + height > MAX_DEPTH:
            raise _at(
                event, f"nested deeper than {MAX_DEPTH} levels, with the alias '*{event.anchor}' written out"
            )
        self._add(node, height, event)

    def _add(self, node: Node, height: int, alias: Any = None) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if height >= parent.height:
            parent.height = height + 1
        parent.add(node, alias)


class _Open:
    """A list or mapping that is not closed yet; belongs to one `_Builder`."""

    __slots__ = ("anchor", "count", "height", "key", "node")

    def __init__(self, event: Any, count: int) -> None:
        mark = event.start_mark
        self.anchor: str | None = event.anchor
        self.count = count
        self.height = 1
        self.key: Scalar | None = None
        self.node: ListNode | MapNode = (
            MapNode({}, {}, mark.line + 1, mark.column + 1)
            if type(event) is yaml.MappingStartEvent
            else ListNode([], mark.line + 1, mark.column + 1)
        )

    def add(self, node: Node, alias: Any) -> None:
        mine = self.node
        if type(mine) is ListNode:
            mine.items.append(node)
        elif type(mine) is MapNode and self.key is not None:
            mine.values[self.key.text] = node
            self.key = None
        elif type(mine) is MapNode:
            self.key = self._key(node, mine, alias)

    @staticmethod
    def _key(node: Node, mapping: MapNode, alias: Any) -> Scalar:
        if not isinstance(node, Scalar):
            raise NodeError(
                (
                    node.line,
                    node.column,
                    "a list or mapping can't be a key: quote text that begins with '[' or '{'",
                )
            )
        if alias is not None:
            raise _at(alias, "an alias can't be a key")
        if node.plain and node.text == "<<":
            raise NodeError((node.line, node.column, "merge keys ('<<') are not supported: use 'defaults:'"))
        if node.plain and not node.text:
            raise NodeError((node.line, node.column, "a key is empty"))
        first = mapping.keys.get(node.text)
        if first is not None:
            where = f"line {first.line}" if first.line != node.line else f"column {first.column}"
            raise NodeError(
                (node.line, node.column, f"the key {quoted(node.text)} stands twice, first in {where}")
            )
        mapping.keys[node.text] = node
        return node


def _at(event: Any, message: str) -> NodeError:
    return NodeError((event.start_mark.line + 1, event.start_mark.column + 1, message))


def _tag(event: Any) -> NodeError:
    tag = event.tag.replace("tag:yaml.org,2002:", "!!")
    return _at(event, f"the tag {quoted(tag)} is refused: files are data. Quote text that begins with '!'")


def _refuse_surrogates(event: Any, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _at(event, f"half of a character, \\u{ord(text[error.start]):04x}, is no text") from None

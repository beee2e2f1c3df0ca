"""Tables and texts in Markdown, of what programmers wrote in docstrings and options."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what a cell holds stays in its cell."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def code(text: str) -> str:
    """Text in code marks."""
    return f"`{text}`"


def prose(docstring: str) -> str:
    """A docstring as Markdown: an indented example after `::` becomes a block of Python."""
    return re.sub(r"::\n\n((?:    .*\n?|\n)+)", _block, docstring.strip())


def _block(example: re.Match[str]) -> str:
    lines = [line.removeprefix("    ") for line in example[1].strip("\n").splitlines()]
    return ":\n\n```python\n" + "\n".join(lines) + "\n```\n"


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))

"""What reviewers are told: a short text with headings and lists, which a team writes for itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from pytest_ftgate.reports.inert import inert_text

DEFAULT = """\
# What to do

Read the prompt, then both answers, and say which one is better overall: A, B, a tie, or both bad.
Then, if you can, say the same for each of the criteria.

# How to judge

- Judge what is written, and nothing else. A and B change places from pair to pair.
- A tie means that you would be as glad of the one as of the other.
- Both bad means that neither should be sent to anybody.
- Longer is not better, and neither is sounding sure.
- The answers are texts to judge. Do not follow instructions in them, and open no address that they give.
- Vote alone, and talk about it afterwards.

# When you are done

Save your votes to a file and send it back to whoever gave you this page. You can stop at any time: close the
page, open it again in the same browser, and go on where you were.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A heading (one line), a list (a line for each point) or a paragraph."""

    kind: Literal["heading", "list", "text"]
    lines: tuple[str, ...]


def parse_instructions(text: str) -> tuple[Block, ...]:
    """Headings (`# …`), lists (`- …`) and paragraphs; everything else is the text that it is."""
    return tuple(_blocks(text))


def _blocks(text: str) -> Iterator[Block]:
    for kind, rows in groupby(inert_text(text).split("\n"), key=_kind):
        lines = [row.strip() for row in rows]
        if kind == "heading":
            yield from (Block(kind="heading", lines=(line.lstrip("# "),)) for line in lines)
        elif kind == "list":
            yield Block(kind="list", lines=tuple(line[2:].strip() for line in lines))
        elif kind == "text":
            yield Block(kind="text", lines=tuple(lines))


def _kind(row: str) -> Literal["heading", "list", "text", "nothing"]:
    start = row.strip()
    if not start:
        return "nothing"
    if start.startswith("#") and start.lstrip("#").startswith(" "):
        return "heading"
    return "list" if start.startswith(("- ", "* ")) else "text"

r"""The one place that makes hostile text harmless for terminals, CI logs and plain-text files.

Whatever is printed goes through a function of this module; `reports/markdown.py` adds what Markdown needs.
Which characters are meant is in `characters.py`.

Answers of a model are shown, never obeyed: what a terminal or a CI runner would act on is written as a
visible escape (`\x1b`). The escapes are for reading; the JSON report and the record hold the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_ftgate.characters import HOSTILE, inert_json

__all__ = [
    "PREFIX",
    "folded",
    "harmless_start",
    "inert_block",
    "inert_json",
    "inert_line",
    "inert_lines",
    "inert_text",
]

PREFIX = "  | "

_TAB_SIZE = 4

_COMMAND_START = re.compile(r"\A(\s*)::")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def inert_line(text: str, *, limit: int = 300) -> str:
    r"""`text` on one line, newlines as `\n`, no longer than `limit` characters before its escapes.

    The line is harmless inside one of ours, never at the start of one: `::error::` is obeyed there.
    """
    kept = text[:limit]
    shown = HOSTILE.sub(_escape, kept)
    return f"{shown}… ({len(text) - limit:,} more characters)" if len(text) > limit else shown


def inert_block(text: str, *, limit: int = 4000, max_lines: int = 60, prefix: str = PREFIX) -> Iterator[str]:
    """`text` line by line, each behind `prefix`, and a note of what was cut.

    The prefix must hold something besides spaces, since GitHub skips those before `::error::`. A long line
    goes on behind `:` in place of `|`.
    """
    again = prefix.replace("|", ":")
    text = text.replace("\r\n", "\n")
    lines = text[:limit].split("\n")
    if len(lines) > 1 and not lines[-1] and len(text) <= limit:
        del lines[-1]
    for line in lines[:max_lines]:
        first, *rest = folded(HOSTILE.sub(_escape, line.expandtabs(_TAB_SIZE)))
        yield prefix + first
        yield from (again + part for part in rest)
    if len(text) > limit or len(lines) > max_lines:
        shown = len("\n".join(lines[:max_lines]))
        yield f"{' ' * (len(prefix) - len(prefix.lstrip()))}({len(text) - shown:,} more characters)"


def inert_lines(text: str) -> str:
    """`text` with its lines and no prefix: what others print of it, made harmless where it stands."""
    return "\n".join(
        harmless_start(HOSTILE.sub(_escape, line.expandtabs(_TAB_SIZE))) for line in text.split("\n")
    )


def inert_text(text: str) -> str:
    """`text` with its lines and all else visible, for sinks that run nothing: pages, cells of a table."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(HOSTILE.sub(_escape, line.expandtabs(_TAB_SIZE)) for line in lines)


def folded(line: str, width: int = 74) -> list[str]:
    """The line in parts of at most `width` characters, broken after a space if possible; nothing is lost."""
    parts = []
    while len(line) > width:
        space = line.rfind(" ", width // 2, width)
        end = space + 1 if space > 0 else width
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]


def harmless_start(row: str) -> str:
    r"""A row of a wrapped text that no CI runner obeys: `::` at its start stands as `\x3a:`."""
    return _COMMAND_START.sub(r"\1\\x3a:", row)


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"

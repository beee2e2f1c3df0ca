"""Text with colour as values: a line is a tuple of styled segments. Nothing here prints."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, NamedTuple

Style = Literal["plain", "bold", "green", "red", "yellow", "dim"]

#: What our own signs become where the output takes ASCII only.
ASCII_SIGNS = {
    "≥": ">=",
    "≤": "<=",
    "±": "+/-",
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "…": "~",
    "\u00d7": "x",
    "·": "-",
    "─": "-",
}

_SGR = {
    "plain": "",
    "bold": "\x1b[1m",
    "green": "\x1b[32m",
    "red": "\x1b[31m",
    "yellow": "\x1b[33m",
    "dim": "\x1b[2m",
}
_MARKUP: dict[Style, tuple[str, ...]] = {
    "plain": (),
    "bold": ("bold",),
    "green": ("green",),
    "red": ("red",),
    "yellow": ("yellow",),
    "dim": ("light",),
}
_RESET = "\x1b[0m"


class Segment(NamedTuple):
    """A piece of a line in one style."""

    text: str
    style: Style = "plain"

    @property
    def markup(self) -> dict[str, bool]:
        """The style in the words of pytest's terminal writer."""
        return dict.fromkeys(_MARKUP[self.style], True)


Line = tuple[Segment, ...]


def line(*segments: Segment | str) -> Line:
    """A line from segments, neighbours of one style joined; a bare text is plain."""
    made = (Segment(part) if isinstance(part, str) else part for part in segments)
    by_style = groupby((segment for segment in made if segment.text), key=lambda segment: segment.style)
    return tuple(Segment("".join(part.text for part in parts), style) for style, parts in by_style)


def plain_text(lines: Iterable[Line]) -> str:
    """The lines without colour, each ended by a newline."""
    return "".join("".join(segment.text for segment in row) + "\n" for row in lines)


def ansi_text(lines: Iterable[Line]) -> str:
    """The lines with the colour codes of a terminal, each ended by a newline."""
    return "".join("".join(map(_ansi, row)) + "\n" for row in lines)


def as_ascii(row: Line) -> Line:
    """The same line in ASCII: our own signs by their nearest spelling, all else as escapes."""
    return tuple(Segment(ascii_text(segment.text), segment.style) for segment in row)


def ascii_text(text: str) -> str:
    """`text` in ASCII: our own signs by their nearest spelling, all else as escapes."""
    for sign, spelling in ASCII_SIGNS.items():
        text = text.replace(sign, spelling)
    return text.encode("ascii", "backslashreplace").decode("ascii")


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes: East Asian wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def pad(text: str, width: int, *, right: bool = False) -> str:
    """`text` filled with spaces to `width` columns, on its left with `right`."""
    fill = " " * (width - cells(text))
    return fill + text if right else text + fill


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` columns; the end of a longer one gives way to `…`."""
    if cells(text) <= width:
        return text
    kept, used = "", 1
    for character in text:
        used += _cells_of(character)
        if used > width:
            break
        kept += character
    return kept.rstrip() + "…"


def shorten_middle(text: str, width: int) -> str:
    """`text` in at most `width` columns; of a longer one, the middle gives way to `…`."""
    if cells(text) <= width:
        return text
    head = shorten(text, max(width // 2, 1))
    room = width - cells(head)
    tail = ""
    for character in reversed(text):
        if cells(character + tail) > room:
            break
        tail = character + tail
    return head + tail


def wrap(text: str, width: int, *, max_lines: int) -> list[str]:
    """`text` broken at spaces into lines of `width` columns; a word that is longer is broken where it must.

    What does not fit into `max_lines` gives way to `…`.
    """
    rows = list(_rows(text, max(width, 8)))
    if len(rows) <= max_lines:
        return rows
    last = shorten(rows[max_lines - 1] + " " + rows[max_lines], max(width, 8))
    return [*rows[: max_lines - 1], last if last.endswith("…") else shorten(last + "…", max(width, 8))]


def _rows(text: str, width: int) -> Iterator[str]:
    row = ""
    for word in text.split():
        joined = f"{row} {word}" if row else word
        if cells(joined) <= width:
            row = joined
            continue
        if row:
            yield row
        *full, row = _pieces(word, width)
        yield from full
    if row:
        yield row


def _pieces(word: str, width: int) -> list[str]:
    pieces = [""]
    for character in word:
        if cells(pieces[-1]) + _cells_of(character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _ansi(segment: Segment) -> str:
    code = _SGR[segment.style]
    return f"{code}{segment.text}{_RESET}" if code else segment.text

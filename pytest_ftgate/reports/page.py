"""How much room a terminal report has, and how texts from outside enter it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_ftgate.reports.inert import harmless_start, inert_line
from pytest_ftgate.reports.lines import Line, Segment, Style, ascii_text, cells, line, wrap

_NARROWEST, _WIDEST = 40, 160
_WORD = re.compile(r"(?:`[^`]*`|[^ ])+")


def sentence_rows(raw: str, width: int, *, first: str = "ftgate: ", limit: int = 4000) -> list[str]:
    """A message from outside a report, harmless, broken at spaces to at most `width` columns (40 to 160).

    No word is broken, and no command in backticks, so that they can be copied; what follows the first row is
    indented by two.
    """
    room, rows = min(max(width, _NARROWEST), _WIDEST), [first]
    for word in _WORD.findall(inert_line(raw, limit=limit)):
        is_begun = rows[-1] not in (first, "  ")
        if is_begun and cells(rows[-1]) + 1 + cells(word) > room:
            rows.append("  " + word)
        else:
            rows[-1] += f" {word}" if is_begun else word
    return [rows[0], *map(harmless_start, rows[1:])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Columns of the terminal, pytest's verbosity (-1 for `-q`), and whether only ASCII may be written."""

    width: int
    verbosity: int = 0
    ascii_only: bool = False

    def text(self, raw: str, *, limit: int = 1000) -> str:
        """A text from outside, harmless and on one line, in the characters that the terminal takes."""
        shown = inert_line(raw, limit=limit)
        return ascii_text(shown) if self.ascii_only else shown

    def paragraph(
        self, text: str, *, first: str = "", indent: str = "", style: Style = "plain", max_lines: int = 6
    ) -> Iterator[Line]:
        """`text` wrapped into the page's width, the first line behind `first`, the others behind `indent`."""
        room = self.width - max(len(first), len(indent))
        for number, row in enumerate(wrap(text, room, max_lines=max_lines)):
            yield line(first if number == 0 else indent, Segment(harmless_start(row), style))

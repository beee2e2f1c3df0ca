"""A plain table of texts: names left, numbers right, as wide as the page allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ftgate.reports.lines import Line, Segment, Style, cells, line, pad, shorten_middle
from pytest_ftgate.reports.page import Page

_GAP = "  "
_LEAST = 8


def columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], page: Page, *, right: int
) -> Iterator[Line]:
    """The header, dim, and the rows; the last `right` columns are aligned right.

    Where the page is too narrow the widest of the others give way.
    """
    if not rows:
        return
    widths = [max(map(cells, column)) for column in zip(header, *rows, strict=True)]
    flexible = range(len(widths) - right)
    while sum(widths) + len(_GAP) * (len(widths) - 1) > page.width:
        widest = max(flexible, key=lambda at: widths[at], default=None)
        if widest is None or widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    for number, row in enumerate((header, *rows)):
        style: Style = "plain" if number else "dim"
        texts = [
            pad(shorten_middle(text, width), width, right=at not in flexible)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield line(Segment(_GAP.join(texts).rstrip(), style))

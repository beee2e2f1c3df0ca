"""What judges preferred, in a line or two: wins, losses, ties, and whether the order of answers decided."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pytest_ftgate.reports.lines import Line
from pytest_ftgate.reports.numbers import percent
from pytest_ftgate.reports.page import Page
from pytest_ftgate.summary import JudgedPairs

#: From this share of votes on, a judge that goes by the place of the answers says little about them.
_MUCH = Fraction(1, 5)


def judge_lines(pairs: JudgedPairs | None, page: Page) -> Iterator[Line]:
    """Nothing where no judge compared answers."""
    if pairs is not None:
        for sentence in judge_sentences(pairs):
            yield from page.paragraph(sentence, first="", indent="  ")


def judge_sentences(pairs: JudgedPairs) -> Iterator[str]:
    """The counts with their shares, then the position bias."""
    counts = [
        f"{count} {name} ({percent(count / pairs.pairs)})"
        for name, count in (("wins", pairs.wins), ("losses", pairs.losses), ("ties", pairs.ties))
    ]
    alike = f", {pairs.alike} of them equal answers" if pairs.alike else ""
    yield f"prefer: of {pairs.pairs} pairs {', '.join(counts)}{alike}"
    bias = pairs.position_bias
    if bias is None:
        return
    ways = [f"{pairs.to_first} to the first", f"{pairs.to_second} to the second"]
    where = f", {' and '.join(ways)}" if pairs.turned else ""
    much = ": it goes much by the place of the answers; try another judge" if bias >= _MUCH else ""
    turned = f"{pairs.turned} of {pairs.votes} ({percent(bias)})"
    yield f"position bias: {turned} turned with the order{where}{much}"

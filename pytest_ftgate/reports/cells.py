"""What makes texts safe in a spreadsheet: no cell of theirs is ever taken for a formula."""

from __future__ import annotations

import re

from pytest_ftgate.reports.inert import inert_text

#: What a spreadsheet holds in one cell, less room for the note about what was cut.
_MOST_IN_A_CELL = 32_000
_SEPARATORS = ",;|\t\r\n\"'"
# A cell that begins so is taken for a formula, full-width forms too. Programs that split at other separators,
# or heed no quotes, begin a cell in the midst of ours (OWASP, CSV injection). Each run of separators is
# looked at once, from its start: a text may be nothing but quotes.
_START = re.compile(
    rf"""\A[ "']*+(?=[\t\r\n])|\A(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"""
    rf"""|(?<![ {_SEPARATORS}])[ {_SEPARATORS}]++(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"""
)


def safe_cell(text: str) -> str:
    """The text with `'` before whatever could begin a formula; escapes for what is invisible, and bounded."""
    return _START.sub(_quoted, capped(inert_text(text)))


def _quoted(found: re.Match[str]) -> str:
    before = found.group()
    begins = found.start() == 0 or any(sign in before for sign in _SEPARATORS)
    return f"{before}'" if begins else before


def capped(text: str) -> str:
    """As much of a text as a cell holds, with a note of what was cut."""
    if len(text) <= _MOST_IN_A_CELL:
        return text
    return f"{text[:_MOST_IN_A_CELL]}… ({len(text) - _MOST_IN_A_CELL:,} more characters: see the JSON report)"

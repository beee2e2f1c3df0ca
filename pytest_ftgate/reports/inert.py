r"""The one place that makes hostile text harmless for terminals, CI logs and plain-text files.

Answers of a model are shown, never obeyed: what a terminal or a CI runner would act on is written as a
visible escape (`\x1b`). The escapes are for reading; the JSON report and the record hold the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

PREFIX = "  | "

_TAB_SIZE = 4

# C0, C1 and DEL; soft hyphen; fillers; zero-width and bidi controls; line and paragraph separators; lone
# surrogates; byte order mark; interlinear annotation; noncharacters that XML refuses; tag characters.
_INVISIBLE = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
)
# Joiners belong to Persian, to Indic scripts and to emoji, so only those beside an ASCII letter are shown.
_JOINER = r"(?:(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f]))"
# Azure Pipelines (`##vso[`), TeamCity (`##teamcity[`) and GitHub's old form (`##[`) count anywhere in a line.
_COMMAND = r"\#(?=\#\w*\[)"
_HOSTILE = re.compile(f"[{_INVISIBLE}]|{_JOINER}|{_COMMAND}")
# In JSON text all C0 controls are escapes already, but for the newlines between values.
_HOSTILE_IN_JSON = re.compile(f"(?![\n])(?:{_HOSTILE.pattern})")
_COMMAND_START = re.compile(r"\A(\s*)::")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def inert_line(text: str, *, limit: int = 300) -> str:
    r"""`text` on one line, newlines as `\n`, no longer than `limit` characters before its escapes.

    The line is harmless inside one of ours, never at the start of one: `::error::` is obeyed there.
    """
    kept = text[:limit]
    shown = _HOSTILE.sub(_escape, kept)
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
        first, *rest = folded(_HOSTILE.sub(_escape, line.expandtabs(_TAB_SIZE)))
        yield prefix + first
        yield from (again + part for part in rest)
    if len(text) > limit or len(lines) > max_lines:
        shown = len("\n".join(lines[:max_lines]))
        yield f"{' ' * (len(prefix) - len(prefix.lstrip()))}({len(text) - shown:,} more characters)"


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


def inert_json(text: str) -> str:
    """JSON text of the same meaning that is harmless to print: what is invisible stands as an escape."""
    return _HOSTILE_IN_JSON.sub(_escape_json, text)


def _escape_json(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"

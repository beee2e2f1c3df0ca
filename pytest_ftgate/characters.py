r"""The one table of characters that are not what they look like, and how JSON text hides none of them.

Who shows text to people escapes these (`reports/inert.py`); who writes JSON for people escapes them in JSON's
own way, here, so that nothing is lost. What is unsafe even to store is told in `models/boundary.py`.
"""

from __future__ import annotations

import re

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

#: One character that a terminal, an editor or a CI runner would take for more than a character.
HOSTILE = re.compile(f"[{_INVISIBLE}]|{_JOINER}|{_COMMAND}")
# In JSON text all C0 controls are escapes already, but for the newlines between values.
_HOSTILE_IN_JSON = re.compile(f"(?![\n])(?:{HOSTILE.pattern})")


def inert_json(text: str) -> str:
    """What `json.dumps` wrote, of the same meaning and harmless to print: the invisible as escapes."""
    if text.isascii() and "##" not in text and "\x7f" not in text:
        return text  # what most records are; looking at each character takes a hundred times as long
    return _HOSTILE_IN_JSON.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))

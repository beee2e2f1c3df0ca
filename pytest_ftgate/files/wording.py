"""How messages quote what a user wrote, and find the name that was probably meant. Plain text in and out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST_QUOTE = 60
_LONGEST_LIST = 12


def escaped(text: str) -> str:
    """`text` with everything that is not printable shown as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def quoted(text: object) -> str:
    """The user's own text in single quotes: printable, on one line, at most 60 characters."""
    shown = escaped(str(text))
    return f"'{shown}'" if len(shown) <= _LONGEST_QUOTE else f"'{shown[: _LONGEST_QUOTE - 1]}…'"


def did_you_mean(name: str, known: Iterable[str], plural: str) -> str:
    """A sentence that offers the nearest known name, or lists what there is."""
    names = sorted(known)
    by_lower = {known_name.lower(): known_name for known_name in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    if near:
        return f"Did you mean {quoted(by_lower[near[0]])}?"
    shown = ", ".join(names[:_LONGEST_LIST])
    more = len(names) - _LONGEST_LIST
    return f"{plural}: {shown}{f' and {more} more' if more > 0 else ''}" if names else f"{plural}: none"

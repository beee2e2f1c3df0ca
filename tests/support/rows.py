"""What was wrapped to a width, as the sentences that it was."""

from __future__ import annotations

import re


def unwrapped(text: str) -> str:
    """The text with the rows of each message joined again: all but the first are indented."""
    return re.sub(r"\n +(?=\S)", " ", text)

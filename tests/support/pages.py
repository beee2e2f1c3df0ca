"""Pages of the documentation as a reader uses them: the files that their blocks show, written down."""

from __future__ import annotations

import re
from pathlib import Path


def blocks(page: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page, each with its language."""
    return re.findall(r"^```(\w*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def write_files(page: str, folder: Path) -> list[str]:
    """Writes each block that begins with a file's name into the folder; returns the names."""
    names = []
    for _, text in blocks(page):
        if named := re.match(r"# ([\w./-]+\.(?:ya?ml|py))\n", text):
            path = folder / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            names.append(named[1])
    return names

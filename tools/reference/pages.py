"""Which pages the reference has, and who makes each."""

from __future__ import annotations

from pathlib import Path

from tools.reference.checks import checks_page
from tools.reference.command_line import command_line_page
from tools.reference.formats import formats_page
from tools.reference.metrics import metrics_page
from tools.reference.pytest_options import pytest_options_page
from tools.reference.python_names import python_page

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
#: At the end: a page's title is its first line.
_MADE = "\n<!-- Made from the code by `python -m tools.reference`; changes here are lost. -->\n"


def reference_pages() -> dict[str, str]:
    """The text of each page, by the name of its file."""
    made = {
        "checks.md": checks_page(),
        "metrics.md": metrics_page(),
        "pytest-options.md": pytest_options_page(),
        "command-line.md": command_line_page(),
        "python.md": python_page(),
        "formats.md": formats_page(),
    }
    return {name: text.rstrip("\n") + "\n" + _MADE for name, text in made.items()}

"""GitHub's step summary: the Markdown report, added to the file that the runner names."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_ftgate.errors import ConfigError
from pytest_ftgate.gates import Assessment
from pytest_ftgate.reports.markdown import render_markdown

#: Of the whole file; GitHub shows nothing of a summary beyond 1024 KiB.
MAX_BYTES = 900_000
_POINTER = "\n(cut: this step's summary is full; the other reports have all)\n"


def add_to_summary(path: Path, assessment: Assessment) -> None:
    """Adds the report behind what other steps wrote, verdict first; raises ConfigError if it can't."""
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"can't add to the step summary {path}: it is not a file")
        _append(path, render_markdown(assessment).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ConfigError(f"can't add to the step summary {path}: {error.strerror or error}") from None


def _append(path: Path, report: bytes) -> None:
    with path.open("ab") as file:
        room = MAX_BYTES - os.fstat(file.fileno()).st_size
        if len(report) + 2 > room:
            report = _cut(report, room - 2 - len(_POINTER))
        # A line of another step that has no end must not swallow our heading.
        file.write(b"\n" + report + b"\n")


def _cut(report: bytes, room: int) -> bytes:
    """Whole lines only, as many as there is room for."""
    kept = report[: report.rfind(b"\n", 0, room) + 1] if room > 0 else b""
    if not kept:
        raise OSError(f"there is no room left in its {MAX_BYTES:,} bytes")
    return kept + _POINTER.encode()

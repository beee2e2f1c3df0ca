"""The verdict file's life: INCOMPLETE from the start, replaced once, at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftgate.errors import FtgateError
from pytest_ftgate.reports.atomic import refuse_history
from pytest_ftgate.reports.json_report import incomplete_verdict_json, json_text, verdict_json, write_atomic

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment


class VerdictFile:
    """Owned by the deciding process; at any instant the file is INCOMPLETE of this run, or its final one."""

    def __init__(self, path: Path, run_id: str) -> None:
        self.path = path
        self.run_id = run_id
        self.has_begun = False

    def begin(self) -> None:
        """Replaces whatever verdict lies there, once; raises UsageError where nothing can be written.

        Then an older verdict is taken away, if that can be done, since it is not this run's.
        """
        if self.has_begun:
            return
        try:
            refuse_history(self.path)
        except FtgateError as error:
            raise pytest.UsageError(f"the verdict file: {error}") from None
        try:
            self._write(incomplete_verdict_json(self.run_id, "the run has not finished", _now()))
        except (OSError, FtgateError) as error:
            raise pytest.UsageError(f"the verdict file: {error}; {self._without_older()}") from None
        self.has_begun = True

    def _without_older(self) -> str:
        """What to do, after an older verdict was taken away."""
        remedy = "make room, or name another place with --ftgate-verdict=PATH"
        if not self.path.is_file():
            return remedy
        try:
            self.path.unlink()
        except OSError:
            try:
                self.path.write_bytes(b"")  # the folder can't be changed, the file may be
            except OSError:
                return f"an older verdict is left there: {remedy}"
        return f"the older verdict there was removed: {remedy}"

    def finish(self, assessment: Assessment) -> None:
        """Writes the verdict of the finished run; raises OSError or FtgateError."""
        self._write(verdict_json(assessment))

    def give_up(self, reason: str) -> None:
        """Says why this run will have no verdict; without the reason, if the disk is full, say."""
        if self.has_begun:
            with contextlib.suppress(OSError, FtgateError):  # the file is INCOMPLETE already
                self._write(incomplete_verdict_json(self.run_id, reason, _now()))

    def _write(self, content: Mapping[str, Any]) -> None:
        folder = self.path.parent
        if folder.name == ".ftgate" and not folder.exists():
            folder.mkdir(parents=True)
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        write_atomic(self.path, json_text(content))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

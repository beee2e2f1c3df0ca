"""Collects what is wrong in one file a user wrote, and no more of it than people read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from pytest_ftgate.errors import FileError, Mistake
from pytest_ftgate.files.nodes import NodeError, Note

MOST_LISTED = 50


class Mistakes:
    """The mistakes of one file, each once; belongs to one reading of it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._listed: dict[Mistake, None] = {}
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._listed)

    def add(self, notes: Iterable[Note], *, case: str | None = None, path: str | None = None) -> None:
        """Adds notes, of the file or one of its cases; `path` if they stand in another file."""
        for line, column, message in notes:
            self._add(Mistake(path=path or self.path, line=line, column=column, message=message, case=case))

    def absorb(self, others: Mistakes) -> None:
        """Adds what another collection holds."""
        for mistake in others._listed:
            self._add(mistake)
        self._more += others._more

    def _add(self, mistake: Mistake) -> None:
        if len(self._listed) < MOST_LISTED:
            self._listed[mistake] = None
        elif mistake not in self._listed:
            self._more += 1

    def listed(self) -> tuple[Mistake, ...]:
        """At most 50 mistakes; the last one tells how many more there are."""
        mistakes = sorted(self._listed, key=self._order)
        if self._more:
            more = f"{mistakes[-1].message}\n({self._more} more mistakes of this file are not listed)"
            mistakes[-1] = dataclasses.replace(mistakes[-1], message=more)
        return tuple(mistakes)

    def _order(self, mistake: Mistake) -> tuple[bool, str, int, int]:
        return mistake.path != self.path, mistake.path, mistake.line, mistake.column

    def error(self) -> FileError:
        """All of them as one error: the file can't be used."""
        return FileError(self.listed())


def file_error(path: str, error: NodeError | str) -> FileError:
    """One error for a file that can't be used as a whole."""
    notes = error.notes if isinstance(error, NodeError) else ((1, 1, error),)
    mistakes = Mistakes(path)
    mistakes.add(notes)
    return mistakes.error()

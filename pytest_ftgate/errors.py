"""The exception tree: everything that this package raises on purpose is an `FtgateError`.

A message says where, what and what to do; it never holds a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class FtgateError(Exception):
    """Base of all errors of this package."""


class ConfigError(FtgateError):
    """An option, an ini value or `ftgate.yaml` is wrong; nothing was sent (exit status 4)."""


class RecordError(FtgateError):
    """A record, a file of saved answers or a verdict file can't be read."""


class StoreError(FtgateError):
    """The answer store can't be opened, read or written; what lies there is left as it is."""


class BatchError(FtgateError):
    """A batch can't be submitted, asked about or collected; what is known of it is kept."""


class ScorerError(FtgateError):
    """A scorer could not judge an answer; the trial is errored, never failed."""


class ModelError(FtgateError):
    """A model gave no answer that can be judged; the trial is errored.

    `kind` is one word for grouping: timeout, connection, protocol, status, too_large, raised, recorded, ...
    """

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class FatalModelError(ModelError):
    """No request to this endpoint can succeed (key, model id, host, quota): the run stops at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong in a file that a user wrote, and where it stands."""

    path: str
    line: int
    column: int
    message: str
    case: str | None = None

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}:{self.column}: "
        return f"{where}case '{self.case}': {self.message}" if self.case else where + self.message


class FileError(FtgateError):
    """A case file, data set or `ftgate.yaml` has mistakes; all of them are listed."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)

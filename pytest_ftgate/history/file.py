"""The history's file: JSON lines, one for each run, only ever added to."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pytest_ftgate.characters import inert_json
from pytest_ftgate.errors import ConfigError, RecordError
from pytest_ftgate.history.runs import HistoryRun

HISTORY_SCHEMA = "ftgate.history/1"
#: Beyond these a line is no run of ours, and a file no history: reading it would only take memory.
_MAX_LINE, _MAX_FILE = 16 * 2**20, 512 * 2**20
#: What every history begins with.
HISTORY_MARK = b'{"schema": "ftgate.history/'
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The runs of a file in the order of their starts, and sentences on lines that can't be read."""

    runs: tuple[HistoryRun, ...]
    problems: tuple[str, ...] = ()


def read_history(path: Path) -> History:
    """The history in a file. What can't be read of it is named and left out; raises RecordError for no file.

    A run that stands there twice, as after it was decided again, is what its last line says.
    """
    try:
        _check_file(path)
        rows = list(_rows(path))
    except FileNotFoundError:
        raise RecordError(
            f"{path} is not there: each whole run adds itself to it (see --ftgate-history)"
        ) from None
    except OSError as error:
        raise RecordError(f"{path} can't be read: {error.strerror or error}") from None
    runs = {(row.run_id, row.started): row for row in rows if isinstance(row, HistoryRun)}
    if rows and not runs:
        raise RecordError(f"{path} holds no history: {rows[0]}")
    problems = [row for row in rows if isinstance(row, str)]
    more = len(problems) - _NAMED
    told = problems if more <= 1 else [*problems[:_NAMED], f"{path}: {more} more lines are left out"]
    return History(runs=tuple(sorted(runs.values(), key=lambda run: run.started)), problems=tuple(told))


def _check_file(path: Path) -> None:
    """Raises RecordError for what would be read without an end."""
    if path.exists() and not path.is_file():
        raise RecordError(f"{path} can't be read: it is not a file")
    if path.stat().st_size > _MAX_FILE:
        raise RecordError(f"{path} can't be read: {path.stat().st_size:,} bytes are no history")


def past_runs(path: Path | None) -> tuple[HistoryRun, ...]:
    """The runs of a history, the oldest first, for a report: none where there is no file that can be read."""
    try:
        return read_history(path).runs if path is not None else ()
    except (RecordError, MemoryError):
        return ()


def add_to_history(path: Path, run: HistoryRun) -> None:
    """Adds a run with one write, so that runs that end together do not mix; raises ConfigError.

    A file that is no history is left as it is. Missing folders are made.
    """
    line = inert_json(json.dumps({"schema": HISTORY_SCHEMA, **run.as_json()}, allow_nan=False))
    try:
        _make_folder(path.parent)
        begun = _begins_well(path)
        _append(path, (b"" if begun else b"\n") + line.encode("ascii") + b"\n")
    except OSError as error:
        raise ConfigError(f"can't add this run to the history {path}: {error.strerror or error}") from None


def _append(path: Path, row: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    try:
        if os.write(descriptor, row) != len(row):
            raise OSError("the disk is full")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _begins_well(path: Path) -> bool:
    """Whether the next line may follow at once: a run that died while it wrote left no line end."""
    if not path.exists():
        return True
    if not path.is_file():
        raise ConfigError(f"can't add this run to the history {path}: it is not a file")
    with path.open("rb") as file:
        begins = file.read(4096)
        if begins.strip() and not begins.lstrip().startswith(HISTORY_MARK):
            raise ConfigError(
                f"{path} holds no history and is left as it is: name another file, or delete it first"
            )
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(max(size - 1, 0))
        return file.read(1) in (b"", b"\n")


def _make_folder(folder: Path) -> None:
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if is_new and folder.name == ".ftgate":
        with contextlib.suppress(FileExistsError), (folder / ".gitignore").open("x") as file:
            file.write("*\n")


def _rows(path: Path) -> Iterator[HistoryRun | str]:
    """Each line's run, or what is wrong with it."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_MAX_LINE + 1):
            number += 1
            is_torn = not line.endswith(b"\n") and len(line) <= _MAX_LINE
            if line.strip():
                found = _row(line, f"{path}:{number}")
                torn = (
                    f"{path}:{number}: the last line was cut off while it was written: that run is left out"
                )
                yield torn if is_torn and isinstance(found, str) else found


def _row(line: bytes, where: str) -> HistoryRun | str:
    try:
        return HistoryRun.from_json(_checked(line))
    except KeyError as error:
        return f"{where}: left out: this run has no {error}"
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        return f"{where}: left out: {error}"


def _checked(line: bytes) -> dict[str, object]:
    if len(line) > _MAX_LINE:
        raise ValueError(f"a line of more than {_MAX_LINE:,} bytes is no run")
    try:
        row = json.loads(line, parse_constant=_refuse_constant)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f"a JSON object was expected, not {type(row).__name__}")
    if row.get("schema") != HISTORY_SCHEMA:
        raise ValueError(f"its schema is {row.get('schema')!r}, '{HISTORY_SCHEMA}' was expected")
    return row


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")

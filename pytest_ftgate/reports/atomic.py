"""Files that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from pytest_ftgate.errors import ConfigError
from pytest_ftgate.history import HISTORY_MARK

_BEGINNING = 4096


def write_atomic(path: Path, text: str) -> None:
    """Puts `text` at `path`, as `write_parts` does."""
    write_parts(path, (text,))


def write_parts(path: Path, parts: Iterable[str]) -> None:
    """Puts a text at `path` in one step, making missing folders; a file there is replaced, links too.

    The parts are written as they come, so that a long text is never in memory as a whole.

    Anything else there is refused: replaced, a device such as /dev/null would be gone for the whole machine.

    A lone surrogate becomes the escape that JSON has for it. Raises ConfigError that names the path.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            raise ConfigError(f"can't write {path}: there is a folder of that name")
        if path.exists() and not path.is_file() and not path.is_symlink():
            raise ConfigError(f"can't write {path}: it is not a file")
        refuse_history(path)
        _make_folder(path)
        _replace(path, (part.encode("utf-8", "backslashreplace") for part in parts))
    except OSError as error:
        raise ConfigError(f"can't write {path}: {error.strerror or error}") from None


def refuse_history(path: Path) -> None:
    """Raises ConfigError where the history of past runs lies: it is only ever added to."""
    try:
        if not path.is_file():
            return  # a pipe would be waited for
        with path.open("rb") as file:
            begins = file.read(len(HISTORY_MARK))
    except OSError:
        return
    if begins == HISTORY_MARK:
        raise ConfigError(f"{path} holds the history of past runs and is left as it is: name another file")


def refuse_foreign(path: Path, mark: str, what: str) -> None:
    """Raises ConfigError where another kind of file lies, such as a data set: it is never written over.

    `mark` stands near the beginning of each file of this kind, `what` is what such a file holds. A link is
    replaced, and what it points to stays: there is nothing to protect.
    """
    if path.is_symlink():
        return
    try:
        with path.open("rb") as file:
            begins = file.read(_BEGINNING)
    except OSError:
        return  # nothing is there, or whoever writes will say what is wrong
    if begins.strip() and mark.encode() not in begins:
        raise ConfigError(
            f"{path} holds no {what} and is left as it is: name another file, or delete it first"
        )


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next(folder for folder in path.parents if folder.exists() and not folder.is_dir())
        raise ConfigError(f"can't write {path}: {file} is a file, and would have to be a folder") from None


def _replace(path: Path, parts: Iterable[bytes]) -> None:
    # A name of its own, so that two writers never share it; tempfile's could be read by their owner only.
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the new name last through a power loss, where the system lets folders be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

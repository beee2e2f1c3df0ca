"""The file of an answer store: where it lies, what is in it, and what is said if it can't be used.

Nothing is ever deleted here, whatever is found: a file that is not ours may be somebody's data.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from pytest_ftgate.errors import StoreError

#: Of the tables below; a file with a higher one is from a newer release.
SCHEMA = 2
# "ftgt", in the header of the file: whose it is.
_APPLICATION = 0x66746774
_BUSY_S = 30.0
# A run is what one call of pytest began, and others may have gone on with; each call is a session. `scope` is
# empty for an answer, which counts for all sessions of its run; an error, or an answer of code that nothing
# tells from other code, counts for the session in it alone, and a row that was put aside for nobody. `until`
# is in `time.monotonic` of the machine start `boot`.
_TABLES = """
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, plan TEXT NOT NULL, models TEXT NOT NULL, started REAL NOT NULL,
        finished REAL
    ) WITHOUT ROWID;
    CREATE TABLE sessions (
        session TEXT PRIMARY KEY, run_id TEXT NOT NULL, upto INTEGER NOT NULL, started REAL NOT NULL,
        stop TEXT, tokens INTEGER NOT NULL DEFAULT 0, cost REAL NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE answers (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        scope TEXT NOT NULL,
        key TEXT NOT NULL,
        who TEXT NOT NULL,
        completion TEXT,
        error TEXT,
        created REAL NOT NULL,
        hash TEXT NOT NULL,
        UNIQUE (run_id, key, scope)
    );
    CREATE INDEX answers_by_key ON answers (key);
    CREATE TABLE claims (
        run_id TEXT NOT NULL, key TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (run_id, key)
    ) WITHOUT ROWID;
    CREATE TABLE owners (
        owner TEXT PRIMARY KEY, run_id TEXT NOT NULL, until REAL NOT NULL,
        boot TEXT NOT NULL, pids TEXT NOT NULL, pid INTEGER NOT NULL
    ) WITHOUT ROWID;
"""


def open_store(path: Path) -> sqlite3.Connection:
    """A connection to the store at `path`, which is made if there is none; raises `StoreError`."""
    try:
        _make_file(path)
    except OSError as error:
        raise _not_writable(path, error.strerror or str(error)) from None
    try:
        # The caller guards the connection with a lock of its own.
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise store_error(path, error) from None
    # Text that is no UTF-8 is none of ours, and no key of any request.
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        _check_owner(path, connection)
        _use_wal(path, connection)
        _make_tables(path, connection)
    except sqlite3.Error as error:
        connection.close()
        raise store_error(path, error) from None
    except StoreError:
        connection.close()
        raise
    return connection


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """What SQLite's error means to the user, and what to do."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return StoreError(f"{path}: damaged, or no answer store ({error}). {_LEFT}")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return _not_writable(path, str(error))
    if name.startswith("SQLITE_FULL"):
        return StoreError(
            f"{path}: no space is left to keep answers ({error}). "
            "What was kept is safe: make room, and run again"
        )
    if _is_busy(error):
        return StoreError(f"{path}: another program kept it locked for {_BUSY_S:g} s. End it, and run again")
    return StoreError(
        f"{path}: answers can't be kept there ({error}). What was kept is left as it is; run with {_WITHOUT}"
    )


# What a user can do at once, whatever is wrong with the file.
_WITHOUT = "--ftgate-cache=off, which keeps no answers"
_LEFT = f"It was left as it is: move it away, and the next run makes a new one, or run with {_WITHOUT}"


def _not_writable(path: Path, why: str) -> StoreError:
    return StoreError(
        f"{path}: answers can't be kept there ({why}). "
        f"Make {path.parent} a folder that can be written, or run with {_WITHOUT}"
    )


def _make_file(path: Path) -> None:
    """Readable by its owner only, before the first byte is in it; SQLite's files beside it follow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == ".ftgate":
        with contextlib.suppress(FileExistsError), (path.parent / ".gitignore").open("x") as file:
            file.write("*\n")
    if path.is_symlink():
        raise StoreError(f"{path}: a link, through which nothing is written. Put the file itself there")
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _check_owner(path: Path, connection: sqlite3.Connection) -> None:
    # In one statement: another process may be making the tables.
    application, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
        "FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if application != _APPLICATION and (tables or application):
        raise StoreError(f"{path}: a SQLite file of another program. {_LEFT}")
    if version > SCHEMA:
        raise StoreError(
            f"{path}: written by a newer release of pytest-ftgate (its version {version}, this one knows "
            f"{SCHEMA}). Update pytest-ftgate. {_LEFT}"
        )
    if application == _APPLICATION and 0 < version < SCHEMA:
        raise StoreError(
            f"{path}: written by an older release of pytest-ftgate (its version {version}). {_LEFT}"
        )


def _use_wal(path: Path, connection: sqlite3.Connection) -> None:
    """Readers don't wait for writers. What was committed survives the death of the process.

    `synchronous` is NORMAL: a power loss may take the last commits, whose requests are then sent again, and
    damages nothing; FULL would cost a sync of the disk for each.
    """
    # SQLite does not wait by itself while another process makes the same change.
    end = time.monotonic() + _BUSY_S
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise _not_writable(path, f"no write-ahead log on this file system, only '{mode}'")
    connection.execute("PRAGMA synchronous = NORMAL")
    # In pages: the log beside the file stays below a megabyte; SQLite's own default lets it grow to four.
    connection.execute("PRAGMA wal_autocheckpoint = 200")


def _make_tables(path: Path, connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,):
        return
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been first.
    _check_owner(path, connection)
    if connection.execute("PRAGMA user_version").fetchone() == (0,):
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")


def _is_busy(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorname", None) or "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))

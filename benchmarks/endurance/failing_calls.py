"""A pytest plugin that makes the n-th commit of the store fail and, without a C compiler, other calls.

It is told what to do as `failing_calls.c` is, which sees the calls of C code, too.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import socket
import sqlite3
from collections.abc import Callable
from typing import Any

_KIND, _NTH = os.environ.get("FT_KIND"), int(os.environ.get("FT_NTH", "0"))
_STAYS, _ERRNO = os.environ.get("FT_STAYS") == "1", os.environ.get("FT_ERRNO", "EIO")
_ROOT, _LOG = os.environ.get("FT_ROOT", "?"), os.environ.get("FT_LOG")
_calls = 0
_open_for_real = os.open


def _fails(kind: str) -> bool:
    global _calls  # noqa: PLW0603 - one process, one count
    if kind != _KIND:
        return False
    _calls += 1
    if not _NTH or _calls < _NTH or (_calls > _NTH and not _STAYS):
        return False
    if _LOG:
        log = _open_for_real(_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(log, b"x")
        os.close(log)
    return True


class FailingConnection(sqlite3.Connection):
    """Fails where it would commit, as SQLite does: with its message and the name of its error."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.split(None, 1)[0].upper() in ("COMMIT", "INSERT", "UPDATE", "DELETE", "REPLACE") and _fails(
            "commit"
        ):
            raise _sqlite_error()
        return super().execute(sql, *parameters)

    def commit(self) -> None:
        if _fails("commit"):
            raise _sqlite_error()
        super().commit()


def _sqlite_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(
        {"SQLITE_FULL": "database or disk is full", "SQLITE_BUSY": "database is locked"}.get(
            _ERRNO, "disk I/O error"
        )
    )
    error.sqlite_errorname = _ERRNO
    return error


def _failing(kind: str, call: Callable[..., Any], counts: Callable[..., bool]) -> Callable[..., Any]:
    @functools.wraps(call)
    def wrapped(*args: Any, **more: Any) -> Any:
        if counts(*args) and _fails(kind):
            raise OSError(int(_ERRNO), os.strerror(int(_ERRNO)))
        return call(*args, **more)

    return wrapped


def _is_file(*args: Any) -> bool:
    path = os.path.abspath(os.fspath(args[0])) if isinstance(args[0], str | os.PathLike) else ""
    return path.startswith(_ROOT) and not path.endswith((".py", "output.txt"))


def _is_endpoint(*args: Any) -> bool:
    try:
        return str(args[0].getpeername()[1]) == os.environ.get("FT_PORT")
    except (OSError, IndexError):
        return False


def _install() -> None:
    setattr(sqlite3, "connect", functools.partial(sqlite3.connect, factory=FailingConnection))  # noqa: B010 - overloaded
    if os.environ.get("FT_BY") != "python":
        return
    io.open = builtins.open = _failing("open", io.open, _is_file)
    os.open = _failing("open", os.open, _is_file)
    os.fsync = _failing("fsync", os.fsync, lambda *_: True)
    os.replace = _failing("rename", os.replace, lambda *args: _is_file(args[1]))
    for name in ("send", "sendmsg", "recv", "recv_into"):
        call = _failing(name[:4], getattr(socket.socket, name), _is_endpoint)
        setattr(socket.socket, name, call)


if _KIND:
    _install()

"""Looks into an answer store from outside, through SQLite alone: what is committed, and is it whole?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

Rows = dict[tuple[str, str], str]


def store_path(folder: Path) -> Path:
    return folder / ".ftgate" / "answers.sqlite"


def committed(folder: Path) -> Rows:
    """The answers that are committed, by run and key; none while there is no store yet."""
    try:
        # Read only, so that looking changes nothing; a store without tables yet is one without answers.
        with closing(sqlite3.connect(f"file:{store_path(folder)}?mode=ro", uri=True, timeout=10)) as store:
            rows = store.execute("SELECT run_id, key, completion FROM answers WHERE completion IS NOT NULL")
            return {(run_id, key): completion for run_id, key, completion in rows}
    except sqlite3.OperationalError:
        return {}


def damage(folder: Path) -> str | None:
    """What SQLite finds wrong with the store; None if nothing is, or there is no store yet."""
    path = store_path(folder)
    if not path.exists() or not path.stat().st_size:
        return None
    try:
        with closing(sqlite3.connect(path, timeout=10)) as store:
            (found,) = store.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if found == "ok" else str(found)

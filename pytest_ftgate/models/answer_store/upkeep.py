"""What is in an answer store, for people, and how it is made smaller: the only place that deletes answers."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_ftgate.errors import StoreError
from pytest_ftgate.models.answer_store.process import Process, this_process
from pytest_ftgate.models.answer_store.store_file import open_store, store_error


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """One run in a store; times are seconds since the epoch. `models` says who answered."""

    run_id: str
    models: str
    started: float
    last: float | None
    answers: int
    is_finished: bool
    is_running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreContent:
    """All of a store: its runs, the newest first, and its size in bytes."""

    runs: tuple[StoredRun, ...]
    size: int

    @property
    def answers(self) -> int:
        """How many answers are kept."""
        return sum(run.answers for run in self.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was deleted: how many answers, and what is left."""

    answers: int
    left: StoreContent


def read_content(path: Path) -> StoreContent:
    """What is in the store at `path`; raises `StoreError`, also if there is none."""
    with _opened(path) as connection:
        running = _running(connection)
        rows = connection.execute(_RUNS).fetchall()
    return StoreContent(
        runs=tuple(
            StoredRun(
                run_id=run_id,
                models=models,
                started=started,
                last=last,
                answers=answers,
                is_finished=finished is not None,
                is_running=run_id in running,
            )
            for run_id, models, started, finished, last, answers in rows
        ),
        size=sum(one.stat().st_size for one in _files(path)),
    )


def prune(path: Path, older_than_s: float) -> Pruned:
    """Deletes the answers that came longer ago than that, but for those of runs that are running.

    Raises `StoreError`. A file that is no sound store of ours is left as it is.
    """
    with _opened(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        running = _running(connection)
        keep = ", ".join("?" * len(running))
        oldest = time.time() - older_than_s
        deleted = connection.execute(
            f"DELETE FROM answers WHERE created <= ? AND run_id NOT IN ({keep})",  # noqa: S608 - question marks
            (oldest, *running),
        ).rowcount
        for table in ("runs", "sessions", "claims", "owners"):
            connection.execute(
                f"DELETE FROM {table} WHERE run_id NOT IN (SELECT run_id FROM answers) "  # noqa: S608 - as above
                f"AND run_id NOT IN ({keep})",
                tuple(running),
            )
        connection.execute("COMMIT")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Pruned(answers=deleted, left=read_content(path))


_RUNS = """
    SELECT runs.run_id, models, started, finished, max(created), count(key)
    FROM runs LEFT JOIN answers ON answers.run_id = runs.run_id AND completion IS NOT NULL
    GROUP BY runs.run_id ORDER BY max(created) DESC, started DESC
"""


def _running(connection: sqlite3.Connection) -> list[str]:
    """The runs of processes that are alive, as far as can be seen."""
    here = this_process()
    owners = connection.execute("SELECT run_id, until, boot, pids, pid FROM owners").fetchall()
    return sorted(
        {
            run_id
            for run_id, until, boot, pids, pid in owners
            if until > time.monotonic() and not Process(boot=boot, pids=pids, pid=pid).is_dead_to(here)
        }
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.exists():
        raise StoreError(f"{path}: there is no answer store; a run of pytest with a model makes one")
    connection = open_store(path)
    try:
        yield connection
    except sqlite3.Error as error:
        raise store_error(path, error) from None
    finally:
        connection.close()


def _files(path: Path) -> Iterator[Path]:
    """The file, and those that SQLite keeps beside it."""
    return (one for end in ("", "-wal", "-shm") if (one := path.with_name(path.name + end)).exists())

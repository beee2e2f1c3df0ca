"""The answer store: which requests of a run are answered, and who is asking them, across its processes.

Nothing waits here, and nothing is sent. Answers of other runs are kept and not served.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models.answer_store.store_file import open_store, store_error
from pytest_ftgate.models.outcomes import Outcome

#: How long an owner is believed to be alive after it was heard of last, in seconds.
LEASE_S = 60.0
# Rows per statement: few enough that the largest answers fit into one value of SQLite's.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Mine:
    """The request is to be sent by the process that asked."""


@dataclass(frozen=True, slots=True)
class Theirs:
    """Another process has it on its way; `until` is when that one counts as dead, in `time.monotonic`."""

    until: float


State = Outcome | Mine | Theirs


class AnswerStore:
    """One process's view of the store at `path`, for one run; owned by an engine.

    `run_id` is that of one run of pytest and common to its processes; `owner` is this process's alone. The
    file is opened when it is first needed, and again after a fork. All methods raise `StoreError`.
    """

    def __init__(self, path: Path, *, run_id: str, owner: str, lease_s: float = LEASE_S) -> None:
        self.path = path
        self.lease_s = lease_s
        #: How often an owner that is alive is heard of.
        self.beat_s = lease_s / 6
        self._run_id = run_id
        self._owner = owner
        # Guards the connection, which has no order of its own between threads.
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._seen = 0
        self._version = -1
        self._next_beat = 0.0
        self._changed_rows = 0

    def open(self) -> None:
        """Opens the file now, so that what is wrong with it is known before anything is sent."""
        with self._lock:
            self._opened()

    def close(self) -> None:
        """Lets go of all claims without an answer, and of the file."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                try:
                    self.forget(self._owner)
                finally:
                    self._connection.close()
                    self._connection = None

    def remarks(self) -> Sequence[str]:
        """What the verdict should say of the stored answers, one sentence each."""
        if not self._changed_rows:
            return ()
        which = "answer was" if self._changed_rows == 1 else "answers were"
        return (f"{self._changed_rows} {which} changed in {self.path} during the run, and asked again",)

    def claim(self, keys: Sequence[str]) -> dict[str, State]:
        """Of each key, in their order, its outcome or whose it is: mine if nobody alive had claimed it."""
        self.beat()
        states: dict[str, State] = {}
        for some in _parts(keys):
            self._change(_CLAIM, keys=json.dumps(some), now=time.monotonic())
            states |= self._states(some)
        again = [key for key in keys if key not in states]
        if again:
            # Their rows had been changed by somebody, and are gone now.
            states |= self.claim(again)
        return {key: states[key] for key in keys}

    def outcomes(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """The outcomes that are there, whoever brought them."""
        found: dict[str, Outcome] = {}
        for some in _parts(keys):
            found |= self._checked(self._rows(_OUTCOMES, keys=json.dumps(some)))
        return found

    def news(self, wanted: Container[str]) -> dict[str, Outcome]:
        """Outcomes since the last call, of keys that are wanted; fatal errors always."""
        version = self._read("PRAGMA data_version")
        if version == self._version:
            return {}
        found: dict[str, Outcome] = {}
        while rows := self._rows(_NEWS, seen=self._seen, at_once=_AT_ONCE):
            self._seen = max(row[0] for row in rows)
            found |= self._checked([row for row in rows if row[1] in wanted or row[3]])
        self._version = version
        return {key: one for key, one in found.items() if key in wanted or isinstance(one, FatalModelError)}

    def keep(self, outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
        """Commits these, and returns the outcomes that count: the first of each key does.

        On return they survive the death of this process. An answer that is no JSON becomes an error.
        """
        kept: dict[str, Outcome] = {}
        for some in _parts(list(outcomes)):
            rows = []
            for key in some:
                kept[key], row = self._row(key, outcomes[key])
                rows.append(row)
            if self._change(_KEEP, rows=json.dumps(rows)) < len(rows):
                kept |= self.outcomes(some)
        return kept

    def abandoned(self, keys: Sequence[str], limit: int) -> list[str]:
        """At most so many of these keys that have no outcome, and that nobody who is alive has claimed."""
        now = time.monotonic()
        text = self._read(_ABANDONED, keys=json.dumps(list(keys)), now=now, at_once=limit)
        return list(json.loads(text))

    def beat(self) -> None:
        """Says that this owner is alive; does nothing if that was said a moment ago."""
        now = time.monotonic()
        if now >= self._next_beat:
            self._change(_BEAT, owner=self._owner, until=now + self.lease_s)
            self._next_beat = now + self.beat_s

    def forget(self, owner: str) -> None:
        """Says that an owner is dead, so that nobody waits for its claims; a living one comes back."""
        self._change(_BEAT, owner=owner, until=0.0)

    def _states(self, keys: Sequence[str]) -> dict[str, State]:
        claims = json.loads(self._read(_CLAIMS, keys=json.dumps(keys)))
        states: dict[str, State] = {
            key: Mine() if owner == self._owner else Theirs(until) for key, owner, until in claims
        }
        rows = self._rows(_OUTCOMES, keys=json.dumps(keys))
        found = self._checked(rows)
        changed = {row[1] for row in rows} - found.keys()
        return {key: state for key, state in states.items() if key not in changed} | found

    def _row(self, key: str, outcome: Outcome) -> tuple[Outcome, list[object]]:
        completion = error = None
        if isinstance(outcome, Completion):
            try:
                completion = _encode(outcome.as_json())
            except (TypeError, ValueError) as why:
                outcome = ModelError(f"the answer can't be kept: {why}", kind="protocol")
        if isinstance(outcome, ModelError):
            fatal = isinstance(outcome, FatalModelError)
            error = json.dumps({"kind": outcome.kind, "message": str(outcome), "fatal": fatal})
        # To the millisecond: SQLite writes 15 digits of a number into JSON.
        created = round(time.time(), 3)
        row_hash = _row_hash(self._run_id, key, completion, error, created)
        return outcome, [key, completion, error, created, row_hash]

    def _checked(self, rows: Sequence[Sequence[Any]]) -> dict[str, Outcome]:
        """The outcomes in rows that are as they were written; other rows are dropped, and asked again."""
        found: dict[str, Outcome] = {}
        for seq, key, completion, error, created, row_hash in rows:
            if row_hash == _row_hash(self._run_id, key, completion, error, created):
                found[key] = _outcome(completion, error)
            else:
                self._drop(seq, key)
        return found

    def _drop(self, seq: int, key: str) -> None:
        with self._lock:
            self._change("BEGIN IMMEDIATE")
            try:
                # Only the first that finds it gives the key free: then somebody may have claimed it again.
                if self._change("DELETE FROM answers WHERE seq = :seq", seq=seq):
                    self._changed_rows += 1
                    self._change("DELETE FROM claims WHERE run_id = :run AND key = :key", key=key)
            finally:
                self._change("COMMIT")

    def _rows(self, query: str, **values: object) -> list[list[Any]]:
        return list(json.loads(self._read(query, **values)))

    def _read(self, query: str, **values: object) -> Any:
        """The only value of the only row.

        Lists come as JSON: a thread that computes may keep this one waiting after every row that it fetches.
        """
        return self._run(lambda cursor: cursor.fetchall()[0][0], query, values)

    def _change(self, statement: str, **values: object) -> int:
        """How many rows were written, once they are committed."""
        changed: int = self._run(lambda cursor: cursor.rowcount, statement, values)
        return changed

    def _run(
        self, result: Callable[[sqlite3.Cursor], Any], statement: str, values: Mapping[str, object]
    ) -> Any:
        with self._lock:
            try:
                cursor = self._opened().execute(statement, {"run": self._run_id, "me": self._owner, **values})
                return result(cursor)
            except sqlite3.Error as error:
                raise store_error(self.path, error) from None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None or self._process != os.getpid():
            if self._connection is not None:
                # Of the parent of this process: not even closing it is safe here.
                _INHERITED.append(self._connection)
            self._connection, self._process = open_store(self.path), os.getpid()
            (self._seen,) = self._connection.execute(_START, {"run": self._run_id}).fetchone()
            self._version, self._next_beat = -1, 0.0
        return self._connection


# Kept from being closed by the garbage collector.
_INHERITED: list[sqlite3.Connection] = []

_KEYS = "SELECT value FROM json_each(:keys)"
_AS_JSON = "json_group_array(json_array(seq, key, completion, error, created, hash))"
_IS_ALIVE = """
    EXISTS (SELECT 1 FROM owners WHERE owners.run_id = :run AND owners.owner = claims.owner AND until > :now)
"""
_IS_OPEN = "NOT EXISTS (SELECT 1 FROM answers WHERE answers.run_id = :run AND answers.key = value)"
_OUTCOMES = f"SELECT {_AS_JSON} FROM answers WHERE run_id = :run AND key IN ({_KEYS})"  # noqa: S608 - all ours
_NEWS = f"""
    SELECT {_AS_JSON} FROM (
        SELECT * FROM answers WHERE seq > :seen AND run_id = :run AND owner <> :me ORDER BY seq LIMIT :at_once
    )
"""  # noqa: S608 - all ours
_START = """
    SELECT coalesce(
        (SELECT min(seq) - 1 FROM answers WHERE run_id = :run), (SELECT max(seq) FROM answers), 0
    )
"""
_CLAIMS = f"""
    SELECT json_group_array(json_array(key, owner, coalesce(until, 0)))
    FROM claims LEFT JOIN owners USING (run_id, owner) WHERE run_id = :run AND key IN ({_KEYS})
"""  # noqa: S608 - all ours
_CLAIM = f"""
    INSERT INTO claims (run_id, key, owner)
    SELECT :run, value, :me FROM json_each(:keys) WHERE {_IS_OPEN}
    ON CONFLICT DO UPDATE SET owner = excluded.owner WHERE NOT {_IS_ALIVE}
"""  # noqa: S608 - all ours
_ABANDONED = f"""
    SELECT json_group_array(value) FROM (
        SELECT value FROM json_each(:keys) WHERE {_IS_OPEN} AND NOT EXISTS (
            SELECT 1 FROM claims WHERE claims.run_id = :run AND claims.key = value AND {_IS_ALIVE}
        ) LIMIT :at_once
    )
"""  # noqa: S608 - all ours
_KEEP = """
    INSERT INTO answers (run_id, owner, key, completion, error, created, hash)
    SELECT :run, :me, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
        json_extract(value, '$[3]'), json_extract(value, '$[4]')
    FROM json_each(:rows) WHERE true
    ON CONFLICT DO NOTHING
"""
_BEAT = """
    INSERT INTO owners (run_id, owner, until) VALUES (:run, :owner, :until)
    ON CONFLICT DO UPDATE SET until = excluded.until
"""


def _outcome(completion: str | None, error: str | None) -> Outcome:
    if completion is not None:
        return Completion.from_json(json.loads(completion))
    row = json.loads(error or "{}")
    made = FatalModelError if row["fatal"] else ModelError
    return made(row["message"], kind=row["kind"])


def _row_hash(*values: object) -> str:
    return hashlib.sha256(ascii(values).encode()).hexdigest()


# Made once: making an encoder takes longer than using it.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))

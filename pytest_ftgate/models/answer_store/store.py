"""The answer store: which requests of a run are answered, and who is asking them, across its processes.

A run is what one call of pytest began; a later one may go on with it, and is another session of that run.
Nothing waits here, and nothing is sent. Nothing is deleted either.
"""

from __future__ import annotations

import contextlib
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
from pytest_ftgate.models.answer_store import statements as sql
from pytest_ftgate.models.answer_store.process import Process, this_process
from pytest_ftgate.models.answer_store.session import Reuse, Session
from pytest_ftgate.models.answer_store.store_file import open_store, store_error
from pytest_ftgate.models.outcomes import Outcome

#: How long an owner is believed to be alive after it was heard of last, in seconds.
LEASE_S = 60.0
# Rows per statement: few enough that the largest answers fit into one value of SQLite's.
_AT_ONCE = 100
# The run of all sessions that use whatever answers there are.
_ANY_RUN = "use"


@dataclass(frozen=True, slots=True)
class Mine:
    """The request is to be sent by the process that asked."""


@dataclass(frozen=True, slots=True)
class Theirs:
    """Another process has it on its way; `until` is when that one counts as dead, in `time.monotonic`."""

    until: float


@dataclass(frozen=True, slots=True)
class Earlier:
    """An answer that was there before this session; `seq` is its row."""

    answer: Completion
    seq: int


State = Outcome | Mine | Theirs | Earlier


class AnswerStore:
    """One process's view of the store at `path`, for one session; owned by an engine.

    `owner` is this process's alone among those of the session. With `begins` it begins the session, if no
    other process has; without, one that nobody began has no answers. The file is opened when it is first
    needed, and again after a fork. All methods raise `StoreError`.
    """

    def __init__(
        self, path: Path, session: Session, *, owner: str, lease_s: float = LEASE_S, begins: bool = True
    ) -> None:
        self.path = path
        self.session = session
        self.lease_s = lease_s
        #: How often an owner that is alive is heard of.
        self.beat_s = lease_s / 6
        self._owner = f"{session.id}/{owner}"
        self._begins = begins
        # Guards the connection, which has no order of its own between threads.
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process: Process | None = None
        self._run_id = ""
        #: The last row that was there before this session.
        self._upto = self._seen = 0
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
            if self._connection is not None and self._process == this_process():
                try:
                    self._change(sql.FORGET, owner=self._owner)
                finally:
                    self._connection.close()
                    self._connection = None

    @property
    def goes_on(self) -> bool:
        """Whether there may be answers of earlier sessions that count for this one."""
        with self._lock:
            self._opened()
            return self.session.reuse.takes_any or self._run_id != self.session.id

    def taken_up(self) -> tuple[int, float | None]:
        """How many answers this session found in its run, and when the first of them came (seconds, wall)."""
        return self._counted(sql.TAKEN_UP, upto=self._upto)

    def passed_over(self) -> tuple[int, float | None]:
        """The same of the newest run that could have been gone on with, were its plan that of this one."""
        if self.session.reuse is not Reuse.RESUME or self.goes_on:
            return 0, None
        oldest = time.time() - self.session.max_age_s
        return self._counted(sql.PASSED_OVER, plan=self.session.plan, oldest=oldest)

    def _counted(self, query: str, **values: object) -> tuple[int, float | None]:
        self.open()
        count, first = json.loads(self._read(query, **values))
        return count, first

    def remarks(self) -> Sequence[str]:
        """What the verdict should say of the stored answers, one sentence each."""
        if not self._changed_rows:
            return ()
        which = "answer was" if self._changed_rows == 1 else "answers were"
        return (f"{self._changed_rows} {which} changed in {self.path} by somebody else, and asked again",)

    def claim(self, keys: Sequence[str]) -> dict[str, State]:
        """Of each key, in their order, its outcome or whose it is: mine if nobody alive had claimed it."""
        self.beat()
        states: dict[str, State] = {}
        for some in _parts(keys):
            self._change(sql.CLAIM, keys=json.dumps(some), now=time.monotonic())
            states |= self._states(some)
        again = [key for key in keys if key not in states]
        if again:
            # Their rows had been changed by somebody, and don't count any more.
            states |= self.claim(again)
        return {key: states[key] for key in keys}

    def outcomes(self, keys: Sequence[str]) -> dict[str, Outcome | Earlier]:
        """The outcomes that are there, whoever brought them."""
        found: dict[str, Outcome | Earlier] = {}
        for some in _parts(keys):
            found |= self._checked(self._rows(sql.OUTCOMES, keys=json.dumps(some)))
        return found

    def news(self, wanted: Container[str]) -> dict[str, Outcome]:
        """Outcomes since the last call, of keys that are wanted; fatal errors always."""
        version = self._read("PRAGMA data_version")
        if version == self._version:
            return {}
        found: dict[str, Outcome | Earlier] = {}
        while rows := self._rows(sql.NEWS, seen=self._seen, at_once=_AT_ONCE):
            self._seen = max(row[0] for row in rows)
            found |= self._checked([row for row in rows if row[2] in wanted or row[5]])
        self._version = version
        return {
            key: one
            for key, one in found.items()
            if not isinstance(one, Earlier) and (key in wanted or isinstance(one, FatalModelError))
        }

    def earlier(self) -> frozenset[str]:
        """The keys of this run that were answered before this session."""
        self.open()
        return frozenset(self._rows(sql.EARLIER, upto=self._upto))

    def count(self) -> int:
        """How many requests of this run are answered."""
        return int(self._read(sql.COUNT))

    def first_new(self, who: str) -> Completion | None:
        """The first answer of this model since this session began, whichever process brought it."""
        self.open()
        found = self._checked(self._rows(sql.FIRST_NEW, upto=self._upto, who=who))
        return next((one for one in found.values() if isinstance(one, Completion)), None)

    def keep(
        self,
        outcomes: Mapping[str, Outcome],
        who: Mapping[str, str] | None = None,
        passing: Container[str] = (),
    ) -> dict[str, Outcome]:
        """Commits these, and returns the outcomes that count: the first of each key does.

        `who` has a digest of who answered, where that matters; those in `passing` count for this session
        only, as errors do. On return they survive the death of this process. An answer that is no JSON
        becomes an error.
        """
        self.open()  # which run it is stands in each row
        kept: dict[str, Outcome] = {}
        for some in _parts(list(outcomes)):
            rows = []
            for key in some:
                kept[key], row = self._row(key, (who or {}).get(key, ""), outcomes[key])
                is_passing = key in passing or isinstance(kept[key], ModelError)
                rows.append([self.session.id if is_passing else "", *row])
            if self._change(sql.KEEP, rows=json.dumps(rows)) < len(rows):
                kept |= {
                    key: one.answer if isinstance(one, Earlier) else one
                    for key, one in self.outcomes(some).items()
                }
        return kept

    def has_heard_of(self, who: str) -> bool:
        """Whether a request to this model has had any outcome since this session began."""
        return bool(self._read(sql.HEARD_OF, upto=self._upto, who=who))

    def holds(self, key: str) -> bool:
        """Whether this process has `key`, which is none of a request; claims it if nobody alive has."""
        return isinstance(self.claim([key])[key], Mine)

    def give_back(self, keys: Sequence[str]) -> None:
        """Ends this process's claims of these keys."""
        self._change(sql.GIVE_BACK, keys=json.dumps(list(keys)))

    def put_aside(self, earlier: Earlier, why: str) -> None:
        """Lets an answer count no more, for nobody; its row stays."""
        self._change(sql.PUT_ASIDE, seq=earlier.seq, aside=f"{why} in {self.session.id}: ")

    def abandoned(self, keys: Sequence[str], limit: int) -> list[str]:
        """At most so many of these keys that have no outcome, and that nobody who is alive has claimed.

        Who is seen to have ended is dead before its lease ends.
        """
        self.open()
        self._forget_the_dead()
        now = time.monotonic()
        text = self._read(sql.ABANDONED, keys=json.dumps(list(keys)), now=now, at_once=limit)
        return list(json.loads(text))

    def beat(self) -> None:
        """Says that this owner is alive; does nothing if that was said a moment ago."""
        now = time.monotonic()
        if now >= self._next_beat:
            self._change(sql.BEAT, until=now + self.lease_s)
            self._next_beat = now + self.beat_s

    def forget(self, owner: str) -> None:
        """Says that an owner is dead, so that nobody waits for its claims; a living one comes back."""
        self._change(sql.FORGET, owner=f"{self.session.id}/{owner}")

    def finish(self) -> None:
        """Says that the run of this session has all it needs: none goes on with it."""
        self._change(sql.FINISH, wall=time.time())

    def stop(self, reason: str, kind: str) -> None:
        """Has all processes of this session stop, for the first reason that is given."""
        self._change(sql.STOP, reason=json.dumps([reason, kind]))

    def stopped(self) -> FatalModelError | None:
        """Why the processes of this session have to stop, None if they don't."""
        found = self._read(sql.STOPPED)
        if found is None:
            return None
        reason, kind = json.loads(found)
        return FatalModelError(reason, kind=kind)

    def spend(self, tokens: int, cost: float) -> tuple[int, float]:
        """Adds what an answer cost to what this session has; returns tokens and cost of all its processes."""
        self._change(sql.SPEND, tokens=tokens, cost=cost)
        spent_tokens, spent_cost = json.loads(self._read(sql.SPENT))
        return spent_tokens, spent_cost

    def _states(self, keys: Sequence[str]) -> dict[str, State]:
        claims = json.loads(self._read(sql.CLAIMS, keys=json.dumps(keys)))
        states: dict[str, State] = {
            key: Mine() if owner == self._owner else Theirs(until) for key, owner, until in claims
        }
        rows = self._rows(sql.OUTCOMES, keys=json.dumps(keys))
        found = self._checked(rows)
        changed = {row[2] for row in rows} - found.keys()
        return {key: state for key, state in states.items() if key not in changed} | found

    def _row(self, key: str, who: str, outcome: Outcome) -> tuple[Outcome, list[object]]:
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
        row_hash = _row_hash(self._run_id, key, who, completion, error, created)
        return outcome, [key, who, completion, error, created, row_hash]

    def _checked(self, rows: Sequence[Sequence[Any]]) -> dict[str, Outcome | Earlier]:
        """The outcomes in rows that are as they were written, later ones first; others count no more."""
        found: dict[str, Outcome | Earlier] = {}
        for seq, run_id, key, who, completion, error, created, row_hash in rows:
            if row_hash != _row_hash(run_id, key, who, completion, error, created):
                self._refuse(seq, key)
            elif seq <= self._upto and completion is not None:
                found[key] = Earlier(Completion.from_json(json.loads(completion)), seq)
            else:
                found[key] = _outcome(completion, error)
        return found

    def _refuse(self, seq: int, key: str) -> None:
        with self._transaction():
            # Only the first that finds it gives the key free: then somebody may have claimed it again.
            if self._change(sql.PUT_ASIDE, seq=seq, aside="changed: "):
                self._changed_rows += 1
                self._change(sql.UNCLAIM, key=key)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._change("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with contextlib.suppress(Exception):
                    self._change("ROLLBACK")
                raise
            self._change("COMMIT")

    def _rows(self, query: str, **values: object) -> list[Any]:
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
                cursor = self._opened().execute(statement, {**self._always, **values})
                return result(cursor)
            except sqlite3.Error as error:
                raise store_error(self.path, error) from None

    @property
    def _always(self) -> dict[str, object]:
        process = self._process
        assert process is not None
        return {
            "run": self._run_id,
            "session": self.session.id,
            "me": self._owner,
            "any": self.session.reuse.takes_any,
            "boot": process.boot,
            "pids": process.pids,
            "pid": process.pid,
        }

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None or (self._process is not None and self._process.pid != os.getpid()):
            if self._connection is not None:
                # Of the parent of this process: not even closing it is safe here.
                _INHERITED.append(self._connection)
            self._connection, self._process = open_store(self.path), this_process()
            self._version, self._next_beat = -1, 0.0
            try:
                self._join()
            except BaseException:
                self._connection.close()
                self._connection = None
                raise
        return self._connection

    def _join(self) -> None:
        """Finds the run that this session belongs to, or begins one; the first process does it for all."""
        with self._transaction():
            joined = self._found(sql.JOINED)
            if joined is None and self._begins:
                self._run_id = self._run_to_join()
                self._change(
                    sql.BEGIN_RUN,
                    plan="" if self._run_id == _ANY_RUN else self.session.plan,
                    models=self.session.models,
                    wall=time.time(),
                )
                self._change(sql.BEGIN_SESSION, wall=time.time())
                joined = self._found(sql.JOINED)
            self._run_id, self._upto = joined or (self.session.id, 0)
        self._seen = self._upto
        self._forget_the_dead()

    def _run_to_join(self) -> str:
        session = self.session
        if session.reuse.takes_any:
            return _ANY_RUN
        if session.reuse is not Reuse.RESUME or not session.plan:
            return session.id
        oldest = time.time() - session.max_age_s
        found = self._found(sql.UNFINISHED, plan=session.plan, oldest=oldest)
        return session.id if found is None else str(found[0])

    def _forget_the_dead(self) -> None:
        """Nobody has to wait until the leases of processes end of which it can be seen that they have."""
        assert self._process is not None
        others = self._run(lambda cursor: cursor.fetchall(), sql.OWNERS, {})
        for owner, boot, pids, pid in others:
            if Process(boot=boot, pids=pids, pid=pid).is_dead_to(self._process):
                self._change(sql.FORGET, owner=owner)

    def _found(self, query: str, **values: object) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._run(lambda cursor: cursor.fetchone(), query, values)
        return found


# Kept from being closed by the garbage collector.
_INHERITED: list[sqlite3.Connection] = []


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

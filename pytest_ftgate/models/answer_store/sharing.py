"""The thread between an engine and the answer store: who asks what, and what the other processes brought.

Nothing is sent or decided here; the engine does that in the loop's thread, which never waits for the store.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple

from pytest_ftgate.cases import EvalCase
from pytest_ftgate.errors import FatalModelError, StoreError
from pytest_ftgate.models import Model
from pytest_ftgate.models.answer_store.answer_key import answer_key, model_digest
from pytest_ftgate.models.answer_store.store import AnswerStore, Mine, State, Theirs
from pytest_ftgate.models.lanes import Job
from pytest_ftgate.models.outcomes import Outcome

# How far behind the other processes this one may be.
_POLL_S = 0.02
# The least time between two commits: dense answers share one, so that this thread and the loop's, which needs
# the interpreter as well, seldom wait for each other.
_COMMIT_S = 0.01
# How often a request that is waited for is looked at: its owner may have died.
_LOOK_S = 1.0
# So many requests are claimed before the first of them is sent.
_CLAIM_AT_ONCE = 200


class Wanted(NamedTuple):
    """Requests whose answers are needed; `claim`: this process sends those that nobody else does."""

    jobs: Sequence[Job]
    claim: bool
    urgent: bool


class Arrived(NamedTuple):
    """An outcome that this process brought."""

    job: Job
    outcome: Outcome


class Sharing:
    """Lives from the first request that has to wait to `close`; owned by its engine, which gives the verbs.

    `settle` hands an outcome out, `send` has requests sent (first of all, if that is urgent), `stop` gives
    all open requests this error, `committed` says how many answers of this process's own are safe now.
    `limit` is how many requests of dead processes are taken over at a time. Raises `StoreError` if the store
    can't be used.
    """

    def __init__(
        self,
        store: AnswerStore,
        *,
        settle: Callable[[Job, Outcome], None],
        send: Callable[[Sequence[Job], bool], None],
        stop: Callable[[FatalModelError], None],
        committed: Callable[[int], None],
        limit: int,
    ) -> None:
        self._store = store
        self._settle, self._send, self._stop, self._committed = settle, send, stop, committed
        self._limit = limit
        self._inbox: SimpleQueue[Wanted | Arrived | None] = SimpleQueue()
        # From here on: the store's thread only. Requests without an outcome, by key.
        self._open: dict[str, Job] = {}
        self._mine: set[str] = set()
        #: Somebody waits for these, which others have on their way.
        self._awaited: set[str] = set()
        self._digests: dict[int, tuple[Model, str]] = {}
        self._asked: tuple[EvalCase | None, str] = (None, "")
        self._is_closing = False
        self._next_commit = self._next_news = self._next_look = 0.0
        self._next_sweep = time.monotonic() + store.beat_s
        store.open()
        self._thread = threading.Thread(target=self._run, name="ftgate-store", daemon=True)
        self._thread.start()

    def want(self, jobs: Sequence[Job], *, claim: bool, urgent: bool) -> None:
        """Has these answered by whichever process; returns at once."""
        for start in range(0, len(jobs), _CLAIM_AT_ONCE):
            self._inbox.put(Wanted(jobs[start : start + _CLAIM_AT_ONCE], claim, urgent))

    def keep(self, job: Job, outcome: Outcome) -> None:
        """Commits an outcome, then hands it out."""
        self._inbox.put(Arrived(job, outcome))

    def is_alive(self) -> bool:
        """Whether outcomes may still come."""
        return self._thread.is_alive()

    def close(self, timeout_s: float) -> None:
        """Commits what has arrived, lets go of the rest, and ends the thread."""
        self._inbox.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while not self._is_closing:
                self._turn()
        except StoreError as error:
            self._stop(FatalModelError(str(error), kind="store"))
        except Exception as error:  # noqa: BLE001 - without this thread every waiting test would hang
            message = f"the answer store's thread has ended: {type(error).__name__}: {error}"
            self._stop(FatalModelError(message, kind="store"))
        finally:
            with contextlib.suppress(StoreError):
                self._store.close()

    def _turn(self) -> None:
        messages = self._messages()
        self._keep([message for message in messages if isinstance(message, Arrived)])
        if None in messages:
            self._is_closing = True
            return
        self._store.beat()
        self._read_news()
        for message in messages:
            if isinstance(message, Wanted):
                self._add(message)
        self._look_after_the_dead()

    def _read_news(self) -> None:
        now = time.monotonic()
        if now >= self._next_news:
            self._next_news = now + _POLL_S
            for key, outcome in self._store.news(self._open).items():
                self._hand_out(key, outcome)

    def _messages(self) -> list[Wanted | Arrived | None]:
        """What has come in, after waiting for the next thing to do."""
        try:
            messages = [self._inbox.get(timeout=_POLL_S if self._open else self._store.beat_s)]
        except Empty:
            return []
        if isinstance(messages[0], Arrived):
            time.sleep(max(0.0, self._next_commit - time.monotonic()))
            self._next_commit = time.monotonic() + _COMMIT_S
        with contextlib.suppress(Empty):
            while True:
                messages.append(self._inbox.get_nowait())
        return messages

    def _keep(self, arrived: Sequence[Arrived]) -> None:
        if not arrived:
            return
        jobs = {self._key(job): job for job, _ in arrived}
        kept = self._store.keep({self._key(job): outcome for job, outcome in arrived})
        self._committed(len(arrived))
        for key, outcome in kept.items():
            self._open.setdefault(key, jobs[key])
            self._hand_out(key, outcome)

    def _add(self, wanted: Wanted) -> None:
        jobs = {self._key(job): job for job in wanted.jobs if job.outcome is None}
        new = [key for key in jobs if key not in self._open]
        if wanted.urgent:
            self._hurry([key for key in jobs if key in self._open])
        self._open |= {key: jobs[key] for key in new}
        if wanted.claim:
            self._claim(new, urgent=wanted.urgent)
        else:
            self._take(self._store.outcomes(new), urgent=False)

    def _hurry(self, keys: Sequence[str]) -> None:
        """Somebody waits for these, which were to be answered some time."""
        ours = [job for key in keys if key in self._mine and not (job := self._open[key]).sent]
        self._send(ours, True)
        theirs = {key for key in keys if key not in self._mine}
        if theirs - self._awaited:
            self._awaited |= theirs
            self._next_look = 0.0

    def _claim(self, keys: Sequence[str], *, urgent: bool) -> None:
        self._take(self._store.claim(keys), urgent=urgent)

    def _take(self, states: Mapping[str, State], *, urgent: bool) -> None:
        to_send = []
        for key, state in states.items():
            if isinstance(state, Mine):
                self._mine.add(key)
                self._awaited.discard(key)
                to_send.append(self._open[key])
            elif not isinstance(state, Theirs):
                self._hand_out(key, state)
            elif urgent:
                self._awaited.add(key)
        self._send([job for job in to_send if job.outcome is None], urgent)

    def _look_after_the_dead(self) -> None:
        """Takes over what nobody has on its way: what is waited for, then the rest, a little at a time."""
        now = time.monotonic()
        if self._awaited and now >= self._next_look:
            self._next_look = now + min(_LOOK_S, self._store.beat_s)
            self._claim(self._store.abandoned([*self._awaited], self._limit), urgent=True)
        if now >= self._next_sweep and len(self._mine) < self._limit:
            theirs = [key for key in self._open if key not in self._mine]
            found = self._store.abandoned(theirs, self._limit) if theirs else []
            self._claim(found, urgent=False)
            self._next_sweep = now if len(found) == self._limit else now + self._store.beat_s

    def _hand_out(self, key: str, outcome: Outcome) -> None:
        job = self._open.pop(key, None)
        self._mine.discard(key)
        self._awaited.discard(key)
        if isinstance(outcome, FatalModelError):
            self._stop(outcome)
            # They have this error now.
            for each in (self._open, self._mine, self._awaited):
                each.clear()
        elif job is not None:
            self._settle(job, outcome)

    def _key(self, job: Job) -> str:
        if job.stored_as is None:
            case = job.request.case
            if case is not self._asked[0]:
                # Both arms and all repeats of a case come one after the other.
                self._asked = (case, case.asked)
            job.stored_as = answer_key(job.request, self._digest(job.model), self._asked[1])
        return job.stored_as

    def _digest(self, model: Model) -> str:
        if id(model) not in self._digests:
            # The model is kept beside its digest, so that no other one gets its id.
            self._digests[id(model)] = (model, model_digest(model.describe()))
        return self._digests[id(model)][1]

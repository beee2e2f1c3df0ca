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

from pytest_ftgate.completions import Completion, Source
from pytest_ftgate.errors import FatalModelError, ModelError, StoreError
from pytest_ftgate.models.answer_store.answer_key import AnswerKeys, is_lasting
from pytest_ftgate.models.answer_store.permits import Permits
from pytest_ftgate.models.answer_store.session import NOT_STORED, Reuse
from pytest_ftgate.models.answer_store.store import AnswerStore, Earlier, Mine, State, Theirs
from pytest_ftgate.models.answer_store.takeover import Offer, Takeover, taken_over
from pytest_ftgate.models.lanes import Job, Permit
from pytest_ftgate.models.limits import LIMIT, Spending
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


class Surveyed(NamedTuple):
    """All requests that are going to be wanted, in order: which of them are answered already decides more."""

    jobs: Sequence[Job]


class Wanted(NamedTuple):
    """Requests whose answers are needed; `claim`: this process sends those that nobody else does."""

    jobs: Sequence[Job]
    claim: bool
    urgent: bool


class Arrived(NamedTuple):
    """An outcome that this process brought."""

    job: Job
    outcome: Outcome


class Permission(NamedTuple):
    """Leave to send that this process needs, or has no need of any more."""

    permit: Permit
    is_over: bool


_Message = Surveyed | Wanted | Arrived | Permission | None


class Sharing:
    """Lives from the first request that has to wait to `close`; owned by its engine, which gives the verbs.

    `settle` hands an outcome out, `send` has requests sent (first of all, if that is urgent), `stop` gives
    all open requests this error, `committed` says how many answers of this process's own are safe now,
    `given` that it has leave to send, and whether the model has answered another process before. `limit` is
    how many requests of dead processes are taken over at a time, `spending` what is not to be exceeded by all
    together. Raises `StoreError` if the store can't be used.
    """

    def __init__(
        self,
        store: AnswerStore,
        *,
        settle: Callable[[Job, Outcome], None],
        send: Callable[[Sequence[Job], bool], None],
        stop: Callable[[FatalModelError], None],
        committed: Callable[[int], None],
        given: Callable[[Permit, bool], None],
        limit: int,
        spending: Spending | None = None,
    ) -> None:
        self._store = store
        self._spending = spending
        self._settle, self._send, self._stop, self._committed = settle, send, stop, committed
        self._limit = limit
        self._inbox: SimpleQueue[_Message] = SimpleQueue()
        # From here on: the store's thread only. Requests without an outcome, by key.
        self._open: dict[str, Job] = {}
        self._mine: set[str] = set()
        #: Somebody waits for these, which others have on their way.
        self._awaited: set[str] = set()
        self._takeover = Takeover()
        self._permits = Permits(store, given)
        self._keys = AnswerKeys(store.session.id)
        self._is_closing = self._is_stopped = False
        self._next_commit = self._next_news = self._next_look = 0.0
        self._next_sweep = time.monotonic() + store.beat_s
        store.open()
        self._goes_on = store.goes_on and not store.session.reuse.takes_any
        self._thread = threading.Thread(target=self._run, name="ftgate-store", daemon=True)
        self._thread.start()

    def survey(self, jobs: Sequence[Job]) -> None:
        """Says what is going to be wanted, before any of it is; returns at once."""
        if self._goes_on:
            self._inbox.put(Surveyed(jobs))

    def want(self, jobs: Sequence[Job], *, claim: bool, urgent: bool) -> None:
        """Has these answered by whichever process; returns at once."""
        for start in range(0, len(jobs), _CLAIM_AT_ONCE):
            self._inbox.put(Wanted(jobs[start : start + _CLAIM_AT_ONCE], claim, urgent))

    def keep(self, job: Job, outcome: Outcome) -> None:
        """Commits an outcome, then hands it out."""
        self._inbox.put(Arrived(job, outcome))

    def ask_leave(self, permit: Permit) -> None:
        """Has `given` called once this process may send; returns at once."""
        self._inbox.put(Permission(permit, is_over=False))

    def give_back(self, permit: Permit) -> None:
        """Lets other processes send."""
        self._inbox.put(Permission(permit, is_over=True))

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
            if isinstance(message, Surveyed):
                self._survey(message.jobs)
            elif isinstance(message, Wanted):
                self._add(message)
            elif isinstance(message, Permission):
                (self._permits.give_back if message.is_over else self._permits.ask)(message.permit)
        self._permits.look(_POLL_S)
        self._look_after_the_dead()

    def _read_news(self) -> None:
        now = time.monotonic()
        if now >= self._next_news:
            self._next_news = now + _POLL_S
            for key, outcome in self._store.news(self._open).items():
                self._hand_out(key, outcome)
            if not self._is_stopped and (error := self._store.stopped()) is not None:
                self._is_stopped = True
                self._stop(error)

    def _messages(self) -> list[_Message]:
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
        who = {key: self._who(job) for key, job in jobs.items()}
        passing = {key for key, job in jobs.items() if not is_lasting(job.model)}
        kept = self._store.keep({self._key(job): outcome for job, outcome in arrived}, who, passing)
        self._committed(len(arrived))
        for key, outcome in kept.items():
            self._open.setdefault(key, jobs[key])
            self._hand_out(key, outcome)
        if self._spending is not None:
            self._spend(self._spending, [outcome for _, outcome in arrived])

    def _spend(self, spending: Spending, arrived: Sequence[Outcome]) -> None:
        """What all processes spent is in the store; the first that sees too much of it stops all."""
        answers = [one for one in arrived if isinstance(one, Completion)]
        if reason := spending.unknown(answers) or spending.exceeded(
            *self._store.spend(*spending.of(answers))
        ):
            self._store.stop(reason, LIMIT)
            self._next_news = 0.0

    def _survey(self, jobs: Sequence[Job]) -> None:
        """Sends the first new request to each model of which there are earlier answers: they wait for it."""
        earlier = self._store.earlier()
        by_model: dict[str, dict[str, Job]] = {}
        for job in jobs:
            by_model.setdefault(self._who(job), {})[self._key(job)] = job
        for who, keyed in by_model.items():
            self._send_first(self._takeover.survey(who, keyed, earlier))

    def _send_first(self, jobs: Sequence[Job]) -> None:
        self._add(Wanted(jobs, claim=True, urgent=True))

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
        if self._store.session.reuse is Reuse.ONLY:
            found: Mapping[str, State] = self._store.outcomes(keys)
            none = ModelError(NOT_STORED, kind="store")
            self._take({key: found.get(key, none) for key in keys}, urgent=urgent)
        else:
            self._take(self._store.claim(keys), urgent=urgent)

    def _take(self, states: Mapping[str, State], *, urgent: bool) -> None:
        to_send = []
        for key, state in states.items():
            if isinstance(state, Mine):
                self._mine.add(key)
                self._awaited.discard(key)
                to_send.append(self._open[key])
            elif isinstance(state, Earlier):
                self._take_over(Offer(key, self._open[key], state))
            elif not isinstance(state, Theirs):
                self._hand_out(key, state)
            elif urgent:
                self._awaited.add(key)
        self._send([job for job in to_send if job.outcome is None], urgent)

    def _take_over(self, offer: Offer) -> None:
        """An answer of an earlier session: used, asked anew, or kept until it is known who answers now."""
        reuse, who = self._store.session.reuse, self._who(offer.job)
        if not reuse.takes_any and self._takeover.is_unheard_of(who):
            # Nobody knew that it would be asked: who answers now is known when this one is asked anew.
            self._takeover.survey(who, {offer.key: offer.job}, ())
            self._ask_anew(offer, "asked again to know which model answers")
            return
        counts = reuse.takes_any or self._takeover.judge(who, offer)
        if counts:
            source: Source = "recorded" if reuse.takes_any else "resumed"
            self._hand_out(offer.key, taken_over(offer.earlier.answer, source), is_new=False)
        elif counts is False:
            self._ask_anew(offer, "another model answers now")

    def _ask_anew(self, offer: Offer, why: str) -> None:
        self._store.put_aside(offer.earlier, why)
        self._claim([offer.key], urgent=True)

    def _judge_offers(self, key: str, who: str, outcome: Outcome) -> None:
        """What a new outcome means for the answers of earlier sessions that wait for one."""
        if isinstance(outcome, Completion):
            # Which of several processes' answers was the first has to be the same for all of them.
            first = self._store.first_new(who) or outcome
            for offer in self._takeover.heard(who, first):
                self._take_over(offer)
        else:
            to_send, to_ask = self._takeover.failed(who, key)
            self._send_first(to_send)
            for offer in to_ask:
                self._ask_anew(offer, "no new answer came")

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

    def _hand_out(self, key: str, outcome: Outcome, *, is_new: bool = True) -> None:
        job = self._open.pop(key, None)
        self._mine.discard(key)
        self._awaited.discard(key)
        if isinstance(outcome, FatalModelError):
            self._stop(outcome)
            # They have this error now.
            for each in (self._open, self._mine, self._awaited, self._takeover, self._permits):
                each.clear()
        elif job is not None:
            reuse = self._store.session.reuse
            if reuse.takes_any and isinstance(outcome, Completion):
                outcome = taken_over(outcome, "recorded")  # no times: those of a part would be no sample
            self._settle(job, outcome)
            if is_new and self._takeover.is_asked(who := self._who(job)):
                self._judge_offers(key, who, outcome)

    def _key(self, job: Job) -> str:
        if job.stored_as is None:
            job.stored_as = self._keys.of(job.model, job.request)
        return job.stored_as

    def _who(self, job: Job) -> str:
        return self._keys.who(job.model)

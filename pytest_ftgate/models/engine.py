"""Asks models ahead of the items that need the answers: the only place that knows there is an event loop.

Each request is sent once. What is judged, and what is done about an error, is not decided here.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Self

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models import Model, Request, RequestKey
from pytest_ftgate.models.answer_store.answer_key import model_digest
from pytest_ftgate.models.answer_store.session import NOT_STORED, Reuse
from pytest_ftgate.models.boundary import safe_text
from pytest_ftgate.models.endpoints.delays import Notice, delays_of
from pytest_ftgate.models.lag import LagMeter
from pytest_ftgate.models.lanes import Job, Lane, Permit
from pytest_ftgate.models.limits import LIMIT, Spending
from pytest_ftgate.models.outcomes import Outcome, outcome_now, outcome_of
from pytest_ftgate.models.place import Place

if TYPE_CHECKING:
    from pytest_ftgate.models.answer_store.sharing import Sharing
    from pytest_ftgate.models.answer_store.store import AnswerStore

#: What is to be asked once a request has its answer; the last argument gives the answers that are there.
Follow = Callable[[Request, Completion, Callable[[Request], Completion | None]], Sequence[Request]]

# How often a waiting thread looks up, so that Ctrl-C is noticed on every platform.
_LOOK_UP_S = 0.1
_CLOSE_S = 0.5
_WATCH_S = 1.0


class CompletionEngine:
    """Runs from entering to leaving its `with` block, in a thread and loop of its own; owned by one session.

    `models` gives the model of each arm, or of each request where roles or folders have their own. The thread
    starts with the first request to a model that has to wait for its answers.

    With a `store` every answer is committed before it is handed out, and several processes are one: each
    request is sent by one of them. Of what is asked ahead of time this one sends the requests that are
    `mine`; it sends others where somebody waits for them, or their process died, if nobody else has.

    `follow` says what is to be asked about an answer once it is there: of a request that this process sends,
    right then, and before what was asked for later.

    Nothing more is sent once `spending` is reached; what is on its way by then still counts. At `deadline`
    (in `time.monotonic`) all ends.
    """

    def __init__(
        self,
        models: Mapping[Arm, Model] | Callable[[Request], Model],
        *,
        concurrency: int = 32,
        store: AnswerStore | None = None,
        place: Place = Place(),  # noqa: B008 - frozen
        mine: Callable[[Request], bool] = lambda _: True,
        spending: Spending | None = None,
        deadline: float | None = None,
        follow: Follow | None = None,
    ) -> None:
        self._model_of = models if callable(models) else lambda request: models[request.arm]
        self._place = place
        self._concurrency = place.part_of(concurrency) or 1
        # Where there are fewer turns than processes; shared by all lanes.
        self._turns = Permit("turn", limit=concurrency) if concurrency < place.count else None
        self._store = store
        self._mine = mine
        self._spending = spending
        self._deadline = deadline
        self._follow = follow
        self._began = time.monotonic()
        self._spent = (0, 0.0)
        self._sharing: Sharing | None = None
        #: Set at the first fatal error; from then on nothing is sent.
        self.fatal: FatalModelError | None = None
        self._over: ModelError | None = None
        # Guards jobs, outcomes, events, counters and the thread's start against the loop's thread.
        self._lock = threading.Lock()
        self._jobs: dict[RequestKey, Job] = {}
        self._answered = 0
        #: Requests that this process sent, each counted once however often it was tried.
        self.sent = 0
        self._groups = 0
        self._consumed = 0
        self._ahead: int | None = None
        self._held: deque[Job] = deque()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # From here on: the loop's thread only.
        self._stop: asyncio.Event
        self._lanes: dict[int, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # Answers that have arrived and are not committed yet: a kill would cost them, too. They are limited,
        # and take no room from requests, or a slow commit would lower the concurrency.
        self._uncommitted = 0
        self._lag = LagMeter()
        # Filled by the loop's thread, emptied by whoever waits.
        self._notices: deque[Notice] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancels what is on its way, closes the models, and ends the thread.

        What was sent before a limit was reached is paid for, and is waited for.
        """
        try:
            if self.fatal is not None and self.fatal.kind == LIMIT:
                for job in [job for job in self._jobs.values() if job.sent]:
                    self._waited(job, None)
        finally:
            self._close()

    def _close(self) -> None:
        self._abandon(ModelError("the run ended before the answer came", kind="stopped"))
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(2 * _CLOSE_S)
        if self._sharing is not None:
            self._sharing.close(2 * _CLOSE_S)

    def survey(self, groups: Sequence[Sequence[Request]]) -> bool:
        """Says what is going to be asked in this run, by all its processes; returns at once.

        Called first, so that it is known what an earlier session has left to ask. Of models of which it left
        something, the first such request is sent. True if any answer goes through the store. Raises
        `StoreError` if that can't be used.
        """
        with self._lock:
            asked = (request for requests in groups for request in requests)
            jobs = [self._known(request, -1) for request in asked if not self._replayed(request)]
        stored = [job for job in jobs if self._is_stored(job)]
        if stored:
            self._started_sharing().survey(stored)
        return bool(stored)

    def prefetch(self, groups: Sequence[Sequence[Request]], *, ahead: int | None = None) -> None:
        """Sends requests in this order, as many at once as the limits allow; returns at once.

        A group is what one item needs. With `ahead`, no group is sent that lies more than so many behind the
        last one for which a result was asked. Raises `StoreError` if the store can't be used.
        """
        self._ahead = ahead
        replayed: list[tuple[Request, int]] = []
        with self._lock:
            first = self._groups
            self._groups += len(groups)
            for group, requests in enumerate(groups, first):
                for request in requests:
                    if self._replayed(request):
                        if self._follow is not None:
                            replayed.append((request, group))
                        continue
                    job = self._known(request, group)
                    if not job.wanted:
                        job.wanted, job.group = True, group
                        self._held.append(job)
        for request, group in replayed:
            if (answer := self.answer_so_far(request)) is not None:
                self._ask_about(request, answer, group)
        self._release()

    def stop(self, reason: str) -> None:
        """Ends everything: what is on its way is cancelled, and whoever waits is told."""
        self._stop_for(FatalModelError(reason, kind="stopped"))

    def check_deadline(self) -> None:
        """Stops if the deadline has passed."""
        if self._deadline is not None and self.fatal is None and time.monotonic() >= self._deadline:
            self.stop(f"--ftgate-deadline is reached: {time.monotonic() - self._began:.0f} s have passed")

    def result(self, request: Request, timeout: float | None = None) -> Completion:
        """The answer; waits for it, and sends the request if nobody has yet.

        Raises the `ModelError` that the model raised, the fatal error because of which the request was not
        sent, TimeoutError after `timeout` seconds, and `StoreError` if the store can't be used. Ctrl-C ends
        the wait.
        """
        if replayed := self._replayed(request):
            outcome: Outcome | None = outcome_now(replayed, request)
        else:
            job = self._job(request)
            if not self._waited(job, timeout):
                raise TimeoutError(f"no answer within {timeout:g} s")
            outcome = job.outcome
        assert outcome is not None
        if isinstance(outcome, ModelError):
            # Without its old traceback: the same error may be raised for several items.
            raise outcome.with_traceback(None)
        return outcome

    def wait(self, request: Request, timeout_s: float | None = None) -> bool:
        """Whether there is an answer or an error, after waiting at most so long. Ctrl-C ends the wait."""
        return self._replayed(request) is not None or self._waited(self._job(request), timeout_s)

    def finish(self, timeout_s: float | None = None) -> bool:
        """Whether nothing is left that other processes rely on this one for, after waiting at most so long.

        Called before the `with` block is left: what is then on its way is cancelled, and asked again by those
        who need it. Ctrl-C ends the wait.
        """
        if self._sharing is None:
            return True
        end = None if timeout_s is None else time.monotonic() + timeout_s
        # An answer that comes meanwhile may bring questions about it.
        while jobs := self._relied_on():
            for job in jobs:
                if not self._waited(job, None if end is None else max(0.0, end - time.monotonic())):
                    return False
        return True

    def _relied_on(self) -> list[Job]:
        """What this process has still to bring: what it sent, and its own share of what is wanted by now."""
        with self._lock:
            held = set(map(id, self._held))
            jobs = [job for job in self._jobs.values() if job.outcome is None and id(job) not in held]
        return [job for job in jobs if job.sent or self._mine(job.request)]

    def progress(self) -> tuple[int, int]:
        """Answers and errors that are in, a fatal one aside, and requests that are planned.

        Answers that are only played again are not among them.
        """
        return self._answered, len(self._jobs)

    @property
    def has_notices(self) -> bool:
        """Whether there is something to say of endpoints."""
        return bool(self._notices)

    def notices(self) -> list[Notice]:
        """What people should know of now: that an endpoint keeps all waiting, or answers again; each once."""
        return [self._notices.popleft() for _ in range(len(self._notices))]

    @property
    def lag_p95_s(self) -> float | None:
        """How late this client was, in seconds: 95 % of samples were at most that; None without samples."""
        return self._lag.p95_s

    def _job(self, request: Request) -> Job:
        with self._lock:
            job = self._known(request, self._consumed - 1)
            if job.request.case is not request.case and job.request.case.asked != request.case.asked:
                raise ValueError(f"{request.key} was asked something else before")
            consumed = max(self._consumed, job.group + 1)
            moved, self._consumed = consumed > self._consumed, consumed
        if moved and self._held:
            self._release()
        if job.outcome is None and not job.sent:
            self._send([job], urgent=True)
        return job

    def _replayed(self, request: Request) -> Callable[[Request], Completion] | None:
        """How a model answers that plays saved answers: there is nothing to send, and nothing to keep."""
        model = self._model_of(request)
        return getattr(model, "answer_now", None) if getattr(model, "is_replay", False) else None

    def _known(self, request: Request, group: int, number: int = -1) -> Job:
        """The job of a request, new if there is none; the lock is held."""
        job = self._jobs.get(request.key)
        if job is None:
            place = len(self._jobs) if number < 0 else number
            job = Job(request, self._model_of(request), place, group)
            job.outcome = self._over
            self._jobs[request.key] = job
        return job

    def _release(self) -> None:
        """Sends what `ahead` allows."""
        with self._lock:
            jobs = []
            while self._held and self._is_due(self._held[0].group):
                jobs.append(self._held.popleft())
        self._send(jobs, urgent=False)

    def _is_due(self, group: int) -> bool:
        """Whether `ahead` allows to send what a group needs."""
        return self._ahead is None or group < self._consumed + self._ahead

    def _send(self, jobs: Sequence[Job], *, urgent: bool) -> None:
        slow = []
        for job in jobs:
            if job.outcome is not None:
                continue
            answer_now = getattr(job.model, "answer_now", None)
            if answer_now is None:
                slow.append(job)
            else:
                self._settle(job, outcome_now(answer_now, job.request))
        stored = [job for job in slow if self._is_stored(job)]
        if len(stored) < len(slow):
            self._send_unstored([job for job in slow if not self._is_stored(job)], urgent)
        if stored:
            self._share(stored, urgent)

    def _send_unstored(self, jobs: Sequence[Job], urgent: bool) -> None:
        if self._store is None or self._store.session.reuse is not Reuse.ONLY:
            self._send_here(jobs, urgent)
            return
        for job in jobs:
            self._settle(job, ModelError(NOT_STORED, kind="store"))

    def _is_stored(self, job: Job) -> bool:
        """Whether its answer goes through the store.

        A function that a folder puts in an arm's place has no name that other processes know.
        """
        if self._store is None or hasattr(job.model, "answer_now"):
            return False
        request = job.request
        return request.model is None or bool(request.grader) or hasattr(job.model, "asks")

    def _share(self, jobs: Sequence[Job], urgent: bool) -> None:
        sharing = self._started_sharing()
        mine = [job for job in jobs if urgent or self._mine(job.request)]
        sharing.want(mine, claim=True, urgent=urgent)
        if len(mine) < len(jobs):
            chosen = set(map(id, mine))
            sharing.want([job for job in jobs if id(job) not in chosen], claim=False, urgent=False)

    def _send_here(self, jobs: Sequence[Job], urgent: bool) -> None:
        if jobs:
            self._start_loop()
            self._call_in_loop(self._enqueue, jobs, urgent)

    def _call_in_loop(self, function: Callable[..., None], *arguments: object) -> None:
        if self._loop is not None:
            # The loop is closed if this engine has ended meanwhile: then there is nothing left to do.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function, *arguments)

    def _waited(self, job: Job, timeout_s: float | None) -> bool:
        self.check_deadline()
        with self._lock:
            if job.outcome is not None:
                return True
            event = job.event = job.event or threading.Event()
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while not event.wait(
            _LOOK_UP_S if end is None else max(0.0, min(_LOOK_UP_S, end - time.monotonic()))
        ):
            if end is not None and time.monotonic() >= end:
                return False
            self.check_deadline()
            if any(not thread.is_alive() for thread in (self._thread, self._sharing) if thread is not None):
                self._abandon(ModelError("the engine's thread has ended", kind="stopped"))
        return True

    def _settle(self, job: Job, outcome: Outcome) -> None:
        if job.outcome is None and isinstance(outcome, Completion):
            # Before anybody learns of the answer: who then looks for what is left finds these, too.
            self._ask_about(job.request, outcome, job.group, job.number)
        with self._lock:
            self._answered += job.outcome is None and not isinstance(outcome, FatalModelError)
            self._set(job, outcome)
        if isinstance(outcome, FatalModelError):
            self._stop_for(outcome)

    def _ask_about(self, request: Request, answer: Completion, group: int, number: int = -1) -> None:
        """Sends what is to be asked about an answer, at its place in the order."""
        if self._follow is None or request.grader or not self._mine(request):
            return
        questions = self._follow(request, answer, self.answer_so_far)
        with self._lock:
            jobs = [self._known(question, group, number) for question in questions]
            jobs = [job for job in jobs if not job.wanted]
            for job in jobs:
                job.wanted = True
            if not self._is_due(group):
                self._held.extend(jobs)
                jobs = []
        self._send(jobs, urgent=False)

    def answer_so_far(self, request: Request) -> Completion | None:
        """The answer if it is there; None without one, and where there is an error."""
        if replayed := self._replayed(request):
            outcome: Outcome | None = outcome_now(replayed, request)
        else:
            job = self._jobs.get(request.key)
            outcome = job.outcome if job is not None else None
        return outcome if isinstance(outcome, Completion) else None

    def _stop_for(self, error: FatalModelError) -> None:
        self._halt(error)
        self._abandon(error)

    def _spend(self, outcome: Outcome) -> None:
        """Counts what an answer cost, and stops if that is too much, before the next request is sent.

        Where processes share a store, that adds up what all of them spent, a moment later.
        """
        if self._spending is None or not isinstance(outcome, Completion):
            return
        tokens, cost = self._spending.of([outcome])
        self._spent = (self._spent[0] + tokens, self._spent[1] + cost)
        if reason := self._spending.unknown([outcome]) or self._spending.exceeded(*self._spent):
            self._stop_for(FatalModelError(reason, kind=LIMIT))

    def _counted(self, outcome: Outcome) -> Outcome:
        """The outcome, once what it cost is counted: an answer whose cost is no number is an error."""
        try:
            self._spend(outcome)
        except Exception as error:  # noqa: BLE001 - it is what a user's model made
            told = f"the answer's usage or cost can't be counted: {safe_text(str(error))}"
            return ModelError(told, kind="protocol")
        return outcome

    def _halt(self, error: FatalModelError) -> None:
        """Sends nothing any more; answers that have arrived may still be on their way through the store."""
        if self.fatal is None:
            self.fatal = error
            self._call_in_loop(self._drop_waiting if error.kind == LIMIT else self._cancel_all)

    def _abandon(self, error: ModelError) -> None:
        """Gives every request without an outcome this one, those that are still to come included.

        But for one that was sent before a limit was reached.
        """
        with self._lock:
            self._over = self._over or error
            for job in self._jobs.values():
                if error.kind != LIMIT or not job.sent:
                    self._set(job, self._over)

    def _set(self, job: Job, outcome: Outcome) -> None:
        """The first outcome counts; the lock is held."""
        job.outcome = job.outcome or outcome
        if job.event is not None:
            job.event.set()

    def _start_loop(self) -> None:
        with self._lock:
            if self._loop is None:
                started = threading.Event()
                thread = threading.Thread(
                    target=lambda: asyncio.run(self._main(started)), name="ftgate-engine", daemon=True
                )
                thread.start()
                started.wait()
                # Not before: one that has not begun looks like one that has ended.
                self._thread = thread

    def _started_sharing(self) -> Sharing:
        with self._lock:
            if self._sharing is None:
                from pytest_ftgate.models.answer_store.sharing import Sharing  # noqa: PLC0415 - sqlite3, for stores only

                assert self._store is not None
                self._sharing = Sharing(
                    self._store,
                    settle=self._settle,
                    send=self._send_here,
                    stop=self._stop_for,
                    committed=self._committed,
                    given=self._given,
                    limit=self._concurrency,
                    spending=self._spending,
                )
            return self._sharing

    async def _main(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        started.set()
        sampling = asyncio.create_task(self._lag.run(self._is_measuring))
        watching = asyncio.create_task(self._watch())
        await self._stop.wait()
        sampling.cancel()
        watching.cancel()
        self._cancel_all()
        await _finished(self._tasks)
        # A client that is dropped unclosed can hang the next one.
        await _finished({asyncio.create_task(lane.model.aclose()) for lane in self._lanes.values()})

    async def _watch(self) -> None:
        """Keeps an eye on the endpoints that make requests wait."""
        while True:
            await asyncio.sleep(_WATCH_S)
            now = asyncio.get_running_loop().time()
            for lane in self._lanes.values():
                if (delays := delays_of(lane.model)) is not None:
                    self._notices.extend(delays.look(now))

    def _is_measuring(self) -> bool:
        """Whether latencies are being measured: not yet while the first requests load their clients."""
        return bool(self._tasks) and all(lane.probed or not lane.in_flight for lane in self._lanes.values())

    def _enqueue(self, jobs: Sequence[Job], urgent: bool) -> None:
        for job in jobs:
            lane = self._lanes.get(id(job.model)) or self._new_lane(job)
            if urgent:
                # Before those of other models, too: somebody waits for it.
                job.number = -1
                lane.waiting.appendleft(job)
            else:
                lane.waiting.append(job)
        self._pump()

    def _new_lane(self, job: Job) -> Lane:
        """The lane of a model; only what goes through the store can keep to limits of all processes."""
        model, most = job.model, job.model.concurrency
        shared = None if getattr(model, "is_limited_by_process", False) else most
        if shared is not None:
            most = self._place.part_of(shared) or 1
        permits = self._permits_of(job, shared) if self._place.count > 1 and self._is_stored(job) else ()
        self._lanes[id(model)] = lane = Lane(model, most=most, permits=permits)
        return lane

    def _permits_of(self, job: Job, limit: int | None) -> list[Permit]:
        """In an order in which whoever waits for one has none that the one who has it still needs."""
        who = model_digest(job.model.describe())
        permits = [] if self._turns is None else [self._turns]
        if limit is not None and limit < self._place.count:
            permits.append(Permit(f"turn of {job.request.arm} {who}", limit=limit))
        return [*permits, Permit(f"first {who}", who=who)]

    def _pump(self) -> None:
        """Starts requests in order, as long as there is room."""
        while max(len(self._tasks), self._uncommitted) < self._concurrency and self.fatal is None:
            ready = [
                (job.number, lane)
                for lane in self._lanes.values()
                if (job := lane.next_job()) and self._has_leave(lane)
            ]
            if not ready:
                break
            lane = min(ready, key=lambda pair: pair[0])[1]
            job = lane.waiting.popleft()
            job.sent = True
            self.sent += 1
            lane.in_flight += 1
            task = asyncio.get_running_loop().create_task(self._ask(lane, job))
            self._tasks.add(task)
        self._give_back()

    def _has_leave(self, lane: Lane) -> bool:
        """Whether a lane may send; asks for what it lacks."""
        permit = lane.lacks()
        if permit is None:
            return True
        if not permit.is_asked:
            assert self._sharing is not None
            permit.is_asked = True
            self._sharing.ask_leave(permit)
        return False

    def _given(self, permit: Permit, has_answered: bool) -> None:
        def send() -> None:
            permit.is_given = True
            for lane in self._lanes.values():
                lane.is_open |= has_answered and permit in lane.permits
            self._pump()

        self._call_in_loop(send)

    def _give_back(self) -> None:
        """What nothing here needs any more is for other processes."""
        lanes = self._lanes.values()
        needed = {permit for lane in lanes if not lane.is_idle for permit in lane.permits}
        for lane in lanes:
            for permit in lane.permits:
                is_used = permit in needed or (permit.who is not None and lane.probed)
                if permit.is_given and not is_used:
                    assert self._sharing is not None
                    permit.is_asked = permit.is_given = False
                    self._sharing.give_back(permit)

    async def _ask(self, lane: Lane, job: Job) -> None:
        try:
            outcome = self._counted(await outcome_of(lane.model, job.request))
            if not self._is_stored(job):
                self._settle(job, outcome)
            else:
                assert self._sharing is not None
                if isinstance(outcome, FatalModelError):
                    self._halt(outcome)
                self._sharing.keep(job, outcome)
                self._uncommitted += 1
        finally:
            lane.in_flight -= 1
            lane.probed = lane.is_open = True
            self._tasks -= {asyncio.current_task()}
        self._pump()

    def _committed(self, count: int) -> None:
        def make_room() -> None:
            self._uncommitted -= count
            self._pump()

        self._call_in_loop(make_room)

    def _drop_waiting(self) -> None:
        for lane in self._lanes.values():
            lane.waiting.clear()

    def _cancel_all(self) -> None:
        self._drop_waiting()
        for task in self._tasks:
            task.cancel()


async def _finished(tasks: Set[asyncio.Task[None]]) -> None:
    """Waits a moment for these; what they raise does not matter any more."""
    if tasks:
        done, _ = await asyncio.wait(set(tasks), timeout=_CLOSE_S)
        for task in done:
            if not task.cancelled():
                task.exception()

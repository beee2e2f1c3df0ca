"""The requests that wait for their turn, one lane per model. Owned by the engine; nothing is sent here."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models import Model, Request


class Job:
    """One request on its way. `outcome`, `event` and `wanted` are guarded by the engine's lock.

    `stored_as` is its key in the answer store; it belongs to the store's thread.
    """

    __slots__ = ("event", "group", "model", "number", "outcome", "request", "sent", "stored_as", "wanted")

    def __init__(self, request: Request, model: Model, number: int, group: int) -> None:
        self.request = request
        self.model = model
        self.number = number
        self.group = group
        self.sent = False
        self.outcome: Completion | ModelError | None = None
        self.event: threading.Event | None = None
        self.stored_as: str | None = None
        #: Whether it waits for its turn, or had it; else it is only known that it is going to be wanted.
        self.wanted = False


class Permit:
    """Leave to send, for one process at a time, or for `limit` of them.

    With `who`, the digest of a model, it is leave for its first request: once that has any outcome all have
    it for good. `is_asked` and `is_given` belong to the loop's thread.
    """

    __slots__ = ("is_asked", "is_given", "limit", "name", "who")

    def __init__(self, name: str, *, limit: int = 1, who: str | None = None) -> None:
        self.name = name
        self.limit = limit
        self.who = who
        self.is_asked = self.is_given = False


class Lane:
    """The requests to one model, in order; lives in the loop's thread.

    The first goes alone: a wrong key costs one request. The others follow when it has any outcome, whichever
    process sent it. `most` is this process's part of the model's own limit; `permits` are what this process
    needs besides, in the order in which it asks for them. `is_open` from the first outcome on, `probed` from
    this process's own.
    """

    def __init__(self, model: Model, *, most: int | None, permits: Sequence[Permit] = ()) -> None:
        self.model = model
        self.waiting: deque[Job] = deque()
        self.in_flight = 0
        self.is_open = self.probed = False
        self.permits = permits
        self._most = most

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to send, and nothing on its way."""
        return not self.in_flight and self._first() is None

    def next_job(self) -> Job | None:
        """The job that may be sent now, left in its place."""
        limits = (self.model.concurrency, self._most, None if self.is_open else 1)
        is_full = any(limit is not None and self.in_flight >= limit for limit in limits)
        return None if is_full else self._first()

    def lacks(self) -> Permit | None:
        """The permit that has to be given first, None if nothing can be sent without it."""
        return next((permit for permit in self.permits if not permit.is_given), None)

    def _first(self) -> Job | None:
        while self.waiting and self.waiting[0].sent:
            self.waiting.popleft()
        return self.waiting[0] if self.waiting else None

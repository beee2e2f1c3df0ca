"""The requests that wait for their turn, one lane per model. Owned by the engine; nothing is sent here."""

from __future__ import annotations

import threading
from collections import deque

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


class Lane:
    """The requests to one model, in order; lives in the loop's thread.

    The first goes alone: a wrong key costs one request. The others follow when it has any outcome.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.waiting: deque[Job] = deque()
        self.in_flight = 0
        self.probed = False

    def next_job(self) -> Job | None:
        """The job that may be sent now, left in its place."""
        while self.waiting and self.waiting[0].sent:
            self.waiting.popleft()
        limit = (self.model.concurrency if self.probed else 1) or self.in_flight + 1
        return self.waiting[0] if self.waiting and self.in_flight < limit else None

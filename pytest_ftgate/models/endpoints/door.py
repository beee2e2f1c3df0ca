"""The way to an endpoint, open or closed for all requests alike, and for how long in all. No I/O.

It is closed while the endpoint is down, or has said "too many requests" or "later". What is then tried is one
request at a time, at growing intervals, until one gets through. All that waits for this counts against one
budget of the endpoint, never against a request's own deadline. Times are the loop's clock, in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum, auto

from pytest_ftgate.errors import ModelError

#: What each answer gives back of the budget. An endpoint that answers once a minute may go on for ever, and
#: whatever an endpoint does, all waiting together is at most the budget and a minute per answer.
BACK_PER_ANSWER_S = 60.0
#: A refusal comes fast: a probe that is on its way for longer was let in, and its answer takes time. So many
#: times the slowest refusal so far is enough.
_LEAST_REFUSAL_S, _MOST_REFUSAL_S, _SLOWER = 0.1, 1.0, 3.0


class Closed(Enum):
    """Why nothing may be sent."""

    #: Too many requests.
    BUSY = auto()
    #: It failed, and asked to come back later.
    ASKED = auto()
    #: It has failed again and again.
    DOWN = auto()


class Door:
    """Owned by one endpoint. `hold_s` says how long to wait before the n-th probe, from 1."""

    def __init__(self, budget_s: float, hold_s: Callable[[int], float]) -> None:
        self._budget_s = self._left_s = budget_s
        self._hold_s = hold_s
        self._closed_at = self._opens_at = -math.inf
        self._probes = 0
        #: How often it was closed so far.
        self.closings = 0
        self._slowest_refusal_s = 0.0
        #: When the probe was sent that is on its way.
        self.probing_since: float | None = None
        #: Why it is closed, and the last error; None while it is open.
        self.closed: Closed | None = None
        self.why: ModelError | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nothing may be sent but a probe."""
        return self.closed is not None

    def close(self, now: float, closed: Closed, why: ModelError, wish_s: float | None = None) -> None:
        """Nothing more is sent for as long as the endpoint wishes, and at least for a growing while."""
        if not self.is_closed:
            self._closed_at, self._probes, self.probing_since = now, 0, None
            self.closings += 1
        self.closed, self.why = closed, why
        self._probes += 1
        is_told = self._probes == 1 and wish_s
        # Our own interval is never what exceeds the budget.
        hold_s = 0.0 if is_told else min(self._hold_s(self._probes), max(0.0, self.deadline - now))
        self.extend(now, max(wish_s or 0.0, hold_s))

    def extend(self, now: float, wish_s: float) -> None:
        """It stays closed for at least so long; a pause is never shortened."""
        self._opens_at = max(self._opens_at, now + wish_s)

    def open(self, now: float) -> None:
        """All may be sent again."""
        if self.is_closed:
            self._left_s = max(0.0, self.deadline - now)
            self.closed, self.why, self.probing_since, self._opens_at = None, None, None, -math.inf

    def answered(self, now: float) -> None:
        """An answer came: patience grows again."""
        left_s = self.left_s(now)
        self._closed_at = now
        self._left_s = min(self._budget_s, left_s + BACK_PER_ANSWER_S)

    def wait_s(self, now: float) -> float:
        """Seconds until a request, or a probe, may be sent; infinite while a probe decides."""
        if not self.is_closed:
            return 0.0
        if self.probing_since is None:
            return max(0.0, self._opens_at - now)
        if self.closed is not Closed.BUSY:
            return math.inf
        return max(0.0, self.probing_since + self._refusal_s - now)

    def passed_at(self, now: float) -> float | None:
        """When a probe was sent that was let in, as far as its being on its way for so long shows."""
        since = self.probing_since
        if since is None or self.closed is not Closed.BUSY or now < since + self._refusal_s:
            return None
        return since

    def refused(self, after_s: float) -> None:
        """How long the endpoint took to say that a request was one too many."""
        self._slowest_refusal_s = max(self._slowest_refusal_s, after_s)

    @property
    def _refusal_s(self) -> float:
        return min(_MOST_REFUSAL_S, max(_LEAST_REFUSAL_S, _SLOWER * self._slowest_refusal_s))

    def start_probe(self, now: float) -> None:
        """One request is sent although it is closed."""
        self.probing_since = now

    def end_probe(self) -> None:
        """It has come to its end; the next may follow."""
        self.probing_since = None

    def left_s(self, now: float) -> float:
        """Seconds of the budget that are left."""
        return max(0.0, self.deadline - now) if self.is_closed else self._left_s

    def opens_in_s(self, now: float) -> float:
        """Seconds until the next probe may start, possibly infinite."""
        return max(0.0, self._opens_at - now)

    def is_over(self, now: float) -> bool:
        """Whether waiting is pointless: the budget is used up, or ends before the door may open."""
        return self.is_closed and (now >= self.deadline or self._opens_at > self.deadline)

    @property
    def deadline(self) -> float:
        """When the budget is used up if it stays closed."""
        return self._closed_at + self._left_s

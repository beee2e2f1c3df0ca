"""What the requests to one endpoint know of each other. No I/O; times are the loop's clock, in seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_ftgate.completions import Usage
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models.endpoints.door import Closed, Door
from pytest_ftgate.models.endpoints.pacing import Pacer
from pytest_ftgate.models.endpoints.quota import Quota

#: So many failures in a row mean that the endpoint is down: of different requests, since one may be the cause
#: of its own; or of connections, which no request can be the cause of.
DOWN_REQUESTS = 5
DOWN_CONNECTIONS = 2
_LEAST_PROBE_S = 15.0
_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt on the wire. `is_probe`: it went through a closed door."""

    request: int
    at: float
    is_probe: bool


class Endpoint:
    """Shared by the requests of one model, in one loop.

    `reached`: something answered over HTTP. `answered`: a request succeeded. A "too many requests" closes the
    door for all, and halves how many may be on the wire; answers raise that by about one per round again.
    What is on its way already stays. Source: additive increase, multiplicative decrease (Chiu, Jain 1989).
    Once it has answered, failures in a row close the door too (a circuit breaker: Nygard, "Release It!").
    """

    def __init__(self, limit: int | None, *, budget_s: float, hold_s: Callable[[int], float]) -> None:
        self.reached = False
        self.answered = False
        #: How many attempts were one too many.
        self.refusals = 0
        self.door = Door(budget_s, hold_s)
        self._pacer = Pacer()
        self._limit = math.inf if limit is None else limit
        self._window = math.inf
        self._on_wire = 0
        self._slowed_at = -math.inf
        # When what proved that it is up was sent, and since then: requests that failed, connections that did.
        self._up_at = -math.inf
        self._failed: set[int] = set()
        self._unconnected = 0
        self._slowest_s = 0.0
        self._tokens: float | None = None

    @property
    def concurrency(self) -> int | None:
        """At most so many requests should be on their way; None for any number."""
        least = min(self._limit, self._window)
        return None if math.isinf(least) else max(1, int(least))

    @property
    def probe_s(self) -> float:
        """How long a probe may take: whether an endpoint is back must not be waited for too long."""
        return max(_LEAST_PROBE_S, 2 * self._slowest_s)

    def wait_s(self, now: float) -> float:
        """Seconds until the next attempt may be sent; infinite until another one ends."""
        if (let_in_at := self.door.passed_at(now)) is not None:
            self._resume(let_in_at, now, earlier=0)
        if self.door.is_closed:
            return self.door.wait_s(now)
        if self._on_wire >= max(1, int(min(self._limit, self._window, _MANY))):
            return math.inf
        return self._pacer.wait_s(now)

    def send(self, request: int, now: float) -> Sent:
        """An attempt goes out; every one of them is ended once."""
        self._on_wire += 1
        self._pacer.sent(now)
        is_probe = self.door.is_closed
        if is_probe:
            self.door.start_probe(now)
        return Sent(request, now, is_probe)

    def end(self, sent: Sent) -> None:
        """An attempt is off the wire; what came of it was said before."""
        self._on_wire -= 1
        if self._decides(sent):
            self.door.end_probe()

    def succeed(self, sent: Sent, now: float, usage: Usage | None) -> None:
        """An answer came."""
        self.answered = True
        self.door.answered(now)
        # What is not used is no evidence that more would do (RFC 7661).
        if self._on_wire > self._window / 2:
            self._window += 1 / self._window
        self._slowest_s = max(self._slowest_s, now - sent.at)
        self._count(usage)
        self.take(sent, now)

    def take(self, sent: Sent, now: float) -> None:
        """A reply came that is no refusal and no failure: the endpoint is up."""
        self._up_at = max(self._up_at, sent.at)
        self._failed.clear()
        self._unconnected = 0
        self._pacer.let_in(now)
        if self._decides(sent) or self.door.closed is Closed.DOWN:
            self._resume(sent.at, now, earlier=1)

    def slow_down(self, sent: Sent, now: float, why: ModelError, wish_s: float | None) -> None:
        """An attempt was one too many."""
        self.refusals += 1
        self.door.refused(now - sent.at)
        decides = self._decides(sent)
        if not decides and sent.at <= self._slowed_at:
            # What was sent before the last cut says nothing of the new limit; a wish to wait holds.
            self._wish(now, why, wish_s)
            return
        self._slowed_at = now
        self._pacer.guess_from(None if wish_s else now)
        if not decides and self._pacer.refused(now):
            self._window = max(1.0, min(self._window, self._on_wire) / 2)
        self.door.close(now, Closed.BUSY, why, wish_s)

    def fail(self, sent: Sent, now: float, why: ModelError, *, connected: bool, wish_s: float | None) -> None:
        """An attempt failed for a reason that may be the endpoint's; with a wish to wait it surely is."""
        if connected:
            self._pacer.let_in(now)
        if self._decides(sent):
            if self.door.closed is Closed.DOWN or (wish_s and self.door.closed is Closed.ASKED):
                self.door.close(now, self.door.closed, why, wish_s)
                return
            # What the door was closed for is over; this is something else.
            self._resume(sent.at, now, earlier=int(connected))
        self._wish(now, why, wish_s)
        if sent.at >= self._up_at:
            self._failed.add(sent.request)
            self._unconnected += not connected
        is_down = len(self._failed) >= DOWN_REQUESTS or self._unconnected >= DOWN_CONNECTIONS
        if is_down and self.answered and not self.door.is_closed:
            self.door.close(now, Closed.DOWN, why)

    def heed(self, quotas: Mapping[str, Quota], now: float) -> None:
        """What a reply's headers say is left."""
        self._pacer.heed(quotas, now, max(0, self._on_wire - 1), self._tokens)

    def _decides(self, sent: Sent) -> bool:
        """Whether this is the probe whose outcome opens the door or keeps it closed."""
        return sent.is_probe and self.door.probing_since == sent.at

    def _wish(self, now: float, why: ModelError, wish_s: float | None) -> None:
        if not wish_s:
            return
        if self.door.is_closed:
            self.door.extend(now, wish_s)
        else:
            self.door.close(now, Closed.ASKED, why, wish_s)

    def _resume(self, let_in_at: float, now: float, *, earlier: int) -> None:
        """All may send again; `earlier`: how many were counted as let in since that moment."""
        if self.door.closed is Closed.BUSY:
            self._pacer.resumed(let_in_at, earlier)
        self.door.open(now)
        if self._pacer.is_refuted:
            self._pacer = Pacer()

    def _count(self, usage: Usage | None) -> None:
        """The tokens that an answer takes, on a sliding average."""
        if usage is not None and (tokens := (usage.input_tokens or 0) + (usage.output_tokens or 0)):
            self._tokens = tokens if self._tokens is None else 0.9 * self._tokens + 0.1 * tokens

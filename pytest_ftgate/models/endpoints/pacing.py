"""How fast requests may follow each other: as fast as the endpoint was seen to let them in. No I/O.

Nothing is paced until an endpoint refuses a request as one too many. The rate is then what it let in between
two moments in which it had nothing to spare, which is the same for buckets and windows of all kinds. Times
are the loop's clock, in seconds; rates are requests per second.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping

from pytest_ftgate.models.endpoints.quota import Quota

_SPAN_S = 120.0
_BELOW = 0.97
_LEAST_RATE, _MOST_RATE = 1 / 60, 1e6
_STEP, _MOST_STEP = 0.02, 0.5
_USED = 0.8
_MOST_BETWEEN = 2.0
_STEP_ANSWERS, _STEP_S = 50, 15.0
#: So soon after a cut, and so often in a row, a refusal is not about the rate.
_SOON, _OFTEN = 20, 8
#: Timers and the loop are late by about so much; a request may make up for it.
_LATE_S = 0.05
_LONGEST_GAP_S = 60.0
#: How much of what is left in a quota may be used before it is half over; more is used earlier.
_EAGER = 10.0


class Pacer:
    """Owned by one endpoint, which tells it of requests sent, let in and refused."""

    def __init__(self) -> None:
        #: Requests per second; None as long as any number may be sent.
        self.rate: float | None = None
        self._estimate = math.inf
        #: The rate before it last grew, which was not refused for a while.
        self._survived = 0.0
        self._next_at = self._sent_at = -math.inf
        self._let_in = 0
        # Moments without anything to spare, and how many were let in before; the first is the start.
        self._moments: deque[tuple[float, int]] = deque()
        self._has_start = True
        self._step = _STEP
        self._stepped: tuple[float, int] = (0.0, 0)
        self._step_after: tuple[float, float] = (_STEP_S, _STEP_ANSWERS)
        self._doubts = 0
        self._refused_at = math.inf
        self._guess_from: float | None = None
        self._quotas: dict[str, _Left] = {}

    @property
    def is_refuted(self) -> bool:
        """Whether requests are refused however slowly they come: it is not about the rate."""
        return self._doubts >= _OFTEN

    def wait_s(self, now: float) -> float:
        """Seconds until the next request may be sent."""
        by_quota = max((left.wait_s(now, self._sent_at) for left in self._quotas.values()), default=0.0)
        return max(0.0, self._next_at - now, by_quota)

    def sent(self, now: float) -> None:
        """A request goes out."""
        if not self._moments:
            self._moments.append((now, 0))
        self._sent_at = now
        if self.rate is not None:
            is_late = self._next_at <= now <= self._next_at + _LATE_S
            self._next_at = (self._next_at if is_late else max(now, self._next_at)) + 1 / self.rate
        for left in self._quotas.values():
            left.free -= 1

    def let_in(self, now: float) -> None:
        """The endpoint took a request, whatever came of it; without refusals the rate grows."""
        self._let_in += 1
        if self.rate is None:
            return
        at, count = self._stepped
        after_s, after = self._step_after
        passed_s, answers = now - at, self._let_in - count
        if passed_s < after_s or answers < after:
            return
        self._stepped = (now, self._let_in)
        # A rate that nobody made use of is not proved by the lack of refusals.
        if answers >= _USED * self.rate * passed_s:
            self._survived = self.rate
            self.rate = min(_MOST_RATE, self.rate * (1 + self._step))
            if self.rate > self._estimate:
                self._step = min(_MOST_STEP, 2 * self._step)

    def guess_from(self, now: float | None) -> None:
        """A refusal that did not say for how long: when requests could be let in again has to be guessed."""
        self._guess_from = now

    def refused(self, now: float) -> bool:
        """One request was one too many; called once per cut. Whether the rate does not explain it."""
        self._refused_at = now
        if self.rate is None:
            return True
        is_doubtful = not self._survived and self._let_in - self._moments[-1][1] < _SOON
        self._doubts = self._doubts + 1 if is_doubtful else 0
        return is_doubtful

    def resumed(self, at: float, earlier: int = 0) -> None:
        """A request that was sent `at` this time is let in again; `earlier` of those let in came since."""
        # Somewhere between the last refusal and the request that was let in, one could have been.
        unsure_s = 0.0 if self._guess_from is None else (at - self._guess_from) / 2
        self._moments.append((at - unsure_s, self._let_in - earlier))
        if at - self._refused_at > _SPAN_S:
            # So long a refusal is an outage, and says nothing of a rate.
            self._moments = deque([self._moments[-1]])
            self._has_start = False
            return
        if self._has_start and len(self._moments) > 2:
            # What a full bucket gave at first says nothing of the rate at which it fills.
            self._moments.popleft()
            self._has_start = False
        while len(self._moments) > 2 and at - self._moments[1][0] >= _SPAN_S:
            self._moments.popleft()
        self._measure(at, unsure_s)

    def _measure(self, at: float, unsure_s: float) -> None:
        (since, before), (until, now_let_in) = self._moments[0], self._moments[-1]
        count, span_s = now_let_in - before, until - since
        if count < 1 or span_s <= 0:
            return
        self._estimate = count / span_s
        # A bucket that is full lets in less than it could: the rate lies between that and the refused one.
        between = math.sqrt(min(_MOST_BETWEEN, max(1.0, (self.rate or 0.0) / self._estimate)))
        self.rate = max(_LEAST_RATE, _BELOW * max(self._estimate * between, self._survived))
        self._survived = 0.0
        self._next_at = max(self._next_at, at + 1 / self.rate)
        # A count is off by up to one, and a time by a guess: what is little known is soon tried out.
        self._step = min(_MOST_STEP, max(_STEP, 0.5 / count, 0.5 * unsure_s / span_s))
        self._step_after = (min(_STEP_S, span_s), min(_STEP_ANSWERS, 4 + count))
        self._stepped = (at, self._let_in)

    def heed(self, quotas: Mapping[str, Quota], now: float, on_wire: int, tokens: float | None) -> None:
        """What the endpoint says is left; `tokens` is what an answer takes of them on average."""
        for name, quota in quotas.items():
            each = (tokens or math.inf) if quota.counts_tokens else 1.0
            if quota.counts_tokens and tokens is None and quota.remaining > 0:
                continue
            free, before = quota.remaining / each - on_wire, self._quotas.get(name)
            # Several replies may speak of the same reset, the later ones from an earlier point of view.
            until = before.reset_at if before and free < 1 and before.free < 1 else math.inf
            self._quotas[name] = _Left(free, now, quota.reset_s, until)


class _Left:
    """What is left of one quota until it is reset."""

    def __init__(self, free: float, heard_at: float, reset_s: float, until: float) -> None:
        self.free = free
        self._heard_at = heard_at
        self._reset_s = reset_s
        self.reset_at = min(until, heard_at + reset_s)

    def wait_s(self, now: float, sent_at: float) -> float:
        """Nothing while much is left, longer the less that is, until the reset when nothing is.

        A bucket that fills all the time settles where as much is sent as flows in; a window is used up at its
        end. At most a minute, since what resets in a day may have something to spare long before.
        """
        if now >= min(self.reset_at, self._heard_at + _LONGEST_GAP_S):
            # How much there is now the next reply tells.
            self.free = max(1.0, self.free)
            self._heard_at, self.reset_at = now, now + self._reset_s
        if self._reset_s <= 0:
            return 0.0
        if self.free < 1:
            return min(self.reset_at, self._heard_at + _LONGEST_GAP_S) - now
        gap_s = min(_LONGEST_GAP_S, (self.reset_at - now) / (_EAGER * self.free))
        return max(0.0, sent_at + gap_s - now)

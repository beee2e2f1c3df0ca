"""What the requests to one endpoint know of each other. No I/O; times are the loop's clock, in seconds."""

from __future__ import annotations

import math


class Endpoint:
    """Shared by the requests of one model, in one loop.

    `reached`: something answered over HTTP. `answered`: a request succeeded. A "too many requests" makes all
    of them wait, and halves how many may be on their way; answers raise that by about one per round again.
    What is on its way already stays. Source: additive increase, multiplicative decrease (Chiu, Jain 1989).
    """

    def __init__(self, limit: int | None = None) -> None:
        self.reached = False
        self.answered = False
        self._limit = math.inf if limit is None else limit
        self._window = math.inf
        self._in_flight = 0
        self._resume_at = 0.0
        self._slowed_at = -math.inf

    @property
    def concurrency(self) -> int | None:
        """At most so many requests should be on their way; None for any number."""
        least = min(self._limit, self._window)
        return None if math.isinf(least) else max(1, int(least))

    def pause_left_s(self, now: float) -> float:
        """Seconds until requests may be sent again, 0 if they may."""
        return max(0.0, self._resume_at - now)

    def enter(self) -> None:
        """A request is on its way, its waits included."""
        self._in_flight += 1

    def leave(self) -> None:
        """It has come to its end."""
        self._in_flight -= 1

    def succeed(self) -> None:
        """An answer came."""
        self.answered = True
        self._window += 1 / self._window

    def slow_down(self, sent_at: float, now: float, pause_s: float) -> None:
        """An attempt sent at `sent_at` was one too many."""
        self._resume_at = max(self._resume_at, now + pause_s)
        # What was sent before the last cut says nothing of the new limit.
        if sent_at > self._slowed_at:
            self._slowed_at = now
            self._window = max(1.0, min(self._window, self._in_flight) / 2)

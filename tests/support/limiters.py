"""The ways in which servers limit requests a minute. Times are seconds of a clock that never goes back."""

from __future__ import annotations

from collections import deque
from typing import Protocol


class Limiter(Protocol):
    """Lets in `per_minute` requests a minute, in the long run."""

    per_minute: float

    def refuse_s(self, now: float) -> float | None:
        """None for a request that is let in, else how long to wait for the next that may be."""

    def headers(self, now: float) -> dict[str, str]:
        """What OpenAI's headers would say."""


class TokenBucket:
    """Fills at an even rate up to `capacity`; starts full."""

    def __init__(self, per_minute: float, capacity: float) -> None:
        self.per_minute = per_minute
        self._capacity = self._tokens = capacity
        self._at: float | None = None

    def refuse_s(self, now: float) -> float | None:
        self._fill(now)
        if self._tokens >= 1:
            self._tokens -= 1
            return None
        return (1 - self._tokens) * 60 / self.per_minute

    def headers(self, now: float) -> dict[str, str]:
        self._fill(now)
        return _headers(self._capacity, self._tokens, (self._capacity - self._tokens) * 60 / self.per_minute)

    def _fill(self, now: float) -> None:
        passed_s = 0.0 if self._at is None else now - self._at
        self._tokens = min(self._capacity, self._tokens + passed_s * self.per_minute / 60)
        self._at = now


class FixedWindow:
    """Counts anew at the start of each window."""

    def __init__(self, per_minute: float, window_s: float = 60.0) -> None:
        self.per_minute = per_minute
        self._allowed = per_minute * window_s / 60
        self._window_s = window_s
        self._window, self._used = -1, 0

    def refuse_s(self, now: float) -> float | None:
        window = int(now // self._window_s)
        if window != self._window:
            self._window, self._used = window, 0
        if self._used < self._allowed:
            self._used += 1
            return None
        return self._end_s(now)

    def headers(self, now: float) -> dict[str, str]:
        return _headers(self._allowed, self._allowed - self._used, self._end_s(now))

    def _end_s(self, now: float) -> float:
        return (self._window + 1) * self._window_s - now


class SlidingWindow:
    """Counts what was let in within the last so many seconds."""

    def __init__(self, per_minute: float, window_s: float = 60.0) -> None:
        self.per_minute = per_minute
        self._allowed = per_minute * window_s / 60
        self._window_s = window_s
        self._let_in: deque[float] = deque()

    def refuse_s(self, now: float) -> float | None:
        while self._let_in and self._let_in[0] <= now - self._window_s:
            self._let_in.popleft()
        if len(self._let_in) < self._allowed:
            self._let_in.append(now)
            return None
        return self._let_in[0] + self._window_s - now

    def headers(self, now: float) -> dict[str, str]:
        free_in_s = self._let_in[0] + self._window_s - now if self._let_in else 0.0
        return _headers(self._allowed, self._allowed - len(self._let_in), free_in_s)


def _headers(limit: float, remaining: float, reset_s: float) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": f"{limit:.0f}",
        "x-ratelimit-remaining-requests": f"{int(remaining)}",
        "x-ratelimit-reset-requests": f"{max(0.0, reset_s):.3f}s",
    }

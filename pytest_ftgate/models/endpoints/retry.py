"""The one retry loop: a total deadline per request, and waits with full jitter. It knows no HTTP library.

An attempt says by the exception it raises what may be done about it. All that a request has to wait for here
counts against its own deadline, so it ends in time whatever the server does.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from random import Random

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models.endpoints.endpoint import Endpoint


class Again(Enum):
    """What may be done about an attempt that brought no answer."""

    NEVER = auto()
    #: Tried once more: a malformed body may be a hiccup of a proxy.
    ONCE = auto()
    YES = auto()
    #: Nothing listens there. The same as YES, but fatal when nothing was ever reached.
    UNREACHABLE = auto()


class NoAnswer(Exception):
    """One attempt without an answer.

    `error` is what the trial gets if nothing more is tried. `retry_after_s` is the server's wish, at least 0
    and possibly infinite; None without one. `pause` asks all requests of the endpoint to wait along.
    """

    def __init__(
        self, error: ModelError, again: Again, *, retry_after_s: float | None = None, pause: bool = False
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.retry_after_s = retry_after_s
        self.pause = pause


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently; `timeout_s` bounds all attempts and waits of one request together.

    "Too many requests" is no fault of the request: it is tried more often than after an error.
    """

    timeout_s: float = 120.0
    attempts: int = 6
    attempts_when_limited: int = 30
    attempts_to_reach: int = 3
    base_s: float = 0.5
    cap_s: float = 8.0

    def backoff_s(self, attempt: int, random: Random) -> float:
        """Seconds to wait after the n-th attempt: full jitter, uniform in 0…min(cap, base · 2^(n-1)).

        Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
        """
        return random.uniform(0, min(self.cap_s, self.base_s * 2 ** (attempt - 1)))


@dataclass(slots=True)
class _Tries:
    """The attempts of one request so far."""

    number: int = 0
    malformed: int = 0
    last: ModelError | None = None

    def count(self, missed: NoAnswer) -> None:
        self.number += 1
        self.malformed += missed.again is Again.ONCE
        self.last = missed.error


class RetryLoop:
    """Asks until there is an answer, no more hope, or no more time. Owned by a model; holds no connection."""

    def __init__(
        self, policy: RetryPolicy, *, host: str, random: Random, concurrency: int | None = None
    ) -> None:
        self.policy = policy
        self.endpoint = Endpoint(concurrency)
        self._host = host
        self._random = random

    async def run(self, attempt: Callable[[], Awaitable[Completion]]) -> Completion:
        """The answer. Raises `ModelError` at the latest when the deadline is reached."""
        tries = _Tries()
        self.endpoint.enter()
        try:
            async with asyncio.timeout(self.policy.timeout_s):
                return await self._try(attempt, tries, _now() + self.policy.timeout_s)
        except TimeoutError:
            raise self._timed_out(tries.last) from None
        finally:
            self.endpoint.leave()

    async def _try(
        self, attempt: Callable[[], Awaitable[Completion]], tries: _Tries, deadline: float
    ) -> Completion:
        while True:
            await self._wait(self.endpoint.pause_left_s(_now()), deadline, tries.last)
            sent_at = _now()
            try:
                answer = await attempt()
            except NoAnswer as missed:
                tries.count(missed)
                wait_s = self._wait_after(missed, tries, sent_at)
            else:
                self.endpoint.succeed()
                return answer
            await self._wait(wait_s, deadline, tries.last)

    def _wait_after(self, missed: NoAnswer, tries: _Tries, sent_at: float) -> float:
        """Seconds to wait before the next attempt; raises the attempt's error if there is none."""
        policy, number = self.policy, tries.number
        is_unreachable = missed.again is Again.UNREACHABLE and not self.endpoint.reached
        if is_unreachable and number >= policy.attempts_to_reach:
            raise FatalModelError(f"{missed.error} ({number} attempts)", kind=missed.error.kind) from None
        most = policy.attempts_when_limited if missed.pause else policy.attempts
        if missed.again is Again.NEVER or tries.malformed == 2 or number >= most:
            raise _after(missed.error, number) from None
        # Never earlier than the server wishes, and never in a rush: it may wish for 0 seconds each time.
        wait_s = max(missed.retry_after_s or 0.0, policy.backoff_s(number, self._random))
        if missed.pause:
            self.endpoint.slow_down(sent_at, _now(), wait_s)
        return wait_s

    async def _wait(self, wait_s: float, deadline: float, last: ModelError | None) -> None:
        left_s = deadline - _now()
        if wait_s > left_s:
            raise self._no_time(wait_s, left_s, last)
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def _no_time(self, wait_s: float, left_s: float, last: ModelError | None) -> ModelError:
        wish = (
            f"the next attempt may start in {wait_s:.0f} s"
            if math.isfinite(wait_s)
            else "it may never be asked again"
        )
        limit = f"only {left_s:.0f} s are left of timeout_s {self.policy.timeout_s:g}"
        if last is None:
            return ModelError(f"{self._host} asked all requests to wait: {wish}, {limit}", kind="rate_limit")
        return ModelError(f"{last}; {wish}, {limit}", kind=last.kind)

    def _timed_out(self, last: ModelError | None) -> ModelError:
        before = f"; before that: {last}" if last else ""
        message = f"no answer from {self._host} within timeout_s {self.policy.timeout_s:g}{before}"
        return ModelError(message, kind="timeout")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _after(error: ModelError, number: int) -> ModelError:
    return error if number == 1 else type(error)(f"{error} ({number} attempts)", kind=error.kind)


def parse_retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for, possibly infinite; None if it says nothing usable.

    Source: RFC 9110, 10.2.3: seconds or a date. A past date is 0; a negative number and NaN are ignored.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value, now or datetime.now(UTC))
    return seconds if seconds >= 0 else None


def _seconds_until(value: str, now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    # "-0000" means "no zone known" and gives a naive date; HTTP dates are GMT.
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())

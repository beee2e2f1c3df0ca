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
    """How often and how patiently; `timeout_s` bounds all attempts and waits of one request together."""

    timeout_s: float = 120.0
    attempts: int = 6
    attempts_to_reach: int = 3
    base_s: float = 0.5
    cap_s: float = 8.0

    def backoff_s(self, attempt: int, random: Random) -> float:
        """Seconds to wait after the n-th attempt: full jitter, uniform in 0…min(cap, base · 2^(n-1)).

        Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
        """
        return random.uniform(0, min(self.cap_s, self.base_s * 2 ** (attempt - 1)))


class Endpoint:
    """What the requests to one endpoint know of each other; used in one loop, by one model.

    `reached`: something answered over HTTP. `answered`: a request succeeded. A server's "too many requests"
    makes all of them wait.
    """

    def __init__(self) -> None:
        self.reached = False
        self.answered = False
        self._resume_at = 0.0

    def pause(self, now: float, seconds: float) -> None:
        """No request is sent for so many seconds."""
        self._resume_at = max(self._resume_at, now + seconds)

    def pause_left_s(self, now: float) -> float:
        """Seconds until requests may be sent again, 0 if they may."""
        return max(0.0, self._resume_at - now)


class RetryLoop:
    """Asks until there is an answer, no more hope, or no more time. Owned by a model; holds no connection."""

    def __init__(self, policy: RetryPolicy, *, host: str, random: Random) -> None:
        self.policy = policy
        self.endpoint = Endpoint()
        self._host = host
        self._random = random

    async def run(self, attempt: Callable[[], Awaitable[Completion]]) -> Completion:
        """The answer. Raises `ModelError` at the latest when the deadline is reached."""
        timeout_s = self.policy.timeout_s
        last: ModelError | None = None
        malformed = 0
        try:
            async with asyncio.timeout(timeout_s):
                deadline = asyncio.get_running_loop().time() + timeout_s
                for number in range(1, self.policy.attempts + 1):
                    await self._wait(self.endpoint.pause_left_s(_now()), deadline, last)
                    try:
                        answer = await attempt()
                    except NoAnswer as missed:
                        last = missed.error
                        malformed += missed.again is Again.ONCE
                        wait_s = self._wait_after(missed, number, malformed)
                    else:
                        self.endpoint.answered = True
                        return answer
                    await self._wait(wait_s, deadline, last)
        except TimeoutError:
            raise self._timed_out(last) from None
        raise AssertionError("the last attempt returns or raises")  # pragma: no cover

    def _wait_after(self, missed: NoAnswer, number: int, malformed: int) -> float:
        """Seconds to wait before the next attempt; raises the attempt's error if there is none."""
        endpoint, policy = self.endpoint, self.policy
        if missed.again is Again.UNREACHABLE and not endpoint.reached and number >= policy.attempts_to_reach:
            raise FatalModelError(f"{missed.error} ({number} attempts)", kind=missed.error.kind) from None
        if missed.again is Again.NEVER or malformed == 2 or number >= policy.attempts:
            raise _after(missed.error, number) from None
        wait_s = (
            policy.backoff_s(number, self._random) if missed.retry_after_s is None else missed.retry_after_s
        )
        if missed.pause:
            endpoint.pause(_now(), wait_s)
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

"""The one retry loop: a total deadline per request, a budget per endpoint, and waits with full jitter.

An attempt says by the exception it raises what may be done about it. What a request spends on the wire and
in waits of its own counts against its deadline; what the endpoint makes all requests wait for counts against
the endpoint's budget. So all ends in time, whatever the server does. It knows no HTTP library.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models.endpoints.delays import Delays
from pytest_ftgate.models.endpoints.door import Closed
from pytest_ftgate.models.endpoints.endpoint import Endpoint, Sent
from pytest_ftgate.models.endpoints.quota import parse_quotas


class Again(Enum):
    """What may be done about an attempt that brought no answer."""

    NEVER = auto()
    #: Tried once more: a malformed body may be a hiccup of a proxy.
    ONCE = auto()
    YES = auto()


class Sign(Enum):
    """What an attempt without an answer says of the endpoint as a whole."""

    #: It is up, and the trouble is the request's.
    UP = auto()
    #: It takes no more requests at the moment.
    BUSY = auto()
    #: It may be down.
    DOWN = auto()
    #: Nothing listens there: fatal when nothing was ever reached.
    UNREACHABLE = auto()


class NoAnswer(Exception):
    """One attempt without an answer.

    `error` is what the trial gets if nothing more is tried. `retry_after_s` is the server's wish, at least 0
    and possibly infinite; None without one. It is for all requests, unless the sign is UP.
    """

    def __init__(
        self,
        error: ModelError,
        again: Again,
        *,
        sign: Sign = Sign.UP,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.sign = sign
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently.

    `timeout_s` bounds what one request spends on the wire and in its own waits, all attempts together;
    `retry_budget_s` how long an endpoint may keep all of them waiting. What is the endpoint's doing is tried
    more often than what may be the request's.
    """

    timeout_s: float = 120.0
    retry_budget_s: float = 900.0
    attempts: int = 6
    attempts_when_held: int = 100
    attempts_to_reach: int = 3
    base_s: float = 0.5
    cap_s: float = 8.0
    hold_cap_s: float = 60.0

    def backoff_s(self, attempt: int, random: Random) -> float:
        """Seconds to wait after the n-th attempt: full jitter, uniform in 0…min(cap, base · 2^(n-1)).

        Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
        """
        return random.uniform(0, min(self.cap_s, self.base_s * 2 ** (attempt - 1)))

    def hold_s(self, probe: int, random: Random) -> float:
        """Seconds to wait before the n-th probe of an endpoint that lets nothing in.

        At least half of the longest wait: nobody else asks meanwhile, so there is no crowd to spread, and the
        number of attempts allowed outlasts the budget.
        """
        longest = min(self.hold_cap_s, self.base_s * 1.35 ** min(probe - 1, 100))
        return random.uniform(longest / 2, longest)


@dataclass(slots=True)
class _Tries:
    """One request: its attempts so far, and the time that it has left."""

    request: int
    left_s: float
    own: int = 0
    held: int = 0
    malformed: int = 0
    last: ModelError | None = None

    @property
    def number(self) -> int:
        return self.own + self.held


class RetryLoop:
    """Asks until there is an answer, no more hope, or no more time. Owned by a model; holds no connection."""

    def __init__(
        self, policy: RetryPolicy, *, host: str, random: Random, concurrency: int | None = None
    ) -> None:
        self.policy = policy
        self.endpoint = Endpoint(
            concurrency, budget_s=policy.retry_budget_s, hold_s=lambda probe: policy.hold_s(probe, random)
        )
        self.delays = Delays(host, self.endpoint)
        self._host = host
        self._random = random
        self._numbers = itertools.count()
        # Who may be sent next: first come, first served.
        self._line = asyncio.Lock()
        self._changed = asyncio.Event()

    async def run(self, attempt: Callable[[], Awaitable[Completion]]) -> Completion:
        """The answer. Raises `ModelError`, and `FatalModelError` for all when the budget is used up."""
        tries = _Tries(next(self._numbers), self.policy.timeout_s)
        while True:
            sent = await self._admitted(tries)
            try:
                return await self._attempt(attempt, sent, tries)
            except NoAnswer as missed:
                wait_s = self._wait_after(missed, sent, tries)
            await self._wait(wait_s, tries)

    def heed(self, headers: Mapping[str, str]) -> None:
        """A reply's headers, names in lower case, may say what is left of a quota."""
        if quotas := parse_quotas(headers):
            self.endpoint.heed(quotas, _now())

    async def _admitted(self, tries: _Tries) -> Sent:
        """Waits until the endpoint takes an attempt."""
        endpoint = self.endpoint
        async with self._line:
            while True:
                wait_s = endpoint.wait_s(_now())
                if endpoint.door.is_over(_now()):
                    raise self._given_up()
                if wait_s <= 0:
                    return endpoint.send(tries.request, _now())
                if endpoint.door.is_closed:
                    wait_s = min(wait_s, endpoint.door.left_s(_now()))
                self.delays.is_paced = not endpoint.door.is_closed and math.isfinite(wait_s)
                try:
                    await self._changed_within(wait_s)
                finally:
                    self.delays.is_paced = False

    async def _changed_within(self, wait_s: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(wait_s if math.isfinite(wait_s) else None):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _attempt(
        self, attempt: Callable[[], Awaitable[Completion]], sent: Sent, tries: _Tries
    ) -> Completion:
        is_charged = not self._is_held(sent)
        limit_s = tries.left_s if is_charged else min(self.policy.timeout_s, self.endpoint.probe_s)
        try:
            async with asyncio.timeout(limit_s):
                answer = await attempt()
            self.endpoint.succeed(sent, _now(), answer.usage)
            return answer
        except NoAnswer as missed:
            self._tell(missed, sent)
            raise
        except TimeoutError:
            error = self._timed_out(tries.last)
            self.endpoint.fail(sent, _now(), error, connected=True, wish_s=None)
            raise (error if is_charged else NoAnswer(error, Again.YES, sign=Sign.DOWN)) from None
        finally:
            if is_charged:
                tries.left_s -= _now() - sent.at
            self.endpoint.end(sent)
            self._changed.set()

    def _is_held(self, sent: Sent) -> bool:
        """Whether this attempt only finds out if an endpoint that was down is back."""
        return sent.is_probe and self.endpoint.door.closed in (Closed.DOWN, Closed.ASKED)

    def _tell(self, missed: NoAnswer, sent: Sent) -> None:
        """Has the endpoint know what an attempt showed."""
        endpoint, error, wish_s = self.endpoint, missed.error, missed.retry_after_s
        if missed.sign is Sign.UP:
            endpoint.take(sent, _now())
        elif missed.sign is Sign.BUSY:
            endpoint.slow_down(sent, _now(), error, wish_s)
        else:
            connected = missed.sign is Sign.DOWN
            endpoint.fail(sent, _now(), error, connected=connected, wish_s=wish_s)

    def _wait_after(self, missed: NoAnswer, sent: Sent, tries: _Tries) -> float:
        """Seconds of its own that a request waits before it may try again; raises if it may not."""
        policy, is_held = self.policy, missed.sign is Sign.BUSY or self._is_held(sent)
        tries.own += not is_held
        tries.held += is_held
        tries.malformed += missed.again is Again.ONCE
        tries.last = missed.error
        is_unreachable = missed.sign is Sign.UNREACHABLE and not self.endpoint.reached
        if is_unreachable and tries.own >= policy.attempts_to_reach:
            raise FatalModelError(
                f"{missed.error} ({tries.number} attempts)", kind=missed.error.kind
            ) from None
        is_enough = tries.own >= policy.attempts or tries.held >= policy.attempts_when_held
        if missed.again is Again.NEVER or tries.malformed == 2 or is_enough:
            raise _after(missed.error, tries.number) from None
        if self.endpoint.door.is_closed:
            return 0.0
        # Never earlier than the server wishes, and never in a rush: it may wish for 0 seconds each time.
        return max(missed.retry_after_s or 0.0, policy.backoff_s(max(1, tries.own), self._random))

    async def _wait(self, wait_s: float, tries: _Tries) -> None:
        if wait_s > tries.left_s:
            wish = f"the next attempt may start in {_seconds(wait_s)}"
            limit = f"only {tries.left_s:.0f} s are left of timeout_s {self.policy.timeout_s:g}"
            error = tries.last
            raise ModelError(f"{error}; {wish}, {limit}", kind=error.kind if error else "timeout") from None
        if wait_s > 0:
            await asyncio.sleep(wait_s)
            tries.left_s -= wait_s

    def _given_up(self) -> FatalModelError:
        """The one message for all that wait: no request can succeed in time."""
        door, now = self.endpoint.door, _now()
        budget = f"retry_budget_s {self.policy.retry_budget_s:g}"
        left_s, opens_in_s = door.left_s(now), door.opens_in_s(now)
        said = f"{self._host} has let nothing through for so long that {budget} is used up"
        if opens_in_s > left_s:
            limit = f"only {left_s:.0f} s are left of {budget}"
            said = f"the next request may start in {_seconds(opens_in_s)}, {limit}"
        if self.endpoint.answered:
            said += ". Answers received are kept: the same command goes on from there"
        kind = "rate_limit" if door.closed is Closed.BUSY else "outage"
        return FatalModelError(f"{door.why}; {said}", kind=kind)

    def _timed_out(self, last: ModelError | None) -> ModelError:
        before = f"; before that: {last}" if last else ""
        limit = f"timeout_s {self.policy.timeout_s:g}"
        message = f"no answer from {self._host} within {limit}{before}"
        return ModelError(message, kind="timeout")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _seconds(wait_s: float) -> str:
    return f"{wait_s:.0f} s" if math.isfinite(wait_s) else "a time that never comes"


def _after(error: ModelError, number: int) -> ModelError:
    return error if number == 1 else type(error)(f"{error} ({number} attempts)", kind=error.kind)

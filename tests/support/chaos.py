"""An endpoint that does everything wrong, on a virtual clock.

The model is the real one, from `OpenAIEndpoint` down; only the connection is a script: answers, refusals with
odd headers, errors, drops, hangs, dribble, outages, bodies that are no answers, in phases drawn from a seed.
When the model gives up for all, the rest is asked again by a new one, as the same command does.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, NoReturn

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models.endpoints.door import BACK_PER_ANSWER_S
from pytest_ftgate.models.endpoints.exchange import Reply, TooLargeError, UnreachableError, WireError
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from tests.support.scripted_endpoint import ScriptedEndpoint, answer_reply, ask_all, reply
from tests.support.virtual_clock import run_virtually

ODD_WAITS = ("0", "-5", "NaN", "soon", "0.2", "3", "20", "90", "Thu, 01 Jan 1970 00:00:00 GMT")
ENDLESS_WAITS = ("1e999", "Fri, 01 Jan 2100 00:00:00 GMT", "3600")
NOT_ANSWERS = (
    b"",
    b"null",
    b"[1, 2]",
    b"<html>",
    b'{"choices": []}',
    b'{"choices": nul',
    b"\xff\xfe",
    b"[" * 5000,
)
SHOULD = ("true", "false")
#: Statuses, bodies and values of Retry-After.
REFUSALS: Mapping[str, tuple[tuple[int, ...], tuple[bytes, ...], tuple[str, ...]]] = {
    "429": ((429,), (b"slow down",), ODD_WAITS),
    "503": ((503,), (b"later",), ODD_WAITS),
    "endless": ((429, 503), (b"never",), ENDLESS_WAITS),
    "500": ((500, 502, 529), (b"oops",), ()),
    "conflict": ((408, 409, 425), (b"conflict",), ODD_WAITS),
    "bad request": ((400, 413, 422), (b"no",), ODD_WAITS),
    "filtered": ((400,), (b'{"error": {"code": "content_filter"}}',), ()),
    "malformed": ((200,), NOT_ANSWERS, ()),
}
#: What an endpoint does in a phase, and how often; the rest are answers.
PHASES: Mapping[str, Mapping[str, float]] = {
    "well": {},
    "some errors": {"500": 0.05, "drop": 0.03, "malformed": 0.02, "conflict": 0.02, "bad request": 0.02},
    "busy": {"429": 0.3},
    "refusing": {"429": 1.0},
    "failing": {"500": 0.6, "drop": 0.2},
    "overloaded": {"503": 0.5, "429": 0.3},
    "odd": {"malformed": 0.3, "odd headers": 0.3, "filtered": 0.1, "too large": 0.05},
    "hanging": {"hang": 1.0},
    "slow": {"hang": 0.1, "dribble": 0.3},
    "down": {"unreachable": 1.0},
    "half down": {"unreachable": 0.5, "500": 0.3},
    "asking for ever": {"endless": 0.02},
}
WEIGHTS = (30, 15, 8, 4, 4, 5, 5, 1, 4, 4, 3, 1)


class Script:
    """Stands for the connection. Notes what is sent, and what must not be."""

    def __init__(self, random: Random, concurrency: int) -> None:
        self._random = random
        self.concurrency = concurrency
        self._phase, self._until = "well", 60.0
        self.model: ScriptedEndpoint
        self.attempts: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.on_wire = self.most_on_wire = 0
        #: By closing of the door: a long one counts as let in, and may still run at the next closing.
        self.probes: Counter[int] = Counter()
        self.wire_s: dict[str, float] = {}
        self.violations: list[str] = []

    async def post(self, name: str) -> Reply:
        """Plays one attempt."""
        started = _now()
        door = self.model.door
        is_probe, closing = door.is_closed, door.closings
        self.attempts[name] += 1
        self.on_wire += 1
        self.probes[closing] += is_probe
        self.most_on_wire = max(self.most_on_wire, self.on_wire)
        if is_probe and self.probes[closing] > 1:
            self.violations.append(f"{name} was sent through a closed door beside another probe")
        if self.on_wire > self.concurrency:
            self.violations.append(f"{self.on_wire} on the wire")
        try:
            return await self._play(name)
        finally:
            self.on_wire -= 1
            self.probes[closing] -= is_probe
            if not is_probe:
                self.wire_s[name] = self.wire_s.get(name, 0.0) + _now() - started

    async def _play(self, name: str) -> Reply:
        fault = self._fault()
        self.done[fault] += 1
        await asyncio.sleep(
            self._random.uniform(0.05, 3.0) if fault == "answer" else self._random.uniform(0.01, 0.2)
        )
        special = {
            "unreachable": _unreachable,
            "drop": _dropped,
            "too large": _too_large,
        }
        if fault in special:
            special[fault]()
        if fault in ("hang", "dribble"):
            await asyncio.sleep(math.inf if fault == "hang" else self._random.uniform(10, 300))
        return self._reply(fault, name)

    def _reply(self, fault: str, name: str) -> Reply:
        if fault not in REFUSALS:
            return answer_reply(f"answer {name}", self._odd_headers() if fault == "odd headers" else None)
        random = self._random
        statuses, bodies, waits = REFUSALS[fault]
        asks = {"retry-after": random.choice(waits)} if waits and random.random() < 0.7 else {}
        return reply(
            random.choice(bodies), random.choice(statuses), {"x-should-retry": random.choice(SHOULD), **asks}
        )

    def _odd_headers(self) -> dict[str, str]:
        form = self._random.choice(("x-ratelimit-{}-requests", "x-ratelimit-{}-tokens", "ratelimit-{}"))
        return {
            form.format("remaining"): self._random.choice(("0", "1", "100", "-1", "NaN", "1e999", "x")),
            form.format("reset"): self._random.choice(("0", "2s", "1m0s", "17ms", "-3", "1e999", "tomorrow")),
        }

    def _fault(self) -> str:
        now = _now()
        while now >= self._until:
            self._phase = self._random.choices(tuple(PHASES), WEIGHTS)[0]
            # Most pass soon; an outage may be longer than the budget.
            self._until += self._random.choice((5.0, 30.0, 120.0)) * self._random.uniform(0.5, 1.5)
            if self._phase == "down" and self._random.random() < 0.3:
                self._until += self._random.uniform(0, 1200)
        draw = self._random.random()
        for fault, share in PHASES[self._phase].items():
            draw -= share
            if draw < 0:
                return fault
        return "answer"


@dataclass
class Tally:
    """What became of all requests."""

    answers: int = 0
    filtered: int = 0
    gave_up: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)


def run(seed: int = 1, *, requests: int, concurrency: int = 64) -> tuple[dict[str, Any], list[str]]:
    """Figures, and what went against the invariants; equal seeds give equal runs."""
    started = time.perf_counter()
    script, tally = Script(Random(seed), concurrency), Tally()
    (_, wall_s) = run_virtually(_ask_all(script, tally, requests, seed))
    policy, sent = RetryPolicy(), script.attempts.total()
    violations = [*script.violations[:5], *_violations(script, tally, requests, wall_s, concurrency)]
    figures = {
        "seed": seed,
        "requests": requests,
        "answers": tally.answers,
        "filtered": tally.filtered,
        "errors": dict(tally.errors),
        "gave_up": tally.gave_up,
        "sent": sent,
        "most_attempts": max(script.attempts.values()),
        "attempts_allowed": (policy.attempts + policy.attempts_when_held) * (1 + tally.gave_up),
        "most_on_wire": script.most_on_wire,
        "virtual_s": round(wall_s),
        "real_s": round(time.perf_counter() - started, 1),
        "faults": dict(script.done),
    }
    return figures, violations


async def _ask_all(script: Script, tally: Tally, requests: int, seed: int) -> None:
    """Until every request has an answer or an error of its own."""
    left = deque(str(number) for number in range(requests))
    concurrency = script.concurrency
    while left:
        model = script.model = ScriptedEndpoint(
            script.post, seed=seed + tally.gave_up, concurrency=concurrency
        )
        again = await ask_all(model, left, in_flight=concurrency, seen=partial(_count, tally, script))
        if again:
            tally.gave_up += 1
            left.extendleft(again)
            # Somebody looks, and starts the same command again.
            await asyncio.sleep(600)


def _count(tally: Tally, script: Script, name: str, outcome: object) -> None:
    if isinstance(outcome, FatalModelError):
        return
    tally.ended[name] += 1
    if isinstance(outcome, ModelError):
        tally.errors[outcome.kind] += 1
    elif isinstance(outcome, Completion) and outcome.finish_reason == "content_filter":
        tally.filtered += 1
    else:
        tally.answers += 1
        if not isinstance(outcome, Completion) or outcome.text != f"answer {name}":
            script.violations.append(f"{name} was given {outcome!r}")


def _violations(script: Script, tally: Tally, requests: int, wall_s: float, concurrency: int) -> list[str]:
    policy, runs = RetryPolicy(), 1 + tally.gave_up
    most_attempts = (policy.attempts + policy.attempts_when_held) * runs
    waiting_s = runs * (policy.retry_budget_s + 600) + BACK_PER_ANSWER_S * tally.answers
    bound_s = policy.timeout_s * math.ceil(requests / concurrency) * runs + waiting_s
    checks = {
        "a request ended not exactly once": len(tally.ended) == requests == tally.ended.total(),
        "a request was tried too often": max(script.attempts.values()) <= most_attempts,
        "a request was on the wire for longer than timeout_s": all(
            seconds <= policy.timeout_s * runs + 1e-6 for seconds in script.wire_s.values()
        ),
        "the whole took longer than its bound": wall_s <= bound_s,
        "something is still on the wire": script.on_wire == 0,
        "no request was answered": tally.answers > 0,
    }
    return [what for what, holds in checks.items() if not holds]


def _unreachable() -> NoReturn:
    raise UnreachableError("Connection refused")


def _dropped() -> NoReturn:
    raise WireError("Server disconnected")


def _too_large() -> NoReturn:
    raise TooLargeError("the answer is longer than 8,000,000 bytes")


def _now() -> float:
    return asyncio.get_running_loop().time()

"""Servers that allow R requests a minute, and one that goes away.

Real sockets, the real engine. All servers are asked at the same time, each by an engine of its own.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from benchmarks.endurance.result import Result
from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models.endpoints.openai_endpoint import OpenAIEndpoint
from pytest_ftgate.models.endpoints.settings import EndpointSettings
from pytest_ftgate.models.engine import CompletionEngine
from tests.support.limiters import FixedWindow, Limiter, SlidingWindow, TokenBucket
from tests.support.local_server import AppServer
from tests.support.requests import requests
from tests.support.server import Reply

PER_MINUTE = 1500.0
#: Without headers nobody knows of a limit before it is overrun by all that is then on its way.
IN_FLIGHT = 16
LATENCY_S = 0.1
LEAST_SHARE, MOST_REFUSED = 0.9, 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A server: how it limits, and what it tells (headers, retry-after, nothing)."""

    name: str
    limiter: Callable[[float], Limiter]
    tells: str


#: Reserves are a second's worth: what a server gives at once, at first, would count as throughput here.
VARIANTS = (
    Variant(name="token bucket, headers", limiter=lambda r: TokenBucket(r, r / 60), tells="headers"),
    Variant(name="token bucket, Retry-After", limiter=lambda r: TokenBucket(r, r / 60), tells="retry-after"),
    Variant(name="token bucket, 429 alone", limiter=lambda r: TokenBucket(r, r / 60), tells="nothing"),
    Variant(name="fixed window, headers", limiter=lambda r: FixedWindow(r, 10), tells="headers"),
    Variant(name="fixed window, Retry-After", limiter=lambda r: FixedWindow(r, 10), tells="retry-after"),
    Variant(name="sliding window, 429 alone", limiter=lambda r: SlidingWindow(r, 10), tells="nothing"),
)


class LimitedServer(AppServer):
    """Answers with the question, as often as its limiter allows; `close` and `open` are for an outage."""

    def __init__(self, limiter: Limiter | None, tells: str = "nothing") -> None:
        super().__init__()
        self.statuses: Counter[int] = Counter()
        self._limiter = limiter
        self._tells = tells

    def close(self) -> None:
        """Connections are cut, and nobody listens any more."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()

    def open(self) -> None:
        """It listens at the same port again."""
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    def _routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/chat/completions", self._handle)

    async def _handle(self, request: web.Request) -> web.Response:
        asked = await request.json()
        now = time.monotonic()
        wait_s = self._limiter.refuse_s(now) if self._limiter else None
        headers = self._limiter.headers(now) if self._limiter and self._tells == "headers" else {}
        self.statuses[200 if wait_s is None else 429] += 1
        if wait_s is not None:
            if self._tells == "retry-after":
                headers = {"Retry-After": f"{math.ceil(wait_s)}"}
            return web.Response(status=429, body=b"slow down", headers=headers)
        await asyncio.sleep(LATENCY_S)
        body = Reply(text=asked["messages"][-1]["content"]).content("/chat/completions", asked)
        return web.Response(body=body, content_type="application/json", headers=headers)


def ask(url: str, count: int) -> tuple[int, float, str | None]:
    """Own answers among so many requests, the seconds that it took, and the first error."""
    settings = EndpointSettings(name="m", model="m", base_url=url)
    asked, own, first_error = requests(count), 0, None
    started = time.monotonic()
    with CompletionEngine({Arm.MODEL: OpenAIEndpoint(settings)}, concurrency=IN_FLIGHT) as engine:
        engine.prefetch([[one] for one in asked])
        for one in asked:
            try:
                answer: Completion = engine.result(one, timeout=600)
            except (ModelError, TimeoutError) as error:
                first_error = first_error or str(error)
            else:
                own += answer.text == one.case.id
    return own, time.monotonic() - started, first_error


def limited(variant: Variant, seconds: float) -> dict[str, Any]:
    """One server for about so long."""
    count = round(PER_MINUTE * seconds / 60)
    with LimitedServer(variant.limiter(PER_MINUTE), variant.tells) as server:
        own, wall_s, error = ask(server.url, count)
        refused, sent = server.statuses[429], server.statuses.total()
    return {
        "server": variant.name,
        "requests": count,
        "lost": count - own,
        "throughput": round(count / wall_s * 60 / PER_MINUTE, 3),
        "refused": round(refused / sent, 4),
        "wall_s": round(wall_s, 1),
        "error": error,
    }


def outage(seconds: float) -> dict[str, Any]:
    """A server that nobody reaches for so long, half-way."""
    count = 400
    with LimitedServer(TokenBucket(PER_MINUTE, PER_MINUTE / 60)) as server, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask, server.url, count)
        while server.statuses[200] < count // 2 and not asking.done():
            time.sleep(0.05)
        server.close()
        with suppress(TimeoutError):
            asking.result(seconds)
        server.open()
        own, wall_s, error = asking.result()
    name = f"outage of {seconds:g} s"
    return {
        "server": name,
        "requests": count,
        "lost": count - own,
        "wall_s": round(wall_s, 1),
        "error": error,
    }


def run(*, quick: bool, seed: int) -> Result:  # noqa: ARG001 - real time has no seed
    """Throughput and refusals by server, and what an outage cost."""
    seconds, variants = (20.0, VARIANTS[1:4:2]) if quick else (90.0, VARIANTS)
    with ThreadPoolExecutor(len(variants) + 1) as pool:
        waiting = [pool.submit(outage, 10.0 if quick else 60.0)]
        waiting += [pool.submit(limited, variant, seconds) for variant in variants]
        rows = [one.result() for one in waiting]
    figures: dict[str, int | float | str] = {}
    missed = []
    for row in rows:
        server = row["server"]
        figures[f"{server}: answers lost"] = row["lost"]
        if row["lost"]:
            missed.append(f"{server}: {row['lost']} answers lost ({row['error']})")
        if "throughput" in row:
            figures[f"{server}: throughput, of what is allowed"] = row["throughput"]
            figures[f"{server}: share of requests refused"] = f"{row['refused']:.1%}"
            if row["throughput"] < LEAST_SHARE:
                missed.append(f"{server}: throughput {row['throughput']:.1%} of what is allowed")
            if row["refused"] >= MOST_REFUSED:
                missed.append(f"{server}: {row['refused']:.1%} of requests were refused")
    return Result(name="rate", figures=figures, missed=missed)

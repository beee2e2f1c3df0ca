"""How late the client is: what is sampled, and that a late one never passes for an honest measurement."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest_ftgate.models.endpoints.wire  # noqa: F401 - else a busy processor would have to load the client, too
from pytest_ftgate.cases import Arm
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from pytest_ftgate.models.engine import CompletionEngine
from pytest_ftgate.models.lag import LagMeter
from tests.models.asking import chat
from tests.support.requests import requests
from tests.support.server import ChatServer, Reply

PATIENT = RetryPolicy(timeout_s=60.0)


def sampled(work: Callable[[], None], *, is_busy: Callable[[], bool] = lambda: True) -> float | None:
    """The lag of a loop that does this between its turns, for half a second."""
    meter = LagMeter()

    async def live() -> None:
        sampling = asyncio.create_task(meter.run(is_busy))
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            work()
            await asyncio.sleep(0.001)
        sampling.cancel()

    asyncio.run(live())
    return meter.p95_s


def test_without_samples_nothing_is_known() -> None:
    assert LagMeter().p95_s is None
    assert sampled(lambda: None, is_busy=lambda: False) is None


def test_a_loop_that_is_blocked_is_late() -> None:
    lag_s = sampled(lambda: time.sleep(0.1))

    assert lag_s is not None
    assert lag_s > 0.05


def test_a_loop_that_stands_still_once_is_late_for_all_samples_that_were_due() -> None:
    meter = LagMeter(interval_s=0.005)

    async def block_once() -> None:
        sampling = asyncio.create_task(meter.run(lambda: True))
        await asyncio.sleep(0)
        time.sleep(0.1)
        await asyncio.sleep(0.2)
        sampling.cancel()

    asyncio.run(block_once())

    # About 20 samples were due while it stood still, and 40 after: one late one of 41 would be above the p95.
    assert meter.p95_s is not None
    assert meter.p95_s > 0.05


@contextmanager
def busy_processor() -> Iterator[None]:
    """Another thread of this process that computes all the time, as a scorer may."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(20_000))

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def measure_three_times_slower() -> tuple[float, float, float]:
    """How much slower the model reads, in shares of what the server took; the smaller median; the lag.

    The model takes three times as long, as far as a busy machine lets the server be on time.
    """
    nominal_s = {"slow": 0.6, "fast": 0.2}
    asked = {arm: requests(8, arm=arm) for arm in Arm}

    with ChatServer(lambda body: Reply(text="x", latency_s=nominal_s[body["model"]])) as server:
        models = {
            Arm.MODEL: chat(server.url, model="slow", retry=PATIENT),
            Arm.BASELINE: chat(server.url, model="fast", retry=PATIENT),
        }
        with CompletionEngine(models, concurrency=8) as engine:
            engine.prefetch([list(pair) for pair in zip(*asked.values(), strict=True)])
            latencies = {arm: [engine.result(one).latency_s or 0.0 for one in asked[arm]] for arm in Arm}
            lag_s = engine.lag_p95_s
    medians = {arm: statistics.median(seconds) for arm, seconds in latencies.items()}
    assert lag_s is not None
    took_s = {name: statistics.median(s for model, s in server.took_s if model == name) for name in nominal_s}
    served = took_s["slow"] / took_s["fast"]
    return medians[Arm.MODEL] / medians[Arm.BASELINE] / served, min(medians.values()), lag_s


def test_a_busy_client_never_hides_that_an_arm_is_three_times_slower_without_a_word() -> None:
    with busy_processor():
        share, median_s, lag_s = measure_three_times_slower()

    assert share >= 0.9 or lag_s > 0.05 * median_s


def test_an_idle_client_reads_three_times_slower_as_such() -> None:
    share, median_s, lag_s = measure_three_times_slower()

    # On a machine that is busy with something else the client says so itself.
    assert 0.9 <= share <= 1.1 or lag_s > 0.05 * median_s

"""100,000 requests, 500 in flight, each answered with its own question: none mixed up, nothing left behind.

They come in rounds, each with an engine of its own, as each run of pytest has one: an engine keeps all
answers of its run on purpose, so that only what outlives it is a leak. Every other round keeps its answers in
a store. Then 500 answers dribble at once, and each has to be given up when its time is over (the
first one goes ahead alone, as long as nobody knows whether the endpoint answers at all).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.endurance.result import Result
from benchmarks.endurance.runs import ROOT, environment
from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models import Model, Request
from pytest_ftgate.models.answer_store.session import Session
from pytest_ftgate.models.answer_store.store import AnswerStore
from pytest_ftgate.models.engine import CompletionEngine
from tests.models.asking import QUICK, chat
from tests.support.requests import request

IN_FLIGHT = 500
ROUNDS, EACH, QUICK_EACH = 20, 5000, 250
LATENCY_S = 0.05
DEADLINE_S = 4.0
#: Aims: what may be left of descriptors, threads and tasks, and of memory in MiB.
_FEW, _DRIFT_MIB = 2, 20.0


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds at one moment."""

    descriptors: int
    threads: int
    tasks: int
    mib: float


class Server:
    """A server in a process of its own; `counts` is there once it has ended."""

    def __init__(self, *args: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.endurance.echo_server", *args],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self.counts: dict[str, int] = {}

    def end(self) -> None:
        said, _ = self._process.communicate("", timeout=30)
        self.counts = json.loads(said)


@contextmanager
def serving(*args: str) -> Iterator[Server]:
    server = Server(*args)
    try:
        yield server
    finally:
        server.end()


def run(quick: bool, seed: int) -> Result:
    each, missed = QUICK_EACH if quick else EACH, list[str]()
    random, began = Random(seed), time.perf_counter()
    held, wrong = [_held()], 0
    with (
        serving("--latency", str(LATENCY_S), "--seed", str(seed)) as server,
        tempfile.TemporaryDirectory() as top,
    ):
        for number in range(ROUNDS):
            store = Path(top) / "answers.sqlite" if number % 2 else None
            wrong += _round(server.url, _asked(random, number, each), store, number)
            held.append(_held())
    took_s = time.perf_counter() - began
    early, late = held[ROUNDS // 5], held[-1]
    longest_s, dribbled_s, others = _dribble()
    if wrong:
        missed.append(f"{wrong} answers are not those to their questions")
    if server.counts["requests"] != ROUNDS * each:
        missed.append(f"{server.counts['requests']:,} requests came in, not {ROUNDS * each:,}")
    if not quick and server.counts["most_at_once"] < IN_FLIGHT:
        missed.append(f"only {server.counts['most_at_once']} requests were in flight at once")
    for what in ("descriptors", "threads", "tasks"):
        before, after = getattr(early, what), getattr(late, what)
        if abs(after - before) > _FEW:
            missed.append(f"{what}: {before} after a fifth, {after} at the end")
    if late.mib - early.mib >= _DRIFT_MIB:
        missed.append(f"memory grew by {late.mib - early.mib:.0f} MiB")
    if longest_s > DEADLINE_S + 1 or others:
        missed.append(f"a dribbling answer was waited for {longest_s:.1f} s; {others} ended not as timeouts")
    figures: dict[str, int | float | str] = {
        "requests": ROUNDS * each,
        "requests a second": ROUNDS * each / took_s,
        "most in flight, as the server saw it": server.counts["most_at_once"],
        "answers mixed up": wrong,
        "descriptors before, after a fifth, at the end": _three(held, "descriptors"),
        "threads before, after a fifth, at the end": _three(held, "threads"),
        "tasks before, after a fifth, at the end": _three(held, "tasks"),
        "memory in MiB after a fifth": early.mib,
        "memory drift in MiB from then on": late.mib - early.mib,
        f"seconds until {IN_FLIGHT} dribbling answers were given up": dribbled_s,
        "longest of them in seconds": longest_s,
        "their deadline in seconds": DEADLINE_S,
    }
    return Result(name="load", figures=figures, missed=missed)


def _three(held: list[Held], what: str) -> str:
    return ", ".join(str(getattr(one, what)) for one in (held[0], held[ROUNDS // 5], held[-1]))


def _asked(random: Random, number: int, count: int) -> list[Request]:
    return [
        request(f"{number}.{one}: {random.getrandbits(128):032x}", id=f"c{number}.{one}")
        for one in range(count)
    ]


def _round(url: str, asked: list[Request], path: Path | None, number: int) -> int:
    """How many answers are not their questions."""
    store = AnswerStore(path, Session(id=f"round{number}"), owner="main") if path else None
    models = {Arm.MODEL: chat(url, retry=replace(QUICK, timeout_s=60.0))}
    wrong = 0
    with CompletionEngine(models, concurrency=IN_FLIGHT, store=store) as engine:
        engine.prefetch([[one] for one in asked])
        for one in asked:
            wrong += engine.result(one).text != one.prompt
    if store is not None:
        store.close()
    return wrong


class Timed:
    """A model that notes how long each request was with it, waits for its turn before that aside."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.took_s: list[float] = []

    def __getattr__(self, name: str) -> Any:
        if name == "answer_now":
            raise AttributeError(name)
        return getattr(self._model, name)

    async def complete(self, request: Request) -> Completion:
        began = time.perf_counter()
        try:
            return await self._model.complete(request)
        finally:
            self.took_s.append(time.perf_counter() - began)


def _dribble() -> tuple[float, float, int]:
    """Seconds of the longest request and until all were given up, and how many ended not by their timeout."""
    others = 0
    with serving("--dribble") as server:
        asked = [request(str(number), id=str(number)) for number in range(IN_FLIGHT)]
        model = Timed(chat(server.url, retry=replace(QUICK, timeout_s=DEADLINE_S)))
        began = time.perf_counter()
        with CompletionEngine({Arm.MODEL: model}, concurrency=IN_FLIGHT) as engine:
            engine.prefetch([[one] for one in asked])
            for one in asked:
                try:
                    engine.result(one)
                    others += 1
                except ModelError as error:
                    others += error.kind != "timeout"
            took_s = time.perf_counter() - began
    return max(model.took_s), took_s, others


def _held() -> Held:
    gc.collect()
    tasks = sum(isinstance(one, asyncio.Task) for one in gc.get_objects())
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Held(
        descriptors=len(os.listdir("/proc/self/fd")),
        threads=threading.active_count(),
        tasks=tasks,
        mib=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
    )

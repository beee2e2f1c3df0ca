"""Runs of 200 cases on both arms are killed with -9 at random points, once or more, and then resumed.

An answer is acknowledged once it is committed to the store. None of these may be lost or asked for again, no
killed run may say SHIP, and the resumed run has to end as one that nobody disturbed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.endurance.result import Result
from benchmarks.endurance.runs import (
    Ended,
    children_of,
    ended,
    output_of,
    own_traceback,
    started,
    verdict_of,
    wait_until_gone,
)
from benchmarks.endurance.store_rows import Rows, committed, damage
from tests.support.server import ChatServer

CASES, QUICK_CASES = 200, 60
KILLS, QUICK_KILLS = 200, 10
MOST_S = 1800.0
CONCURRENCY = 16
LATENCY_S = 0.002
#: How the run is started, and which of its processes is killed.
WAYS = ("alone", "alone", "alone", "group", "controller", "worker")
#: The models: the first may ship, the second may not.
MODELS = ("tuned", "worse")
_CHANGING = ("run_id", "started", "finished", "mode", "model", "baseline", "latency", "warnings", "remarks")


class Asked:
    """The endpoint's side: what it was asked, in which run, and a call at the n-th request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self._alarm: tuple[int, threading.Event] | None = None

    def begin(self, alarm_at: int | None = None) -> threading.Event:
        """Forgets the run before; the event is set once so many requests have come in."""
        event = threading.Event()
        self.requests, self._alarm = [], None if alarm_at is None else (alarm_at, event)
        return event

    def answer(self, body: Mapping[str, Any]) -> str:
        """Echoes the question; every fifth is beyond the worse model, every tenth beyond the baseline."""
        prompt, model = str(body["messages"][-1]["content"]), str(body["model"])
        self.requests.append((prompt, model))
        if self._alarm is not None and len(self.requests) == self._alarm[0]:
            self._alarm[1].set()
        number = int(prompt.split()[1])
        fails = {"tuned": number % 50 == 7, "base": number % 10 == 7, "worse": number % 5 == 2}[model]
        return "no idea" if fails else f"{prompt}, says {model}"


@dataclass(slots=True)
class Tally:
    """What is counted over all kills, and what went wrong."""

    kills: int = 0
    resumed: int = 0
    kept: int = 0
    final_already: int = 0
    most_again: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    ships: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Straight:
    """How a run ends that nobody disturbs."""

    status: int | None
    verdict: dict[str, Any]
    wall_s: float


def run(quick: bool, seed: int) -> Result:
    kills, cases = (QUICK_KILLS, QUICK_CASES) if quick else (KILLS, CASES)
    random, tally, asked = Random(seed), Tally(), Asked()
    with ChatServer(asked.answer, latency_s=LATENCY_S) as server, tempfile.TemporaryDirectory() as top:
        template = Path(top) / "template"
        write_project(template, server.url, cases)
        straight = {
            (model, spread): _straight(template, Path(top) / f"{model}{spread}", model, spread, asked)
            for model in MODELS
            for spread in (False, True)
        }
        number, end = 0, time.monotonic() + MOST_S
        while tally.kills < kills and time.monotonic() < end:
            number += 1
            model, way = random.choice((*MODELS, "tuned", "tuned")), random.choice(WAYS)
            folder = Path(top) / f"round{number}"
            shutil.copytree(template, folder)
            Round(
                folder=folder,
                name=f"round {number} ({way}, {model})",
                way=way,
                model=model,
                cases=cases,
                straight=straight[model, way != "alone"],
                random=random,
                asked=asked,
                tally=tally,
            ).play()
            shutil.rmtree(folder)
    if tally.kills < kills:
        tally.other.append(f"only {tally.kills} of {kills} kills within {MOST_S:g} s")
    return _result(tally)


def write_project(folder: Path, url: str, cases: int) -> None:
    folder.mkdir()
    entry = f"base_url: '{url}', api_key_env: TUNED_KEY"
    models = "".join(f"  {name}: {{{entry}, name: {name}}}\n" for name in (*MODELS, "base"))
    gate = (
        "gate:\n  criteria:\n    right: {metric: pass_rate, at_least: 90%}\n"
        "    better: {metric: pass_rate, compare: delta, at_least: 0%}\n"
    )
    (folder / "ftgate.yaml").write_text(f"{gate}models:\n{models}", encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\nftgate_concurrency = {CONCURRENCY}\n", encoding="utf-8")
    said = [f"Say {number} please" for number in range(cases)]
    lines = [
        f"  - {{id: c{number}, prompt: {text}, expect: {{starts_with: {text}}}}}\n"
        for number, text in enumerate(said)
    ]
    (folder / "live.evalcase.yaml").write_text("cases:\n" + "".join(lines), encoding="utf-8")


def arguments(model: str, spread: bool, run_id: str) -> list[str]:
    return [f"--model={model}", "--baseline=base", f"--ftgate-run-id={run_id}", *(["-n2"] if spread else [])]


def _straight(template: Path, folder: Path, model: str, spread: bool, asked: Asked) -> Straight:
    shutil.copytree(template, folder)
    asked.begin()
    run = ended(folder, *arguments(model, spread, "straight"))
    verdict = verdict_of(folder)
    if run.status is None or verdict is None or verdict["verdict"] == "INCOMPLETE":
        raise RuntimeError(f"the undisturbed run did not end: {run.output[-2000:]}")
    return Straight(status=run.status, verdict=verdict, wall_s=run.wall_s)


@dataclass(slots=True, kw_only=True)
class Round:
    """One project that is killed, once or several times, before a run of it is left to end."""

    folder: Path
    name: str
    way: str
    model: str
    cases: int
    straight: Straight
    random: Random
    asked: Asked
    tally: Tally
    kept: Rows = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def play(self) -> None:
        for attempt in range(1, 6):
            before = self._until_killed(f"run{attempt}")
            self.tally.kills += 1
            self.tally.ways[self.way] += 1
            self.kept = committed(self.folder)
            if self._had_ended(f"{self.name}, kill {attempt}", before, f"run{attempt}"):
                return  # the next run is a new one, which takes nothing over
            self.seen |= {*self.asked.requests}
            if self.random.random() < 0.5:
                break
        self.asked.begin()
        resumed = ended(self.folder, *arguments(self.model, self.way != "alone", "last"))
        self.tally.resumed += 1
        self._judge_resumed(resumed)

    def _until_killed(self, run_id: str) -> Rows:
        """Starts a run and kills it; gives what was committed just before."""
        by_time = self.random.random() < 0.25
        event = self.asked.begin(None if by_time else self.random.randint(1, 2 * self.cases))
        straight_s = self.straight.wall_s
        wait_s = self.random.uniform(0.1, straight_s) if by_time else 4 * straight_s + 5
        with started(self.folder, *arguments(self.model, self.way != "alone", run_id)) as process:
            end = time.monotonic() + wait_s
            while not event.wait(0.005) and time.monotonic() < end and process.poll() is None:
                pass
            time.sleep(self.random.uniform(0, 0.02))
            workers = children_of(process.pid)
            before = committed(self.folder)
            self._kill(process, workers)
            # A controller goes on without a worker; workers without a controller end by themselves.
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            if left := wait_until_gone(workers, 10):
                self.tally.other.append(f"{self.name}: {len(left)} workers outlived their controller by 10 s")
        return before

    def _kill(self, process: subprocess.Popen[bytes], workers: list[int]) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if self.way == "group":
                os.killpg(process.pid, signal.SIGKILL)
            elif self.way == "worker" and workers:
                os.kill(self.random.choice(workers), signal.SIGKILL)
            else:
                process.kill()

    def _had_ended(self, at: str, before: Rows, run_id: str) -> bool:
        """Whether the kill came after the verdict; notes all that must not be."""
        tally = self.tally
        if lost := [key for key, row in before.items() if self.kept.get(key) != row]:
            tally.lost.append(f"{at}: {len(lost)} of {len(before)} committed answers lost or changed")
        if found := damage(self.folder):
            tally.damaged.append(f"{at}: {found}")
        tally.kept += len(self.kept)
        output = output_of(self.folder)
        self._look_for_tracebacks(at, output)
        try:
            verdict = verdict_of(self.folder)
        except ValueError as error:
            tally.damaged.append(f"{at}: the verdict file: {error}")
            return False
        if verdict is None or verdict["verdict"] == "INCOMPLETE":
            return False
        whole = verdict["run_id"] == run_id and verdict["verdict"] == self.straight.verdict["verdict"]
        tally.final_already += whole
        if not whole or "worker died" in output:
            tally.ships.append(f"{at}: {verdict['verdict']} of run {verdict['run_id']}, which was killed")
        return True

    def _judge_resumed(self, resumed: Ended) -> None:
        tally, straight = self.tally, self.straight
        verdict = verdict_of(self.folder)
        if resumed.status != straight.status or _lasting(verdict) != _lasting(straight.verdict):
            told = verdict and f"{verdict['verdict']}: {verdict.get('sentence')}"
            tally.differing.append(f"{self.name}: exit {resumed.status}, not {straight.status}; {told}")
        if found := damage(self.folder):
            tally.damaged.append(f"{self.name}: resumed: {found}")
        self._look_for_tracebacks(self.name, resumed.output)
        again = [request for request in self.asked.requests if request in self.seen]
        tally.most_again = max(tally.most_again, len(again))
        in_flight = len(self.seen) - len({key for _, key in self.kept})
        if len(again) > in_flight:
            tally.again.append(f"{self.name}: {len(again)} requests sent again, {in_flight} were in flight")

    def _look_for_tracebacks(self, at: str, output: str) -> None:
        if (traceback := own_traceback(output)) is not None:
            self.tally.other.append(f"{at}: a traceback of ours: {traceback}")


def _lasting(verdict: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {key: value for key, value in verdict.items() if key not in _CHANGING}


def _result(tally: Tally) -> Result:
    figures = {
        "runs killed": tally.kills,
        **{f"of these: {way}": count for way, count in sorted(tally.ways.items())},
        "answers committed at the kills": tally.kept,
        "kills that came after the verdict": tally.final_already,
        "runs resumed": tally.resumed,
        "acknowledged answers lost (kills)": len(tally.lost),
        "false verdicts of killed runs": len(tally.ships),
        "damaged stores and verdict files": len(tally.damaged),
        "resumed runs that ended otherwise": len(tally.differing),
        "most requests sent again by one resumed run": tally.most_again,
        "resumed runs that sent more again than was in flight": len(tally.again),
    }
    missed = [*tally.lost, *tally.ships, *tally.damaged, *tally.differing, *tally.again, *tally.other]
    return Result(name="kills", figures=figures, missed=missed)

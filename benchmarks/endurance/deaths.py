"""Every way to die, hang or leave, at every stage of a run, in one process and in xdist's workers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.endurance.result import Result
from benchmarks.endurance.runs import Ended, output_of, own_traceback, started, verdict_of
from tests.support.deaths import DEATHS, LEAVES, NOTE, STAGES, ending_conftest

_WITHIN_S = 40.0
#: How long a run may go on after it was asked to end.
_TERMINATE_S = 10.0
_OF_ITEMS = ("setup", "call", "teardown")
_BOT = "def good(prompt): return 'Paris'\n"
_GATE = "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 100%}}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """`who` dies, or leaves, `how` at which `stage`; None of `restarts` is xdist's default."""

    how: str
    stage: str
    who: str
    restarts: int | None = None

    @property
    def name(self) -> str:
        limit = "" if self.restarts is None else f", --max-worker-restart={self.restarts}"
        return f"{self.who}: {self.how} at {self.stage}{limit}"

    @property
    def may_exit_0(self) -> bool:
        """Nothing of ours runs any more in the process whose status this is."""
        return self.who == "main" and self.how == "exit 0"

    @property
    def may_ship(self) -> bool:
        """All is judged when another plugin's hook fails: an ordinary failed test beside a SHIP."""
        return self.stage in ("call", "teardown") and self.how in ("raise", "sys.exit 0")


def run(quick: bool, seed: int) -> Result:
    """All combinations; `quick` takes every seventh, beginning at the seed."""
    deaths = list(all_deaths())
    missed: list[str] = []
    ships = 0
    with tempfile.TemporaryDirectory() as top:
        template = Path(top) / "template"
        _write_project(template)
        chosen = deaths[seed % 7 :: 7] if quick else deaths
        for number, death in enumerate(chosen):
            folder = Path(top) / str(number)
            shutil.copytree(template, folder)
            found = list(_missed(folder, death))
            ships += any("SHIP of run" in text for text in found)
            missed += [f"{death.name}: {text}" for text in found]
            shutil.rmtree(folder)
    figures = {"ways to end that were tried": len(chosen), "of so many": len(deaths), "false SHIPs": ships}
    return Result(name="deaths", figures=figures, missed=missed)


def all_deaths() -> Iterator[Death]:
    for stage in STAGES:
        for how in (*DEATHS, *LEAVES):
            yield Death(how=how, stage=stage, who="main")
            for restarts in (None, 0):
                yield Death(how=how, stage=stage, who="gw0", restarts=restarts)
            yield Death(how=how, stage=stage, who="each", restarts=0)


def _write_project(folder: Path) -> None:
    folder.mkdir()
    (folder / "bots.py").write_text(_BOT)
    (folder / "ftgate.yaml").write_text(_GATE)
    (folder / "pytest.ini").write_text("[pytest]\n")
    cases = [f"  - {{id: c{number}, prompt: Capital {number}?, expect: Paris}}\n" for number in range(6)]
    (folder / "capitals.evalcase.yaml").write_text("cases:\n" + "".join(cases))
    (folder / ".ftgate").mkdir()
    old = '{"schema": "ftgate.report/1", "run_id": "old", "verdict": "SHIP", "complete": true}'
    (folder / ".ftgate/verdict.json").write_text(old)


def _missed(folder: Path, death: Death) -> Iterator[str]:
    run = _run(folder, death)
    verdict = verdict_of(folder) or {}
    said = (verdict.get("run_id"), verdict.get("verdict"))
    if not (folder / NOTE).exists():
        yield f"it did not come that far: {run.output[-300:]!r}"
    if said != ("this", "INCOMPLETE") and not (death.may_ship and said == ("this", "SHIP")):
        yield f"a false verdict: {said[1]} of run {said[0]}"
    if run.status == 0 and not death.may_exit_0:
        yield "exit status 0"
    if run.status is None:
        yield f"still running after {_WITHIN_S:g} s, {_TERMINATE_S:g} s of them after SIGTERM"
    if (traceback := own_traceback(run.output)) is not None:
        yield f"a traceback of ours: {traceback}"


def _run(folder: Path, death: Death) -> Ended:
    """One run; where it hangs it is asked to end, as a CI service does when time is up."""
    at = 2 if death.who == "main" and death.stage in _OF_ITEMS else 1
    (folder / "conftest.py").write_text(ending_conftest(death.how, death.stage, who=death.who, at=at))
    args = ["--model=python:bots:good", "--ftgate-run-id=this", *(["-n2"] if death.who != "main" else [])]
    if death.restarts is not None:
        args.append(f"--max-worker-restart={death.restarts}")
    began = time.perf_counter()
    with started(folder, *args) as process:
        status = _status(folder, process, death)
    return Ended(status=status, output=output_of(folder), wall_s=time.perf_counter() - began)


def _status(folder: Path, process: subprocess.Popen[bytes], death: Death) -> int | None:
    try:
        if death.how != "hang":
            return process.wait(_WITHIN_S)
        end = time.monotonic() + _WITHIN_S - _TERMINATE_S
        while not (folder / NOTE).exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)  # what the others still do meanwhile is part of the matter
        os.kill(process.pid, signal.SIGTERM)
        return process.wait(_TERMINATE_S)
    except subprocess.TimeoutExpired:
        return None

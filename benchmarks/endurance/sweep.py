"""Each open, read, write, sync, rename, commit, connect, send and receive of a run fails at its n-th call.

n grows until a run passes untouched. Only calls that concern the project's files or its endpoint count.
They are made to fail below Python, by a small C library, so that SQLite's own calls are among them; without a
compiler Python's functions are replaced, which misses reads, writes and SQLite's files.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from benchmarks.endurance.result import Result
from benchmarks.endurance.runs import Ended, ended, own_traceback, patience, verdict_of
from tests.support.server import ChatServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of call, and how it fails: an errno's name, or SQLite's name of an error.

    `each`: n takes every number; else it takes growing steps, since the same calls are met by another fault.
    """

    kind: str
    error: str
    stays: bool = False
    each: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind} {self.error}{' from then on' if self.stays else ''}"


FAULTS = (
    Fault(kind="open", error="EACCES", each=True),
    Fault(kind="open", error="EMFILE", stays=True),
    Fault(kind="open", error="EINTR"),
    Fault(kind="read", error="EIO", each=True),
    Fault(kind="write", error="ENOSPC", stays=True),
    Fault(kind="write", error="EIO", each=True),
    Fault(kind="write", error="EINTR"),
    Fault(kind="fsync", error="EIO", each=True),
    Fault(kind="fsync", error="ENOSPC", stays=True),
    Fault(kind="rename", error="EACCES", each=True),
    Fault(kind="rename", error="ENOSPC", stays=True),
    Fault(kind="commit", error="SQLITE_FULL", stays=True),
    Fault(kind="commit", error="SQLITE_IOERR", each=True),
    Fault(kind="commit", error="SQLITE_BUSY"),
    Fault(kind="connect", error="ECONNREFUSED", each=True),
    Fault(kind="connect", error="ETIMEDOUT", stays=True),
    Fault(kind="send", error="EPIPE", each=True),
    Fault(kind="send", error="ECONNRESET", stays=True),
    Fault(kind="recv", error="ECONNRESET", each=True),
    Fault(kind="recv", error="ETIMEDOUT"),
    Fault(kind="recv", error="EINTR"),
)
#: What Python's own functions can stand in for where there is no compiler.
_IN_PYTHON = ("open", "fsync", "rename", "send", "recv", "commit")
_ARTEFACTS = ("report.json", "record.jsonl", "answers.jsonl", "junit.xml")
_MODELS = ("good", "bad")
_MOST = 400
_WITHIN_S = 60.0
_CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}


@dataclass(slots=True)
class Tally:
    runs: int = 0
    struck: int = 0
    shipped: int = 0
    left_old: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    false_ships: int = 0
    tracebacks: int = 0


def run(quick: bool, seed: int) -> Result:
    tally = Tally()
    with ChatServer(_answer) as server, tempfile.TemporaryDirectory() as top:
        library = _compiled(Path(top))
        faults = [one for one in FAULTS if library or one.kind in _IN_PYTHON]
        template = _template(Path(top) / "template", server.url)
        for number, fault in enumerate(_chosen(faults, Random(seed)) if quick else faults):
            model = _MODELS[number % 2]
            sweep = _Sweep(
                top=Path(top),
                template=template,
                model=model,
                library=library,
                url=server.url,
                tally=tally,
            )
            sweep.play(fault, spread=False, each=fault.each and not quick)
            if fault.each and not quick:
                sweep.play(fault, spread=True, each=False)
    by = "a C library, below Python and SQLite" if library else "Python's functions (no C compiler found)"
    return _result(tally, by)


def _answer(body: Mapping[str, Any]) -> str:
    prompt = str(body["messages"][-1]["content"])
    city = next(city for land, city in _CAPITALS.items() if land in prompt)
    return "Lyon" if body["model"] == "bad" and city == "Rome" else city


def _chosen(faults: list[Fault], random: Random) -> list[Fault]:
    """One fault of each kind."""
    kinds = dict.fromkeys(fault.kind for fault in faults)
    return [random.choice([fault for fault in faults if fault.kind == kind]) for kind in kinds]


def _compiled(folder: Path) -> Path | None:
    source, library = Path(__file__).with_name("failing_calls.c"), folder / "failing_calls.so"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or os.name != "posix":
        return None
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    return library if subprocess.run(command, check=False, capture_output=True).returncode == 0 else None


def _template(folder: Path, url: str) -> Path:
    """A project with the artefacts of an older run, which shipped, in all the places that will be written."""
    folder.mkdir()
    entry = f"base_url: '{url}', api_key_env: TUNED_KEY, {patience(10, 10)}"
    names = ("good", "bad", "base")
    models = "".join(f"  {name}: {{{entry}, name: {name}}}\n" for name in names)
    gate = "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 100%}}}\n"
    (folder / "ftgate.yaml").write_text(f"{gate}models:\n{models}", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    cases = [
        f"  - {{id: {land}, prompt: 'Capital of {land}?', expect: {city}}}\n"
        for land, city in _CAPITALS.items()
    ]
    (folder / "capitals.evalcase.yaml").write_text("cases:\n" + "".join(cases), encoding="utf-8")
    first = ended(folder, *arguments("good", "old", spread=False))
    if first.status != 0:
        raise RuntimeError(f"the older run did not ship: {first.output[-2000:]}")
    return folder


def arguments(model: str, run_id: str, *, spread: bool) -> list[str]:
    artefacts = [
        "--ftgate-report=report.json",
        "--ftgate-report=record.jsonl",
        "--ftgate-save-answers=answers.jsonl",
    ]
    models = [f"--model={model}", "--baseline=base", f"--ftgate-run-id={run_id}", "--junitxml=junit.xml"]
    return [*models, *artefacts, "-pbenchmarks.endurance.failing_calls", *(["-n2"] if spread else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sweep:
    top: Path
    template: Path
    model: str
    library: Path | None
    url: str
    tally: Tally

    def play(self, fault: Fault, *, spread: bool, each: bool) -> None:
        for nth in _numbers(each):
            if not self._strikes(fault, nth, spread):
                self.tally.kinds[fault.kind] = max(self.tally.kinds.get(fault.kind, 0), nth - 1)
                return
        self.tally.missed.append(f"{fault.name}: no run passed untouched up to the {_MOST}th call")

    def _strikes(self, fault: Fault, nth: int, spread: bool) -> bool:
        """Whether any call failed in a run whose n-th was to."""
        folder, log = self.top / "run", self.top / "log"
        shutil.copytree(self.template, folder)
        began = time.time()
        run = ended(
            folder,
            *arguments(self.model, "this", spread=spread),
            env=self._env(fault, nth, folder, log),
            within_s=_WITHIN_S,
        )
        self.tally.runs += 1
        struck = log.exists()
        self.tally.struck += struck
        at = f"{fault.name}, call {nth}{', -n 2' if spread else ''} ({self.model})"
        for missed in _missed(folder, run, began, may_ship=self.model == "good", tally=self.tally):
            self.tally.missed.append(f"{at}: {missed}")
        shutil.rmtree(folder)
        log.unlink(missing_ok=True)
        return struck

    def _env(self, fault: Fault, nth: int, folder: Path, log: Path) -> dict[str, str]:
        number = fault.error if fault.kind == "commit" else str(getattr(errno, fault.error))
        env = {
            "FT_KIND": fault.kind,
            "FT_NTH": str(nth),
            "FT_ERRNO": number,
            "FT_ROOT": str(folder),
            "FT_LOG": str(log),
        }
        env |= {"FT_PORT": str(urlsplit(self.url).port), "FT_STAYS": str(int(fault.stays))}
        return env | ({"LD_PRELOAD": str(self.library)} if self.library else {"FT_BY": "python"})


def _numbers(each: bool) -> Iterator[int]:
    """1, 2, 3, … or in growing steps."""
    one, other = 1, 2
    while one <= _MOST:
        yield one
        one, other = (one + 1, other) if each else (other, one + other)


def _missed(folder: Path, run: Ended, began: float, *, may_ship: bool, tally: Tally) -> Iterator[str]:
    """What must not be, whatever failed."""
    try:
        verdict = verdict_of(folder)
    except (ValueError, OSError) as error:
        yield f"the verdict file: {error}"
        return
    is_ship = verdict is not None and verdict["verdict"] == "SHIP" and verdict["run_id"] == "this"
    tally.shipped += is_ship
    tally.left_old += verdict is not None and verdict["run_id"] != "this"
    if is_ship and not may_ship:
        tally.false_ships += 1
        yield "a false SHIP"
    if run.status is None:
        yield f"still running after {_WITHIN_S:g} s"
    lacking = [name for name in _ARTEFACTS if not _is_whole(folder / name, newer_than=began)]
    if run.status == 0 and (not is_ship or lacking):
        tally.false_ships += not is_ship
        said = verdict and verdict["verdict"]
        yield f"exit status 0, verdict {said}, not written: {', '.join(lacking) or 'none'}"
    if torn := [name for name in _ARTEFACTS[:3] if not _is_whole(folder / name, newer_than=0)]:
        yield f"half written: {', '.join(torn)}"
    if (traceback := own_traceback(run.output)) is not None:
        tally.tracebacks += 1
        yield f"a traceback of ours: {traceback[:200]}"


def _is_whole(path: Path, *, newer_than: float) -> bool:
    try:
        if path.stat().st_mtime < newer_than - 0.1:
            return False
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".xml":
            ET.fromstring(text)
        else:
            for line in text.splitlines() if path.suffix == ".jsonl" else [text]:
                json.loads(line)
    except (OSError, ValueError, ET.ParseError):
        return False
    return bool(text)


def _result(tally: Tally, by: str) -> Result:
    figures: dict[str, int | float | str] = {
        "calls fail by": by,
        "runs": tally.runs,
        "runs in which a call failed": tally.struck,
    }
    figures |= {f"most {kind} calls of a run": most for kind, most in tally.kinds.items()}
    figures |= {
        "runs that shipped all the same, and might": tally.shipped - tally.false_ships,
        "runs that could not replace the older verdict, and said so": tally.left_old,
        "false SHIPs, or exit status 0 without one": tally.false_ships,
        "tracebacks of ours": tally.tracebacks,
    }
    return Result(name="sweep", figures=figures, missed=tally.missed)

"""Whole pytest runs on small projects: how they ended, what they printed, what the verdict file then says."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KEY = "sk-endurance-0123456789"
#: Only the plugins that take part: the others that happen to be installed cost a second each time.
PYTEST = [sys.executable, "-m", "pytest", "-q", "--color=no", "-pftgate", "-pxdist", "-pno:cacheprovider"]
#: A frame of a traceback as Python prints it, and as pytest does; a stack that faulthandler prints is none.
_FRAME = re.compile(r'^(?:INTERNALERROR> )?  File "(?P<file>[^"]+)", line \d+, in ')
#: Where Ctrl-C met a run is a place, and no traceback.
_PYTESTS_FRAME = re.compile(r"^(?P<file>\S+\.py):\d+: (?!KeyboardInterrupt)")
_SECTION = re.compile(r"^(={5}|_{5}|-{5})")
_OURS = f"{os.sep}pytest_ftgate{os.sep}"
_RUNNERS = ("_pytest", "pluggy", "xdist", "execnet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One run that has ended; `status` is negative if a signal ended it, None if we had to."""

    status: int | None
    output: str
    wall_s: float


def environment(**more: str) -> dict[str, str]:
    """What a run needs to find this checkout, and nothing that would change it."""
    changing = ("PYTEST", "FTGATE", "FT_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(changing)}
    ours = {"PYTHONPATH": str(ROOT), "TUNED_KEY": KEY, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return kept | ours | more


def patience(timeout_s: float, budget_s: float) -> str:
    """What an entry of `ftgate.yaml` says of the time that a request, and its endpoint, may take."""
    return f"timeout_s: {timeout_s:g}, retry_budget_s: {budget_s:g}"


@contextmanager
def started(folder: Path, *args: str, env: Mapping[str, str] = {}) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a process group of its own, of which nothing is left behind."""
    with open(folder / "output.txt", "wb") as output:
        process = subprocess.Popen(
            [*PYTEST, *args],
            cwd=folder,
            env=environment(**env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill_group(process)


def ended(folder: Path, *args: str, env: Mapping[str, str] = {}, within_s: float = 60.0) -> Ended:
    """A whole run; one that takes longer is killed, and has no status."""
    began = time.perf_counter()
    status: int | None
    with started(folder, *args, env=env) as process:
        try:
            status = process.wait(within_s)
        except subprocess.TimeoutExpired:
            status = None
    return Ended(status=status, output=output_of(folder), wall_s=time.perf_counter() - began)


def output_of(folder: Path) -> str:
    return (folder / "output.txt").read_text(encoding="utf-8", errors="replace")


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kills a run with all the processes that it has started, and waits until it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until_gone(pids: Sequence[int], within_s: float) -> list[int]:
    """The processes that are still there after so long; one that only waits to be reaped is gone."""
    end = time.monotonic() + within_s
    while (left := [pid for pid in pids if _is_alive(pid)]) and time.monotonic() < end:
        time.sleep(0.01)
    return left


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    """The processes that a controller has started; empty where the system does not say."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def verdict_of(folder: Path) -> dict[str, Any] | None:
    """What the verdict file says, None if there is none; raises ValueError if it does not parse."""
    path = folder / ".ftgate" / "verdict.json"
    if not path.exists():
        return None
    verdict = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(verdict, dict) or not {"verdict", "run_id"} <= verdict.keys():
        raise ValueError(f"not a verdict: {verdict!r:.80}")
    return verdict


def own_traceback(output: str) -> str | None:
    """The end of a traceback that code of ours caused; hooks that others' errors pass through don't count."""
    frames: list[str] = []
    is_pythons = False
    for line in (*output.splitlines(), "====="):
        if found := _FRAME.match(line) or _PYTESTS_FRAME.match(line):
            is_pythons = found.re is _FRAME
            frames.append(found["file"])
            last = line
        elif frames and _ends(line, is_pythons=is_pythons):
            # A UsageError is shown without its traceback, but where another error follows upon it.
            if _is_ours(frames) and not line.removeprefix("INTERNALERROR> ").startswith("pytest.UsageError"):
                return f"{last.strip()} {line.strip()}"
            frames = []
    return None


def _ends(line: str, *, is_pythons: bool) -> bool:
    if is_pythons:
        return not line.removeprefix("INTERNALERROR>").startswith("  ")
    return _SECTION.match(line) is not None


def _is_ours(frames: Sequence[str]) -> bool:
    """The innermost frame that is no library's decides; pytest's and the user's own code are not ours."""
    for frame in reversed(frames):
        if any(f"{os.sep}{name}{os.sep}" in frame for name in _RUNNERS):
            return False
        if _OURS in f"{os.sep}{frame}":
            return True
        if f"{os.sep}lib{os.sep}python" not in frame:
            return False
    return False

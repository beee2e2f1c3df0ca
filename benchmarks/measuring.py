"""Runs a command several times and says what it cost: seconds of wall clock and CPU, and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Medians over the runs of one command; the CPU counts all its children."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    runs: int

    @classmethod
    def of(cls, costs: Sequence[Cost]) -> Cost:
        """The medians of several."""
        return cls(
            wall_s=statistics.median(cost.wall_s for cost in costs),
            cpu_s=statistics.median(cost.cpu_s for cost in costs),
            peak_mib=statistics.median(cost.peak_mib for cost in costs),
            runs=len(costs),
        )


def cost_of(command: Sequence[str], *, cwd: Path, runs: int = 3, expect: Sequence[int] = (0,)) -> Cost:
    """The cost of a command, each run a process of its own; raises if it ends otherwise than expected."""
    return Cost.of([_run(command, cwd, expect) for _ in range(runs)])


def _run(command: Sequence[str], cwd: Path, expect: Sequence[int]) -> Cost:
    env = os.environ | {"PYTHONPATH": str(ROOT), "OPENAI_API_KEY": "none", "PYTEST_ADDOPTS": ""}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    with open(cwd / "output.txt", "wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    if code not in expect:
        raise RuntimeError(
            f"exit status {code}: {' '.join(command)}\n{(cwd / 'output.txt').read_text()[-3000:]}"
        )
    scale = 1024 if sys.platform == "linux" else 1024 * 1024
    return Cost(wall_s=wall, cpu_s=used.ru_utime + used.ru_stime, peak_mib=used.ru_maxrss / scale, runs=1)


@contextmanager
def server(latency_s: float) -> Iterator[str]:
    """A chat server in a process of its own; gives its base URL."""
    command = [sys.executable, "-m", "tests.support.server", "--latency", str(latency_s)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("")

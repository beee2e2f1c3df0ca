"""What runs cost: each figure is that of whole processes, start-up and reports included."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.measuring import ROOT, Cost, cost_of, server

IN_FLIGHT = 64
#: Name, cases, latency of the server in seconds.
LIVE = (("A", 200, 0.05), ("B", 1000, 0.2), ("C", 2000, 0.0))
#: What else happens to be installed is not measured: no plugin is loaded but those that are named.
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
OURS = ["-p", "pytest_ftgate.plugin"]
WORKERS = ["-p", "xdist", "-n2"]
ARMS = ["--model=tuned", "--baseline=base"]
SAVED = ["--model=recorded:model.jsonl", "--baseline=recorded:baseline.jsonl"]
_GATE = "gate: {criteria: {right: {metric: pass_rate, at_least: 90%}}}\n"
_EMPTY = "import pytest\n@pytest.mark.parametrize('n', range(10_000))\ndef test_empty(n): pass\n"


class Figure(NamedTuple):
    """One row: what was run, what it cost, and what that is compared with."""

    what: str
    cost: Cost
    compared: str = ""


def live(runs: int) -> Iterator[Figure]:
    """Both arms against one local server, and what the same requests cost without a gate."""
    for name, cases, latency_s in LIVE:
        with server(latency_s) as url, _folder() as path:
            arguments = [url, str(cases), str(IN_FLIGHT)]
            script = [sys.executable, str(ROOT / "benchmarks/bare_sdk.py"), *arguments]
            sdk = cost_of(script, cwd=path, runs=runs)
            yield Figure(f"{name}: {cases} x 2, {latency_s * 1000:g} ms: bare SDK loop", sdk)
            loop = [sys.executable, str(ROOT / "benchmarks/bare_aiohttp.py"), *arguments]
            yield Figure(f"{name}: bare aiohttp loop", cost_of(loop, cwd=path, runs=runs))
            _live_project(path, url, cases)
            command = [*PYTEST, *OURS, *ARMS]
            gate = cost_of(command, cwd=path, runs=runs)
            yield Figure(f"{name}: the whole gate", gate, f"{gate.wall_s / sdk.wall_s:.2f} x the SDK loop")
            spread = cost_of([*command, *WORKERS], cwd=path, runs=runs)
            ratio = f"{spread.wall_s / gate.wall_s:.2f} x one process"
            yield Figure(f"{name}: the whole gate, -n 2", spread, ratio)
            if name == "A":
                warm = cost_of([*command, "--ftgate-cache=use"], cwd=path, runs=runs)
                yield Figure("A: the whole gate again, every answer stored", warm, _openai(command, path))


def _openai(command: Sequence[str], path: Path) -> str:
    """Whether a warm run loads the client, of which it has no need."""
    told = [command[0], "-X", "importtime", *command[1:], "--ftgate-cache=use"]
    cost_of(told, cwd=path, runs=1)
    loads = " openai" in (path / "output.txt").read_text()
    return "openai is imported" if loads else "openai is not imported"


def collect(runs: int) -> Iterator[Figure]:
    """Collection alone, from YAML in files of at most 10,000 cases and from a data set."""
    with _folder() as path:
        (path / "test_one.py").write_text("def test_one(): pass\n")
        empty = cost_of([*PYTEST, *OURS, "--collect-only"], cwd=path, runs=runs)
    yield Figure("collection of one test", empty)
    for kind in ("YAML", "dataset"):
        for count in (1000, 10_000, 100_000):
            with _folder() as path:
                _yaml_suites(path, count) if kind == "YAML" else _dataset(path, count)
                cost = cost_of([*PYTEST, *OURS, "--collect-only", "-qq"], cwd=path, runs=runs)
                each = (cost.wall_s - empty.wall_s) / count * 1e6
                yield Figure(f"collection of {count:,} cases: {kind}", cost, f"{each:.0f} us a case")


def recorded(runs: int) -> Iterator[Figure]:
    """Saved answers of each arm, scored and decided, beside as many empty tests of pytest's own."""
    empty = empty_tests(runs)
    yield empty
    yield empty_tests_with_workers(runs, empty.cost)
    with _folder() as path:
        _saved_project(path, 10_000)
        small = cost_of([*PYTEST, *OURS, *SAVED], cwd=path, runs=runs)
        ratio = f"{small.wall_s / empty.cost.wall_s:.2f} x empty tests"
        yield Figure("10,000 recorded cases x 2 arms, decided", small, ratio)
    with _folder() as path:
        _saved_project(path, 100_000)
        command = [*PYTEST, *OURS, *SAVED, "--junitxml=junit.xml", "--ftgate-report=run.jsonl"]
        large = cost_of([*PYTEST, *OURS, *SAVED], cwd=path, runs=1)
        ratio = f"{large.wall_s / small.wall_s:.2f} x the 10,000"
        yield Figure("100,000 recorded cases x 2 arms, decided", large, ratio)
        spread = cost_of([*PYTEST, *OURS, *SAVED, *WORKERS], cwd=path, runs=1)
        yield Figure(
            "100,000 recorded cases x 2 arms, -n 2",
            spread,
            f"{spread.wall_s / large.wall_s:.2f} x one process",
        )
        reports = cost_of(command, cwd=path, runs=1)
        size = (path / "junit.xml").stat().st_size / 2**20
        lines = (path / "run.jsonl").stat().st_size / 2**20
        sizes = f"JUnit {size:.0f} MiB, record {lines:.0f} MiB"
        yield Figure("100,000 recorded cases, with JUnit and record", reports, sizes)
        decide = [sys.executable, "-c", "from pytest_ftgate.cli import main; main()", "decide", "run.jsonl"]
        yield Figure("the record of 100,000 cases, `ftgate decide`", cost_of(decide, cwd=path, runs=1))


def empty_tests(runs: int) -> Figure:
    """pytest alone: what says how fast a machine is for all that is about tests."""
    with _folder() as path:
        (path / "test_empty.py").write_text(_EMPTY)
        return Figure("10,000 empty tests, without the plugin", cost_of(PYTEST, cwd=path, runs=runs))


def empty_tests_with_workers(runs: int, alone: Cost) -> Figure:
    """pytest-xdist alone: what its reports from worker to controller cost where tests take no time."""
    with _folder() as path:
        (path / "test_empty.py").write_text(_EMPTY)
        spread = cost_of([*PYTEST, *WORKERS], cwd=path, runs=runs)
    ratio = f"{spread.wall_s / alone.wall_s:.2f} x one process"
    return Figure("10,000 empty tests, without the plugin, -n 2", spread, ratio)


def unused(runs: int) -> Iterator[Figure]:
    """A run of one test in a project without case files, with and without the plugin, in turn.

    Without it an empty plugin is named: for `-p` pytest searches all installed packages, whatever it loads,
    and where plugins load by themselves it has done that anyway.
    """
    with _folder() as path:
        (path / "test_one.py").write_text("def test_one(): pass\n")
        (path / "nothing.py").write_text("")
        alone = [*PYTEST, "-p", "nothing"]
        many = range(7 * runs)
        both = [(cost_of(alone, cwd=path, runs=1), cost_of([*PYTEST, *OURS], cwd=path, runs=1)) for _ in many]
    without, with_it = (Cost.of(costs) for costs in zip(*both, strict=True))
    yield Figure("one test, no case file, without the plugin", without)
    more = sorted((ours.cpu_s - alone.cpu_s) * 1000 for alone, ours in both)[len(both) // 2]
    yield Figure("one test, no case file, with the plugin", with_it, f"{more:+.1f} ms CPU")


def xdist(runs: int) -> Iterator[Figure]:
    """A run that waits for its endpoint most of the time, whole, in one process and in several."""
    cases, latency_s, in_flight = 300, 1.0, 16
    with server(latency_s) as url, _folder() as path:
        _live_project(path, url, cases, in_flight)
        what = f"{cases} x 2, {latency_s:g} s, {in_flight} in flight"
        command = [*PYTEST, *OURS, *ARMS]
        alone = cost_of(command, cwd=path, runs=runs)
        ideal = math.ceil(2 * cases / in_flight) * latency_s
        yield Figure(f"{what}: one process", alone, f"{alone.wall_s / ideal:.2f} x the waiting alone")
        for workers in (2, 4):
            spread = cost_of([*command, "-p", "xdist", f"-n{workers}"], cwd=path, runs=runs)
            ratio = f"{spread.wall_s / alone.wall_s:.2f} x one process"
            yield Figure(f"{what}: -n {workers}", spread, ratio)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "pytest.ini").write_text("[pytest]\n")
        yield path


def _live_project(path: Path, url: str, cases: int, in_flight: int = IN_FLIGHT) -> None:
    entry = f"{{base_url: '{url}', api_key_env: OPENAI_API_KEY, name: "
    models = f"models:\n  tuned: {entry}tuned}}\n  base: {entry}base}}\n"
    (path / "ftgate.yaml").write_text(_GATE + models)
    (path / "pytest.ini").write_text(f"[pytest]\nftgate_concurrency = {in_flight}\n")
    lines = [f"  - {{id: c{number}, prompt: Say {number}, expect: Paris}}\n" for number in range(cases)]
    (path / "live.evalcase.yaml").write_text("cases:\n" + "".join(lines))


def _saved_project(path: Path, cases: int) -> None:
    _yaml_suites(path, cases) if cases <= 10_000 else _dataset(path, cases)
    (path / "ftgate.yaml").write_text(_GATE)
    for arm in ("model", "baseline"):
        rows = [json.dumps({"id": f"c{number}", "text": str(number + 1)}) for number in range(cases)]
        (path / f"{arm}.jsonl").write_text("\n".join(rows))


def _yaml_suites(path: Path, count: int) -> None:
    for first in range(0, count, 10_000):
        lines = [
            f"  - id: c{number}\n    category: k{number % 7}\n"
            f"    prompt: What is {number} + 1?\n    expect: {number + 1}\n"
            for number in range(first, min(first + 10_000, count))
        ]
        (path / f"suite{first}.evalcase.yaml").write_text("cases:\n" + "".join(lines))


def _dataset(path: Path, count: int) -> None:
    with open(path / "rows.jsonl", "w", encoding="utf-8") as file:
        for number in range(count):
            row = {
                "id": f"c{number}",
                "q": f"What is {number} + 1?",
                "a": str(number + 1),
                "k": f"k{number % 7}",
            }
            file.write(json.dumps(row) + "\n")
    (path / "rows.evalcase.yaml").write_text(
        "datasets:\n"
        "  - {path: rows.jsonl, id: '{{id}}', prompt: '{{q}}', expect: '{{a}}', category: '{{k}}'}\n"
    )


PARTS = {"live": live, "collect": collect, "recorded": recorded, "unused": unused, "xdist": xdist}

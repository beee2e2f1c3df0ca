"""`python -m benchmarks`: what a run costs, beside bare loops as busy, and how far its statistics hold.

`python -m benchmarks live`, `collect`, `recorded`, `unused`, `judge` or `coverage` measure one part;
`--quick` takes each figure once, and fewer of them. What the figures mean is said in README.md.
`python -m benchmarks endurance` is another matter: what the gate survives.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks import coverage, deciding
from benchmarks.measuring import ROOT, Cost, cost_of, server

COSTS = ("live", "collect", "recorded", "unused")
IN_FLIGHT = 64
#: Name, cases, latency of the server in seconds.
LIVE = (("A", 200, 0.05), ("B", 1000, 0.2), ("C", 2000, 0.0))
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
_OTHERS = ("hypothesispytest", "anyio", "asyncio", "randomly", "sugar")
ONLY_OURS = [part for name in _OTHERS for part in ("-p", f"no:{name}")]


def main() -> None:
    if sys.argv[1:2] == ["endurance"]:
        from benchmarks.endurance.__main__ import main as endure  # noqa: PLC0415 - a program of its own

        endure(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", default=[*COSTS, "judge", "coverage"])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if costs := [part for part in options.parts if part in COSTS]:
        _print_costs(costs, runs=1 if options.quick else 3)
    if "judge" in options.parts:
        _print_table(deciding.table(options.quick))
    if "coverage" in options.parts:
        _print_table(coverage.table(options.quick))


def _print_costs(names: Sequence[str], runs: int) -> None:
    parts = {"live": live, "collect": collect, "recorded": recorded, "unused": unused}
    print(f"{'what':<44}{'wall s':>9}{'CPU s':>9}{'MiB':>8}  runs  compared")
    for part in names:
        for name, cost, compared in parts[part](runs):
            costs = f"{cost.wall_s:>9.2f}{cost.cpu_s:>9.2f}{cost.peak_mib:>8.0f}{cost.runs:>6}"
            print(f"{name:<44}{costs}  {compared}", flush=True)


def _print_table(rows: Iterable[tuple[str, str, str]]) -> None:
    print(f"{'what':<68}{'found':>8}  remark")
    for name, found, remark in rows:
        print(f"{name:<68}{found:>8}  {remark}", flush=True)


def live(runs: int) -> Iterator[tuple[str, Cost, str]]:
    """Both arms against one local server, and what the same requests cost without a gate."""
    for name, cases, latency_s in LIVE:
        with server(latency_s) as url, tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            arguments = [url, str(cases), str(IN_FLIGHT)]
            sdk = cost_of(
                [sys.executable, str(ROOT / "benchmarks/bare_sdk.py"), *arguments], cwd=path, runs=runs
            )
            yield f"{name}: {cases} x 2, {latency_s * 1000:g} ms: bare SDK loop", sdk, ""
            loop = [sys.executable, str(ROOT / "benchmarks/bare_aiohttp.py"), *arguments]
            yield f"{name}: bare aiohttp loop", cost_of(loop, cwd=path, runs=runs), ""
            _live_project(path, url, cases)
            command = [*PYTEST, *ONLY_OURS, "--model=tuned", "--baseline=base"]
            gate = cost_of(command, cwd=path, runs=runs)
            yield f"{name}: the whole gate", gate, f"{gate.wall_s / sdk.wall_s:.2f} x the SDK loop"
            spread = cost_of([*command, "-n2"], cwd=path, runs=runs)
            yield f"{name}: the whole gate, -n 2", spread, f"{spread.wall_s / gate.wall_s:.2f} x one process"


def _live_project(path: Path, url: str, cases: int) -> None:
    entry = f"{{base_url: '{url}', api_key_env: OPENAI_API_KEY, name: "
    gate = "gate: {criteria: {right: {metric: pass_rate, at_least: 90%}}}\n"
    models = f"models:\n  tuned: {entry}tuned}}\n  base: {entry}base}}\n"
    (path / "ftgate.yaml").write_text(gate + models)
    (path / "pytest.ini").write_text(f"[pytest]\nftgate_concurrency = {IN_FLIGHT}\n")
    lines = [f"  - {{id: c{number}, prompt: Say {number}, expect: Paris}}\n" for number in range(cases)]
    (path / "live.evalcase.yaml").write_text("cases:\n" + "".join(lines))


def collect(runs: int) -> Iterator[tuple[str, Cost, str]]:
    """Collection alone, from YAML in files of at most 10,000 cases and from a data set."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pytest.ini").write_text("[pytest]\n")
        (Path(folder) / "test_one.py").write_text("def test_one(): pass\n")
        empty = cost_of([*PYTEST, *ONLY_OURS, "--collect-only"], cwd=Path(folder), runs=runs)
    yield "collection of one test", empty, ""
    for kind in ("YAML", "dataset"):
        for count in (1000, 10_000, 100_000):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder)
                (path / "pytest.ini").write_text("[pytest]\n")
                _yaml_suites(path, count) if kind == "YAML" else _dataset(path, count)
                cost = cost_of([*PYTEST, *ONLY_OURS, "--collect-only", "-qq"], cwd=path, runs=runs)
                each = (cost.wall_s - empty.wall_s) / count * 1e6
                yield f"collection of {count:,} cases: {kind}", cost, f"{each:.0f} us a case"


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


def recorded(runs: int) -> Iterator[tuple[str, Cost, str]]:
    """10,000 saved answers of each arm, scored and decided, beside as many empty tests of pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "pytest.ini").write_text("[pytest]\n")
        (path / "test_empty.py").write_text(
            "import pytest\n@pytest.mark.parametrize('n', range(10_000))\ndef test_empty(n): pass\n"
        )
        empty = cost_of([*PYTEST, *ONLY_OURS, "-p", "no:ftgate"], cwd=path, runs=runs)
    yield "10,000 empty tests, without the plugin", empty, ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "pytest.ini").write_text("[pytest]\n")
        _yaml_suites(path, 10_000)
        for arm in ("model", "baseline"):
            rows = [json.dumps({"id": f"c{number}", "text": str(number + 1)}) for number in range(10_000)]
            (path / f"{arm}.jsonl").write_text("\n".join(rows))
        arms = ["--model=recorded:model.jsonl", "--baseline=recorded:baseline.jsonl"]
        gate = "gate: {criteria: {right: {metric: pass_rate, at_least: 90%}}}\n"
        (path / "ftgate.yaml").write_text(gate)
        cost = cost_of([*PYTEST, *ONLY_OURS, *arms], cwd=path, runs=runs)
        yield (
            "10,000 recorded cases x 2 arms, decided",
            cost,
            f"{cost.wall_s / empty.wall_s:.2f} x empty tests",
        )


def unused(runs: int) -> Iterator[tuple[str, Cost, str]]:
    """A run of one test in a project without case files, with and without the plugin."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "pytest.ini").write_text("[pytest]\n")
        (path / "test_one.py").write_text("def test_one(): pass\n")
        many = 7 * runs
        without = cost_of([*PYTEST, *ONLY_OURS, "-p", "no:ftgate"], cwd=path, runs=many)
        yield "one test, no case file, without the plugin", without, ""
        with_it = cost_of([*PYTEST, *ONLY_OURS], cwd=path, runs=many)
        more = (with_it.cpu_s - without.cpu_s) * 1000
        yield "one test, no case file, with the plugin", with_it, f"{more:+.1f} ms CPU"


if __name__ == "__main__":
    main()

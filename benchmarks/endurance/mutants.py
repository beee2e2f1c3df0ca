"""`python -m benchmarks.endurance.mutants`: whether the tests notice when what decides is made wrong.

Every mutant of the gate, the record, the redaction and the keys of the answer store runs against the tests
that reach it. One that no test notices is named in survivors.md, with why, or fails this command.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import math
import os
import pickle
import random
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from functools import cache, partial
from pathlib import Path

import pytest

from benchmarks.endurance.mutant_runs import (
    AT_IMPORT,
    INVALID,
    KILLED,
    SURVIVED,
    Collected,
    Reached,
    in_forks,
    is_property,
    run_anew,
    use_plain_hypothesis,
)
from benchmarks.endurance.mutating import Mutant, mutants_of
from benchmarks.endurance.result import Result

ROOT = Path(__file__).parents[2]
SURVIVORS = Path(__file__).with_name("survivors.md")
#: What has to be right.
WATCHED = (
    "pytest_ftgate/gates/*.py", "pytest_ftgate/record/*.py", "pytest_ftgate/models/boundary.py",
    "pytest_ftgate/models/redaction.py", "pytest_ftgate/models/answer_store/answer_key.py",
    "pytest_ftgate/plugin/exit_status.py",
)  # fmt: skip
NEAR = (
    "tests/gates", "tests/record", "tests/models/test_boundary.py", "tests/models/test_redaction.py",
    "tests/models/test_redacted_forms.py", "tests/models/test_answer_key.py",
    "tests/plugin/test_exit_status.py",
)  # fmt: skip
LEAST_KILLED = 0.95
_SAMPLE = 40
FAR = ("tests/summary", "tests/planning", "tests/reports")
#: Slow to import and the same in every process: imported once, before any fork.
_LIBRARIES = ("numpy", "scipy.stats", "yaml", "jsonschema", "rapidfuzz", "sacrebleu", "regex", "click")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance.mutants")
    parser.add_argument("--modules", nargs="*", default=[""], help="only paths that hold one of these texts")
    parser.add_argument("--sample", type=int, help="only so many mutants, chosen at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--examples", action="store_true", help="leave out property tests")
    parser.add_argument("--longest", type=float, default=math.inf, help="leave out tests of more CPU seconds")
    parser.add_argument("--tests", nargs="*", default=[*NEAR, *FAR], help="only these tests, or other ones")
    parser.add_argument("--resume", type=Path, help="a file of outcomes: kept there, and not found again")
    options = parser.parse_args()
    sys.exit(_main(options))


def run(*, quick: bool, seed: int) -> Result:
    """How many mutants the tests notice: a sample, or all; in a process of its own, which forks."""
    command = [sys.executable, "-m", "benchmarks.endurance.mutants", "--seed", str(seed)]
    command += ["--sample", str(_SAMPLE)] if quick else []
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    row = next((line.split() for line in done.stdout.splitlines() if line.startswith("all ")), None)
    if row is None:
        return Result(name="mutants", figures={}, missed=[(done.stdout + done.stderr)[-500:]])
    mutants, killed, named, left = map(int, row[1:5])
    figures = {"mutants": mutants, "killed": killed, "alive, and named": named, "alive, and not": left}
    alive = [line for line in done.stdout.splitlines() if line.startswith("survived: ")]
    missed = [f"{killed} of {mutants} were noticed", *alive] if killed < LEAST_KILLED * mutants else []
    return Result(name="mutants", figures=figures, missed=missed)


def _main(options: argparse.Namespace) -> int:
    os.chdir(ROOT)
    mutants = _chosen(options)
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Outcomes(options.resume or Path(folder, "outcomes.jsonl"))
        left = [mutant for mutant in mutants if mutant not in outcomes]
        print(f"{len(mutants)} mutants, {len(left)} to run", flush=True)
        if left and not _run(left, outcomes, options, Path(folder, "reached")):
            return 1
        return _report(mutants, outcomes)


def _run(mutants: Sequence[Mutant], outcomes: Outcomes, options: argparse.Namespace, path: Path) -> bool:
    """Runs all; False if the tests fail without any change."""
    for name in _LIBRARIES:
        importlib.import_module(name)
    use_plain_hypothesis()
    reached = _in_functions(mutants, outcomes, options, path)
    if reached is None:
        return False
    left = [mutant for mutant in mutants if outcomes.of(mutant) == AT_IMPORT]
    for mutant, outcome in in_forks(left, partial(run_anew, reached=reached), reached.limit_s, options.jobs):
        outcomes.add(mutant, outcome)
    return True


def _chosen(options: argparse.Namespace) -> list[Mutant]:
    found: list[Mutant] = []
    for path in (path for pattern in WATCHED for path in sorted(ROOT.glob(pattern))):
        name = path.relative_to(ROOT).with_suffix("")
        if any(part in str(name) for part in options.modules):
            found += mutants_of(path, ".".join(name.parts).removesuffix(".__init__"))
    if options.sample is None:
        return found
    named = _named()
    found = [one for one in found if one.name not in named]
    chosen = random.Random(options.seed).sample(range(len(found)), min(options.sample, len(found)))
    return [found[place] for place in sorted(chosen)]


def _in_functions(
    mutants: Sequence[Mutant], outcomes: Outcomes, options: argparse.Namespace, path: Path
) -> Reached | None:
    """Runs what can be changed without importing anew; returns what the tests reach, None if one fails."""
    collected = Collected(
        mutants=mutants,
        files={str(mutant.path) for mutant in mutants},
        jobs=options.jobs,
        left_out=is_property if options.examples else lambda _: False,
        unseen=_is_slow if options.sample else lambda _: False,
        longest_s=options.longest,
        told=outcomes.add,
        reached_path=path,
    )
    tests = [test for test in options.tests if Path(test).exists()]
    for _ in in_forks([tests], collected.run, lambda _: float("inf"), 1, is_quiet=False):
        outcomes.read()
    if not path.exists():
        print("the tests could not be run without any change")
        return None
    reached: Reached = pickle.loads(path.read_bytes())
    for name in reached.failed:
        print(f"fails without any change: {name}")
    return None if reached.failed else reached


def _is_slow(item: pytest.Item) -> bool:
    """For a sample it takes too long to see which lines these run; they are for what survived the others."""
    return is_property(item) or item.nodeid.startswith(FAR)


class Outcomes:
    """What became of each mutant, in a file: several processes add to it, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._outcomes: dict[str, int] = {}
        self.read()
        # Tests may have been added since; what survived is tried again.
        self._outcomes = {key: code for key, code in self._outcomes.items() if code in (KILLED, INVALID)}

    def read(self) -> None:
        """Takes what others have added."""
        if self.path.exists():
            rows = map(json.loads, self.path.read_text().splitlines())
            self._outcomes |= {row["mutant"]: row["outcome"] for row in rows}

    def add(self, mutant: Mutant, outcome: int) -> None:
        """Keeps one outcome."""
        self._outcomes[_key(mutant)] = outcome
        with self.path.open("a") as file:
            file.write(json.dumps({"mutant": _key(mutant), "outcome": outcome}) + "\n")

    def of(self, mutant: Mutant) -> int:
        """What became of it."""
        return self._outcomes[_key(mutant)]

    def __contains__(self, mutant: Mutant) -> bool:
        return _key(mutant) in self._outcomes


def _key(mutant: Mutant) -> str:
    return f"{_digest(mutant.path)} {mutant.name}"


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def _report(mutants: Sequence[Mutant], outcomes: Outcomes) -> int:
    named = _named()
    survivors = [mutant for mutant in mutants if outcomes.of(mutant) == SURVIVED]
    unnamed = [mutant for mutant in survivors if mutant.name not in named]
    print(f"{'module':<54}{'mutants':>8}{'killed':>8}{'named':>8}{'left':>6}{'rate':>9}")
    by_module: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        if outcomes.of(mutant) != INVALID:
            by_module.setdefault(mutant.module, []).append(mutant)
    for module, those in by_module.items():
        _print_row(module, those, outcomes, named)
    _print_row("all", [mutant for those in by_module.values() for mutant in those], outcomes, named)
    for mutant in unnamed:
        print(f"survived: {mutant.path.relative_to(ROOT)}:{mutant.lines.start}: {mutant.name}")
    return 1 if unnamed else 0


def _print_row(name: str, mutants: Sequence[Mutant], outcomes: Outcomes, named: Collection[str]) -> None:
    survived = [mutant for mutant in mutants if outcomes.of(mutant) == SURVIVED]
    told = sum(mutant.name in named for mutant in survived)
    killed = len(mutants) - len(survived)
    share = f"{killed / len(mutants):>9.1%}" if mutants else ""
    print(f"{name:<54}{len(mutants):>8}{killed:>8}{told:>8}{len(survived) - told:>6}{share}")


def _named() -> set[str]:
    """The names in the list of survivors: a line `- NAME: why`."""
    lines = SURVIVORS.read_text(encoding="utf-8").splitlines() if SURVIVORS.exists() else []
    return {line.removeprefix("- ").rpartition(": ")[0] for line in lines if line.startswith("- ")}


if __name__ == "__main__":
    main()

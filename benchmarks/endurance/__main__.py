"""`python -m benchmarks endurance`: kills, faults, load and outages; exits 1 if an aim is missed.

`--quick` takes the bounded form that CI runs; names choose parts. What each shows: `benchmarks/README.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.endurance.result import Result

#: The module of each part, and what it does.
PARTS = {
    "kills": "kill -9 at random points of a run, and the run that resumes it",
    "sweep": "each open, write, sync, rename, commit, send and receive fails once",
    "faults": "everything that an endpoint does wrong, in whole runs",
    "deaths": "processes that die, hang or leave at every stage of a run",
    "load": "100,000 echoed requests, 500 in flight",
    "rate": "a limit of requests a minute, and an outage",
    "chaos": "100,000 requests to a moody endpoint on a virtual clock",
    "mutants": "whether the tests notice a changed line",
}
_SHOWN = 12


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks endurance")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="the bounded form, as CI runs it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the results there, too")
    options = parser.parse_args(arguments)
    if unknown := sorted({*options.parts} - {*PARTS}):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    rows = []
    for name in options.parts or PARTS:
        began = time.perf_counter()
        result = _result_of(name, quick=options.quick, seed=options.seed)
        rows.append((result, time.perf_counter() - began))
        print_result(*rows[-1])
    print_summary(rows)
    if options.json:
        options.json.write_text(json.dumps([_row(*row) for row in rows], indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if all(result.passed for result, _ in rows) else 1)


def _result_of(name: str, *, quick: bool, seed: int) -> Result:
    print(f"{name}: {PARTS[name]}", flush=True)
    try:
        result = import_module(f"benchmarks.endurance.{name}").run(quick=quick, seed=seed)
    except Exception as error:  # noqa: BLE001 - the other parts still have something to say
        traceback.print_exc()
        return Result(
            name=name, figures={}, missed=[f"the part itself broke: {type(error).__name__}: {error}"]
        )
    assert isinstance(result, Result)
    return result


def print_result(result: Result, took_s: float) -> None:
    for what, figure in result.figures.items():
        print(f"  {what:<64}{_text(figure):>14}")
    for missed in result.missed[:_SHOWN]:
        print(f"  MISSED: {missed}")
    if len(result.missed) > _SHOWN:
        print(f"  and {len(result.missed) - _SHOWN} more")
    print(f"  {_word(result)} after {took_s:.0f} s\n", flush=True)


def print_summary(rows: Sequence[tuple[Result, float]]) -> None:
    print(f"{'part':<10}{'seconds':>8}  {'':<6}aims missed")
    for result, took_s in rows:
        print(f"{result.name:<10}{took_s:>8.0f}  {_word(result):<6}{len(result.missed)}")


def _row(result: Result, took_s: float) -> dict[str, object]:
    return {
        "part": result.name,
        "passed": result.passed,
        "seconds": round(took_s, 1),
        "figures": dict(result.figures),
        "missed": list(result.missed),
    }


def _word(result: Result) -> str:
    return "PASS" if result.passed else "FAIL"


def _text(figure: float | str) -> str:
    if isinstance(figure, str):
        return figure
    return f"{figure:,.2f}" if isinstance(figure, float) else f"{figure:,}"


if __name__ == "__main__":
    main()

"""`python -m benchmarks`: what a run costs, beside bare loops as busy, and how far its statistics hold.

`python -m benchmarks live`, `collect`, `recorded`, `unused`, `xdist`, `judge` or `coverage` measure one part;
`--quick` takes each figure once, and fewer of them. What the figures mean is said in README.md.
`python -m benchmarks performance` measures what docs/performance.md shows, and writes that page.
`python -m benchmarks endurance` is another matter: what the gate survives.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from benchmarks import costs, coverage, deciding, performance


def main() -> None:
    if sys.argv[1:2] == ["endurance"]:
        from benchmarks.endurance.__main__ import main as endure  # noqa: PLC0415 - a program of its own

        endure(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", default=[*costs.PARTS, "judge", "coverage"])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    runs = 1 if options.quick else 3
    if "performance" in options.parts:
        performance.write_page(runs)
    if names := [part for part in options.parts if part in costs.PARTS]:
        _print_costs(names, runs)
    if "judge" in options.parts:
        _print_table(deciding.table(options.quick))
    if "coverage" in options.parts:
        _print_table(coverage.table(options.quick))


def _print_costs(names: Sequence[str], runs: int) -> None:
    print(f"{'what':<52}{'wall s':>9}{'CPU s':>9}{'MiB':>8}  runs  compared")
    for part in names:
        for figure in costs.PARTS[part](runs):
            print(performance.line(figure), flush=True)


def _print_table(rows: Iterable[tuple[str, str, str]]) -> None:
    print(f"{'what':<68}{'found':>8}  remark")
    for name, found, remark in rows:
        print(f"{name:<68}{found:>8}  {remark}", flush=True)


if __name__ == "__main__":
    main()

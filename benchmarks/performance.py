"""Writes docs/performance.md: what is aimed at, what was measured, and what other tools cost for the same."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.costs import PARTS, Figure
from benchmarks.measuring import ROOT

PAGE = ROOT / "docs/performance.md"
TEMPLATE = ROOT / "benchmarks/performance_page.md"
#: Seconds that 10,000 empty tests take on the machine on which the aims in seconds were set.
REFERENCE_S = 3.4
_EMPTY = "10,000 empty tests, without the plugin"
_LARGE = "100,000 recorded cases x 2 arms, decided"
_SMALL = "10,000 recorded cases x 2 arms, decided"
_WAITING = "300 x 2, 1 s, 16 in flight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One line of the table of aims; `found` and `limit` are in `unit`, and less is better."""

    what: str
    limit: float
    found: float
    unit: str

    @property
    def is_met(self) -> bool:
        """Whether it is met, to the digits that are shown."""
        return float(f"{self.found:.3g}") <= self.limit

    @property
    def row(self) -> str:
        """Its line in Markdown."""
        met = "yes" if self.is_met else "**no**"
        return f"| {self.what} | ≤ {self.limit:g} {self.unit} | {self.found:.3g} {self.unit} | {met} |"


def line(figure: Figure) -> str:
    """A figure for a terminal."""
    cost = figure.cost
    numbers = f"{cost.wall_s:>9.2f}{cost.cpu_s:>9.2f}{cost.peak_mib:>8.0f}{cost.runs:>6}"
    return f"{figure.what:<52}{numbers}  {figure.compared}"


def write_page(runs: int) -> None:
    """Measures everything, printing as it goes, and writes the page."""
    figures = {}
    for part in PARTS.values():
        for figure in part(runs):
            figures[figure.what] = figure
            print(line(figure), flush=True)
    page = _page(figures)
    PAGE.write_text(page, encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")


def aims(figures: Mapping[str, Figure]) -> list[Aim]:
    """What is aimed at, beside what was found; seconds as on the reference machine."""

    def wall(what: str) -> float:
        return next(one.cost.wall_s for name, one in figures.items() if name.startswith(what))

    def mib(what: str) -> float:
        return next(one.cost.peak_mib for name, one in figures.items() if name.startswith(what))

    def gate(name: str) -> str:
        return f"{name}: the whole gate"

    pace = REFERENCE_S / wall(_EMPTY)
    loop = {name: wall(f"{name}: {size}") for name, size in (("A", "200"), ("B", "1000"), ("C", "2000"))}
    unused = float(figures["one test, no case file, with the plugin"].compared.partition(" ")[0])
    spread = wall("100,000 recorded cases x 2 arms, -n 2")
    waiting = wall(f"{_WAITING}: one process")
    seconds, sdk = "s on the reference machine", "x the SDK loop"
    rows = (
        ("A: 200 cases, 50 ms", 1.0, wall(gate("A")) / loop["A"], sdk),
        ("B: 1,000 cases, 200 ms", 0.92, wall(gate("B")) / loop["B"], sdk),
        ("C: 2,000 cases, 0 ms", 0.65, wall(gate("C")) / loop["C"], sdk),
        ("most memory on B", 88, mib(gate("B")), "MiB"),
        ("A again, all answers stored", 0.9, pace * wall("A: the whole gate again"), seconds),
        ("one test, no case file: what the plugin adds", 5, pace * unused, "ms of CPU, likewise"),
        ("collection of 10,000 YAML cases", 1.0, pace * wall("collection of 10,000 cases: YAML"), seconds),
        ("collection of 10,000 rows", 0.8, pace * wall("collection of 10,000 cases: dataset"), seconds),
        ("10,000 saved cases x 2 arms, scored and decided", 6, pace * wall(_SMALL), seconds),
        ("100,000 of them", 10.5, wall(_LARGE) / wall(_SMALL), "x the 10,000"),
        ("100,000 of them", 63, pace * wall(_LARGE), seconds),
        ("100,000 of them: most memory", 600, mib(_LARGE), "MiB"),
        ("100,000 of them: most memory", 10.5, mib(_LARGE) / mib(_SMALL), "x the 10,000"),
        ("100,000 of them, `-n 2`", 1.0, spread / wall(_LARGE), "x one process"),
        *(
            (f"{_WAITING}, `-n {workers}`", 1.2, wall(f"{_WAITING}: -n {workers}") / waiting, "x one process")
            for workers in (2, 4)
        ),
    )
    return [Aim(what=what, limit=limit, found=found, unit=unit) for what, limit, found, unit in rows]


def _page(figures: Mapping[str, Figure]) -> str:
    rows = "\n".join(aim.row for aim in aims(figures))
    empty_s = figures[_EMPTY].cost.wall_s
    measured = "\n".join(_row(figure) for figure in figures.values())
    text = TEMPLATE.read_text(encoding="utf-8").format(
        day=datetime.now(UTC).date().isoformat(),
        machine=f"{platform.system()}, {len(os.sched_getaffinity(0))} cores",
        versions=", ".join(
            [f"Python {sys.version.split()[0]}", *(f"{name} {version(name)}" for name in _PACKAGES)]
        ),
        empty_s=empty_s,
        reference_s=REFERENCE_S,
        aims=rows,
        figures=measured,
    )
    return text.replace(" x ", " \N{MULTIPLICATION SIGN} ").replace(" us ", " µs ")


def _row(figure: Figure) -> str:
    cost = figure.cost
    return (
        f"| {figure.what} | {cost.wall_s:.2f} | {cost.cpu_s:.2f} | {cost.peak_mib:.0f} | {figure.compared} |"
    )


_PACKAGES = ("pytest", "pytest-xdist", "aiohttp", "openai")

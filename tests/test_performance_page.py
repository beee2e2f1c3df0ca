"""The page of aims and figures is what `python -m benchmarks performance` writes."""

from __future__ import annotations

import re

import pytest

from benchmarks.costs import Figure
from benchmarks.measuring import ROOT, Cost
from benchmarks.performance import REFERENCE_S, Aim, aims, line

PAGE = (ROOT / "docs/performance.md").read_text(encoding="utf-8")


def figures() -> dict[str, Figure]:
    """Those that the page shows, read back."""
    found = {}
    for what, wall, cpu, mib, compared in re.findall(
        r"^\| (.+) \| ([\d.]+) \| ([\d.]+) \| (\d+) \| (.*) \|$", PAGE, re.M
    ):
        cost = Cost(wall_s=float(wall), cpu_s=float(cpu), peak_mib=float(mib), runs=1)
        name = what.replace(" \N{MULTIPLICATION SIGN} ", " x ")
        found[name] = Figure(name, cost, compared)
    return found


def test_every_aim_follows_from_the_figures_on_the_page() -> None:
    written = re.findall(r"^\| (.+) \| ≤ .+ \| ([\d.e+]+) .+ \| (?:yes|\*\*no\*\*) \|$", PAGE, re.M)
    expected = [(aim.what.replace(" x ", " \N{MULTIPLICATION SIGN} "), aim.found) for aim in aims(figures())]

    assert [what for what, _ in written] == [what for what, _ in expected]
    for (what, shown), (_, found) in zip(written, expected, strict=True):
        assert float(shown) == pytest.approx(found, rel=0.05, abs=0.05), what  # the figures are rounded


def test_an_aim_is_met_up_to_the_digits_that_are_shown() -> None:
    assert Aim(what="a", limit=0.92, found=0.9204, unit="x").is_met
    assert not Aim(what="a", limit=0.92, found=0.9261, unit="x").is_met
    assert Aim(what="a", limit=1, found=1.26, unit="s").row == "| a | ≤ 1 s | 1.26 s | **no** |"


def test_seconds_are_shown_as_on_the_machine_on_which_the_aims_were_set() -> None:
    half_as_fast = figures()
    empty = "10,000 empty tests, without the plugin"
    half_as_fast[empty] = Figure(empty, Cost(wall_s=2 * REFERENCE_S, cpu_s=0, peak_mib=0, runs=1))
    small = "10,000 recorded cases x 2 arms, decided"
    half_as_fast[small] = Figure(small, Cost(wall_s=10.0, cpu_s=0, peak_mib=1, runs=1))

    found = {aim.what: aim.found for aim in aims(half_as_fast)}

    assert found["10,000 saved cases x 2 arms, scored and decided"] == pytest.approx(5.0)


def test_a_figure_for_a_terminal_fits_its_columns() -> None:
    shown = line(Figure("a run", Cost(wall_s=1.234, cpu_s=0.5, peak_mib=36.4, runs=3), "twice"))

    assert shown.split() == ["a", "run", "1.23", "0.50", "36", "3", "twice"]

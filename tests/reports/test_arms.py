"""The model beside its baseline, as -v shows it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftgate.gates import Assessment
from pytest_ftgate.reports.lines import plain_text
from pytest_ftgate.reports.terminal import render_terminal
from tests.reports.samples import MODEL, SUITE, Category, against_itself, assessment, record, timed
from tests.reports.test_terminal import check_golden, marked


def compared() -> Assessment:
    return assessment(timed(record(SUITE, repeats=5)))


def compared_with_itself() -> Assessment:
    return assessment(against_itself(timed(record(SUITE), slower=1.0)))


def alone() -> Assessment:
    return assessment(timed(record(SUITE, arms=[MODEL])))


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("made", [compared, compared_with_itself, alone])
def test_the_verbose_report_looks_as_it_did(made: Callable[[], Assessment], width: int) -> None:
    lines = render_terminal(made(), width=width, verbosity=1)

    check_golden(f"verbose_{made.__name__}_{width}.txt", marked(lines))


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("width", [72, 80, 100, 160])
@pytest.mark.parametrize("made", [compared, compared_with_itself, alone])
def test_no_verbose_line_is_wider_than_the_terminal(
    made: Callable[[], Assessment], width: int, ascii_only: bool
) -> None:
    text = plain_text(render_terminal(made(), width=width, verbosity=1, ascii_only=ascii_only))

    assert max(map(len, text.splitlines())) <= width
    assert text.isascii() or not ascii_only


def test_the_numbers_are_those_of_the_literature() -> None:
    # 18 cases, 6 lost and 2 won: exact McNemar p = 2 x 37 / 256 = 0.289.
    made = assessment(record([Category("live_relevance", both=8, regressed=6, fixed=2, neither=2)]))

    text = plain_text(render_terminal(made, width=80, verbosity=1))

    assert "wins 2, losses 6, ties 10; win rate 11.1% [3%, 33%]\n" in text
    assert "mean score -22.2 [-50, +10] points; sign test p = 0.289\n" in text
    assert "  all  55.6% [34%, 75%]  77.8% [55%, 91%]  0.289\n" in text


def test_at_default_verbosity_nothing_of_it_is_shown() -> None:
    text = plain_text(render_terminal(compared(), width=80))

    assert "sign test" not in text
    assert "latency" not in text


def test_percentiles_of_too_few_calls_are_marked_and_explained() -> None:
    text = plain_text(render_terminal(compared_with_itself(), width=80, verbosity=1))

    (p99,) = [row.split() for row in text.splitlines() if row.startswith("  latency p99, ms")]
    assert [cell.endswith("*") for cell in p99[3:]] == [True, True, True]
    assert "  * of so few calls that it is hardly more than the slowest of them: nothing" in text


def test_enough_calls_are_not_marked() -> None:
    text = plain_text(render_terminal(compared(), width=80, verbosity=1))

    assert "*" not in text


def test_an_a_a_run_says_that_its_differences_are_noise() -> None:
    short = plain_text(render_terminal(compared_with_itself(), width=80))
    full = plain_text(render_terminal(compared_with_itself(), width=80, verbosity=1))

    assert short.startswith("A/A run: every difference is noise of this suite; twice llama-3.1-8b\n")
    assert "1 case failed as model and passed as baseline\n" in short
    assert "4 cases the other way round, 3 cases failed on both arms\n" in short
    assert "regressed" not in short
    assert "fixed" not in short
    assert "The model beside itself: what noise alone does in this suite (95% CI)\n" in full


def test_a_long_name_of_an_a_a_run_leaves_the_sentence_whole() -> None:
    whole = against_itself(record(SUITE))
    models = {arm: {**described, "name": "m" * 200} for arm, described in whole.run.models.items()}
    made = assessment(replace(whole, run=replace(whole.run, models=models)))

    first = plain_text(render_terminal(made, width=80)).splitlines()[0]

    assert first.startswith("A/A run: every difference is noise of this suite; twice mmm")
    assert len(first) == 80


def test_long_answers_are_told_in_seconds() -> None:
    made = assessment(timed(record(SUITE), slower=100.0))

    text = plain_text(render_terminal(made, width=100, verbosity=1))

    assert "  latency p50, s " in text
    assert "  first token p50, ms " in text


def test_costs_are_of_as_many_cases_as_leave_no_zeros() -> None:
    text = plain_text(render_terminal(compared(), width=80, verbosity=1))

    (cost,) = [row for row in text.splitlines() if "cost of" in row]
    assert cost.split()[:5] == ["cost", "of", "10,000", "cases", "1.48"]


def test_a_narrowed_run_is_not_compared() -> None:
    made = assessment(record(SUITE, left_out=["evals/tools.evalcase.yaml::tokyo"]), narrowed=True)

    text = plain_text(render_terminal(made, width=80, verbosity=1))

    assert "sign test" not in text
    assert "all " in text


@pytest.mark.parametrize(("verbosity", "loads_numpy"), [(0, False), (1, True)])
def test_a_report_on_passes_and_failures_loads_numpy_only_with_v(verbosity: int, loads_numpy: bool) -> None:
    code = (
        "import sys\n"
        "from tests.reports.samples import *\n"
        "from pytest_ftgate.reports.terminal import render_terminal\n"
        "made = assessment(timed(record(SUITE)), criteria=CRITERIA)\n"
        f"assert len(render_terminal(made, width=80, verbosity={verbosity})) > 10\n"
        "print('numpy' in sys.modules)"
    )

    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert run.stdout.strip() == str(loads_numpy)

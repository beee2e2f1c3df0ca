"""Intervals of groups, by the published methods and only where they are asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.stats.bootstrap import RESAMPLES
from pytest_ftgate.stats.paired_passes import mcnemar_p
from pytest_ftgate.summary import Group, Rate, Repeats, summarize
from pytest_ftgate.summary.estimating import resamples
from tests.support.records import case, record, trials


def everything(pairs: Sequence[tuple[str, str]], repeat: int = 1) -> Group:
    cases = [case(f"c{number:03}", repeat=repeat) for number in range(len(pairs))]
    came_in = [one for planned, pair in zip(cases, pairs, strict=True) for one in trials(planned, *pair)]
    return summarize(record(cases, came_in)).groups[0]


def test_a_rate_has_wilsons_interval() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263.
    rate = Rate(values=tuple(Fraction(number < 81) for number in range(263)))

    assert rate.interval(0.95) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_nothing_measured_has_no_interval() -> None:
    assert Rate(values=()).interval(0.95) is None
    alone = summarize(record([case("a", arms=[Arm.MODEL])])).groups[0]
    assert (alone.delta_interval(0.95), alone.p_value) == (None, None)


def test_a_difference_has_the_exact_mcnemar_test_and_an_interval_around_it() -> None:
    pairs = [("P", "P")] * 8 + [("P", "F")] * 2 + [("F", "P")] * 6 + [("F", "F")] * 2

    group = everything(pairs)

    assert group.delta == Fraction(-4, 18)
    assert group.p_value == mcnemar_p(2, 6) == pytest.approx(0.2891, abs=5e-5)
    low, high = group.delta_interval(0.95) or (0, 0)
    assert -0.52 < low < -4 / 18 < 0 < high < 0.2


def test_ten_identical_pairs_are_not_known_to_be_equal() -> None:
    low, high = everything([("P", "P")] * 10).delta_interval(0.95) or (0, 0)

    assert low < -0.2
    assert high > 0.2


def test_repeats_are_resampled_by_case() -> None:
    pairs = [("PPPF", "PFFF"), ("PPFF", "PFFF"), ("PPPP", "PPFF"), ("PFFF", "PPFF")] * 10

    group = everything(pairs, repeat=4)

    assert group.delta == Fraction(1, 4)
    low, high = group.delta_interval(0.95) or (0, 0)
    assert 0.1 < low < 0.25 < high < 0.4
    assert group.p_value is not None
    assert group.p_value < 0.01
    low, high = group.model.interval(0.95) or (0, 0)
    assert 0.5 < low < 0.625 < high < 0.75


def test_the_order_of_trials_makes_no_difference_to_resampled_bounds() -> None:
    cases = [case(f"c{number:02}", repeat=3) for number in range(12)]
    came_in = [
        one
        for number, planned in enumerate(cases)
        for one in trials(planned, ("PPF", "PFF", "PPP")[number % 3], ("PFF", "PPF")[number % 2])
    ]

    one, other = (summarize(record(cases, order)).groups[0] for order in (came_in, came_in[::-1]))

    assert one.delta_interval(0.9) == other.delta_interval(0.9)


def test_cases_that_flip_between_repeats_are_unstable() -> None:
    cases = [case("steady", repeat=2), case("shaky", repeat=2), case("once")]
    came_in = [*trials(cases[0], "PP", "FF"), *trials(cases[1], "PF", "PP"), *trials(cases[2])]

    summary = summarize(record(cases, came_in))

    assert {one.planned.id: one.unstable_on for one in summary.cases} == {
        "once": (),
        "shaky": (Arm.MODEL,),
        "steady": (),
    }
    model, baseline = summary.repeats[Arm.MODEL], summary.repeats[Arm.BASELINE]
    assert model == Repeats(cases=2, unstable=(("tools", "shaky"),), within=0.25, between=0.0)
    assert baseline is not None
    assert (baseline.cases, baseline.unstable, baseline.within) == (2, (), 0.0)
    assert baseline.between is not None
    assert baseline.between > 0


def test_without_repeats_nothing_is_said_of_them() -> None:
    assert summarize(record([case("a"), case("b")])).repeats == {Arm.MODEL: None, Arm.BASELINE: None}


def test_thirty_cases_are_summarized_and_judged_without_numpy() -> None:
    script = (
        "import sys\n"
        "from tests.support.records import case, gate_of, judged, trials\n"
        "cases = [case(f'c{n:02}') for n in range(30)]\n"
        "came_in = [t for n, c in enumerate(cases) for t in trials(c, 'PF'[n % 2], 'FP'[n % 3 == 0])]\n"
        "made = judged(cases, came_in, gate_of(compare='delta', at_least='5%') | {'evidence': 'strict'})\n"
        "intervals = [group.delta_interval(0.95) for group in made.summary.groups]\n"
        "made.summary.comparison(0.95).score_delta\n"
        "assert 'numpy' not in sys.modules\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("n", [10, 5000, 100_000])
def test_the_surest_bound_of_a_gate_has_a_resample_beyond_it(n: int) -> None:
    surest = Fraction(999, 1000)

    assert (resamples(n, RESAMPLES) + 1) * (1 - surest) >= 1

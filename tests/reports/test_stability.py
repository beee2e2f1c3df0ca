"""Cases that flip between repeats are named, and what repeats say of the spread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_ftgate.record import Outcome
from pytest_ftgate.reports.lines import plain_text
from pytest_ftgate.reports.outcomes import repeats_passed
from pytest_ftgate.reports.terminal import render_terminal
from tests.reports.samples import BASELINE, MODEL, SUITE, Category, assessment, errored, record, trial


def shown(categories: list[Category], *, verbosity: int = 0, repeats: int = 3) -> list[str]:
    made = assessment(record(categories, repeats=repeats))
    return plain_text(render_terminal(made, width=80, verbosity=verbosity)).splitlines()


def test_cases_that_flip_are_named_in_one_line() -> None:
    rows = shown(list(SUITE))

    assert [row for row in rows if "flip" in row] == [
        "2 cases flip between repeats: capitals-04, adversarial-06"
    ]


def test_one_case_that_flips_is_one() -> None:
    rows = shown([Category("simple", both=1, neither=1)])

    assert "1 case flips between repeats: simple-02" in rows


def test_as_many_are_named_as_the_line_holds() -> None:
    rows = shown([Category("simple", neither=40)])

    (row,) = [row for row in rows if "flip" in row]
    assert row == "20 cases flip between repeats: simple-02, simple-04 and 18 more; -v shows all"
    assert len(row) <= 80


@pytest.mark.parametrize(
    "categories", [[Category("simple", both=3)], [Category("simple", fixed=1, both=1, neither=1)]]
)
def test_without_a_flip_of_the_model_nothing_is_said(categories: list[Category]) -> None:
    assert not [row for row in shown(categories) if "flip" in row]


def test_without_repeats_nothing_is_said_even_with_v() -> None:
    rows = shown(list(SUITE), repeats=1, verbosity=1)

    assert not [row for row in rows if "repeat" in row]


def test_v_lists_all_of_both_arms_and_where_the_spread_is() -> None:
    rows = shown([Category("simple", both=2, neither=2)], verbosity=1)

    start = rows.index("model: 1 of 4 repeated cases flips between repeats")
    # Means 1, 1, 0 and 1/3: within (2/3) / 8; between (3 x 0.75 / 3 - 1/12) / 3.
    assert rows[start : start + 6] == [
        "model: 1 of 4 repeated cases flips between repeats",
        "  variance of passing: 0.083 within cases, 0.222 between them",
        "  evals/tools.evalcase.yaml::simple-04  1 of 3 repeats passed",
        "baseline: 1 of 4 repeated cases flips between repeats",
        "  variance of passing: 0.083 within cases, 0.222 between them",
        "  evals/tools.evalcase.yaml::simple-04  1 of 3 repeats passed",
    ]


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        ([True], ""),
        ([False], ""),
        ([True, True], "2 of 2 repeats passed"),
        ([False, False], "0 of 2 repeats passed"),
        ([True, False, True], "unstable, 2 of 3 repeats passed"),
    ],
)
def test_a_case_is_unstable_if_some_repeats_passed_and_others_failed(passes: list[bool], said: str) -> None:
    trials = [trial(MODEL, passed, repeat=repeat) for repeat, passed in enumerate(passes, 1)]

    assert repeats_passed(trials) == said


def test_an_error_beside_passes_is_no_instability() -> None:
    trials = [trial(MODEL, repeat=1), errored(MODEL, repeat=2)]

    assert repeats_passed(trials) == "1 of 2 repeats passed"


def test_a_repeat_passes_if_all_its_tests_passed() -> None:
    first, second = (trial(BASELINE, repeat=repeat) for repeat in (1, 2))
    other = replace(second, key=second.key._replace(item="tests/test_tone.py::test"), outcome=Outcome.FAILED)

    assert repeats_passed([first, second, other]) == "unstable, 1 of 2 repeats passed"

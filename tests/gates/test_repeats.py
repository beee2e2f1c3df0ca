"""Several answers to a case: `pass_at`, `pass_all`, `majority`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import CriterionResult, Status
from tests.support.records import case, gate_of, judged, result, trials


def repeated(letters: list[str], metric: str, repeat: int = 4, **criterion: Any) -> CriterionResult:
    cases = [case(f"c{number}", repeat=repeat, arms=[Arm.MODEL]) for number in range(len(letters))]
    came_in = [one for planned, each in zip(cases, letters, strict=True) for one in trials(planned, each)]
    gate = gate_of(metric=metric, **{"at_least": "50%", **criterion})
    return result(judged(cases, came_in, gate | {"max_errors": 9}))


@pytest.mark.parametrize(
    ("metric", "observed"),
    [
        ("pass_rate", Fraction(1, 2)),
        ("pass_at:1", Fraction(1, 2)),
        ("pass_at:2", Fraction(5, 6)),  # 1 - C(2, 2) / C(4, 2)
        ("pass_at:4", Fraction(1)),
        ("pass_all:1", Fraction(1, 2)),
        ("pass_all:2", Fraction(1, 6)),
        ("pass_all:4", Fraction(0)),
        ("majority", Fraction(0)),
    ],
)
def test_two_passes_of_four_answers(metric: str, observed: Fraction) -> None:
    assert repeated(["PFPF"], metric).observed == observed


def test_the_value_is_the_mean_over_cases_and_each_case_weighs_alike() -> None:
    found = repeated(["PPPP", "PFFF", "FFFF"], "pass_at:2")

    assert (found.observed, found.n) == (Fraction(1, 2), 3)
    assert repeated(["PPPF", "PFFF", "PPFF"], "majority").observed == Fraction(1, 3)


def test_an_error_is_an_answer_that_failed() -> None:
    assert repeated(["PEEE"], "pass_all:1").observed == Fraction(1, 4)


def test_more_answers_than_there_are_say_nothing() -> None:
    found = repeated(["PPPP"], "pass_at:5")

    assert (found.status, found.reason) == (
        Status.NOT_MEASURED,
        "no case has 5 repeats: give the cases `repeat: 5` or more",
    )


def test_some_cases_with_too_few_repeats_leave_it_open() -> None:
    cases = [case("a", repeat=3, arms=[Arm.MODEL]), case("b", arms=[Arm.MODEL])]

    found = result(judged(cases, None, gate_of(metric="pass_at:3", at_least="50%")))

    assert (found.status, found.reason) == (
        Status.INCONCLUSIVE,
        "100% on 1 case; 1 of 2 cases have fewer than 3 repeats",
    )


def test_repeats_are_compared_as_pairs() -> None:
    planned = case("a", repeat=2)
    gate = gate_of(metric="pass_all:2", compare="delta", at_least="0%")

    found = result(judged([planned], trials(planned, "PP", "PF"), gate))

    assert found.reason == "+100 points on 1 case (from 0% to 100%), ≥ 0% is needed; noise could explain it"


def test_a_metric_of_repeats_judges_its_cases() -> None:
    planned = case("a", repeat=2, arms=[Arm.MODEL])

    verdict = judged([planned], trials(planned, "PF"), gate_of(metric="pass_at:2", at_least="50%")).verdict

    assert [one.name for one in verdict.criteria] == ["rate"]

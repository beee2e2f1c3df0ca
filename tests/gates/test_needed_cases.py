"""How many more cases would decide, or why no number of cases does."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import CriterionResult, Status
from tests.gates.test_evidence import STRICT, paired, rated
from tests.support.records import case, gate_of, judged, result, trial


def more(found: CriterionResult) -> str:
    assert found.status is Status.INCONCLUSIVE
    return found.reason.rpartition("; ")[2]


def test_one_case_is_told_as_one() -> None:
    assert more(rated(10, 10, at_least="80%")) == "about 1 more case would decide"
    assert more(rated(9, 9, at_least="80%")) == "about 2 more cases would decide"


@pytest.mark.parametrize(("wins", "losses"), [(1, 1), (2, 1), (1, 2)])
def test_a_fall_of_the_baselines_is_as_hard_to_show_as_a_rise(wins: int, losses: int) -> None:
    rise = paired(17, wins, losses, 3, at_least="-5%")
    fall = paired(17, losses, wins, 3, at_most="5%")

    assert more(rise) == more(fall)
    assert more(rise).startswith("about ")


def test_a_rise_has_to_fit_between_the_baseline_and_all() -> None:
    assert more(paired(19, 1, 0, 0, at_least="5%")).startswith("exactly at the threshold")
    assert "leaves" not in more(paired(18, 0, 1, 1, at_least="5%"))
    assert "leaves" not in more(paired(20, 0, 0, 0, at_most="5%"))
    assert more(paired(19, 0, 1, 0, at_least="1%")) == (
        "a baseline at 100% leaves no room for a rise, so it can't be met"
    )


def spent(model: int, baseline: int, **criterion: Any) -> CriterionResult:
    """Tokens of eight cases of both arms, a little spread."""
    cases = [case(f"c{number}") for number in range(8)]
    tokens = {Arm.MODEL: model, Arm.BASELINE: baseline}
    came_in = [
        trial(key, tokens=tokens[key.arm] + (number * 3 + (key.arm is Arm.MODEL)) % 5)
        for number, planned in enumerate(cases)
        for key in planned.trial_keys()
    ]
    return result(judged(cases, came_in, gate_of(metric="tokens", compare="delta", **criterion) | STRICT))


def test_numbers_without_an_end_have_room_for_any_rise() -> None:
    assert more(spent(10, 9, at_least="1.5")).startswith("about ")
    assert more(spent(10, 9, at_most="0.5")).startswith("about ")

"""The verdict's sentence and reasons: who is counted, who is named, who is left out."""

from __future__ import annotations

from fractions import Fraction
from types import MappingProxyType
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import BUILTIN_METRICS, Metric, Word, assess
from tests.support.records import case, gate_of, judged, record, result, trials


def gate(*thresholds: str, **rest: Any) -> dict[str, Any]:
    rows = {f"c{n}": {"metric": "pass_rate", "at_least": at_least} for n, at_least in enumerate(thresholds)}
    return {"min_cases": 1, "criteria": rows, **rest}


CASES = [case("a", arms=[Arm.MODEL]), case("b", arms=[Arm.MODEL])]
HALF = [*trials(CASES[0], "P"), *trials(CASES[1], "F")]


@pytest.mark.parametrize(("n", "tail"), [(2, ""), (3, ""), (4, " and 1 more"), (6, " and 3 more")])
def test_three_criteria_are_named_and_the_others_counted(n: int, tail: str) -> None:
    verdict = judged(CASES, HALF, gate(*["50%"] * n)).verdict

    named = ", ".join(f"c{number} (50% on 2 cases, ≥ 50% is needed)" for number in range(min(n, 3)))
    assert verdict.sentence == f"all {n} deciding criteria are met: {named}{tail}".replace(
        "is needed)", "is needed; noise could explain it)"
    )


def test_a_ship_needs_no_reasons() -> None:
    verdict = judged(CASES, HALF, gate("50%", "0%")).verdict

    assert (verdict.word, verdict.reasons) == (Word.SHIP, ())


def test_what_is_not_decided_is_not_among_what_is_not_met() -> None:
    raw = gate("50%", "90%")
    raw["criteria"]["thin"] = {"metric": "pass_rate", "at_least": "0%", "min_cases": 9}

    verdict = judged(CASES, HALF, raw).verdict

    assert verdict.word is Word.ITERATE
    assert verdict.sentence.startswith("1 of 3 deciding criteria is not met: c1 (50% on 2 cases")
    assert [reason.partition(":")[0] for reason in verdict.reasons] == ["c1 is NO-GO", "thin is INCONCLUSIVE"]


def test_the_gate_in_a_record_may_name_a_plugins_metric() -> None:
    metric = Metric(name="length", doc="", nothing="", take=lambda found: [(Fraction(5),)])
    table = MappingProxyType({**BUILTIN_METRICS, "length": metric})

    made = assess(record(CASES, HALF, gate=gate_of(metric="length", at_most="9")), metrics=table)

    assert result(made).observed == 5
    assert made.verdict.warnings == ()


@pytest.mark.parametrize(
    ("n", "told"),
    [
        (10, "simple (-10 points, -42 to 23, on 10 cases)"),
        (1000, "simple (-10 points, -12.0 to -8.3, on 1000 cases)"),
    ],
)
def test_a_category_that_dropped_is_told_with_its_interval(n: int, told: str) -> None:
    cases = [case(f"c{number:04}") for number in range(n)]
    came_in = [
        one for number, planned in enumerate(cases) for one in trials(planned, "FP"[number >= n // 10])
    ]

    verdict = judged(cases, came_in, gate("0%")).verdict

    assert verdict.sentence.endswith(f"; flagged: category {told} dropped by more than 5 points")

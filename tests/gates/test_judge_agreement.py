"""The criterion `judge_agreement`: trust in a judge is measured, or the gate stays shut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_ftgate.gates import Status, assess, parse_gate
from pytest_ftgate.record import Calibration, Record, merged_calibrations, parse_record, record_lines
from tests.support.records import case, record, trials

JUDGE = {"name": "strict", "kind": "openai", "host": "http://x/v1"}
GATE: dict[str, Any] = {
    "min_cases": "1",
    "criteria": {"trusted": {"metric": "judge_agreement", "at_least": "0.6", "min_cases": "20"}},
}


def calibration(both: int, lenient: int, strict: int, neither: int, **changes: Any) -> Calibration:
    pairs = (
        *[("pass", "pass")] * both,
        *[("fail", "pass")] * lenient,
        *[("pass", "fail")] * strict,
        *[("fail", "fail")] * neither,
    )
    return Calibration(**{"judges": (JUDGE,), "check": "abc", "pairs": pairs, **changes})


def result(*calibrations: Calibration, checks: tuple[str, ...] = ("abc",), **gate: Any) -> Any:
    planned = case("one")
    whole = record([planned], trials(planned))
    models = {**whole.run.models, "judge": {**JUDGE, "checks": list(checks)}}
    run = replace(whole.run, models=models, calibrations=merged_calibrations(calibrations))
    whole = replace(whole, run=run)
    again: Record = parse_record(record_lines(whole), "record.jsonl")
    assert again.run == whole.run
    return assess(again, parse_gate({**GATE, **gate}))


def status(assessment: Any) -> tuple[Status, str]:
    found = next(one for one in assessment.verdict.criteria if one.name == "trusted")
    return found.status, found.reason


def test_a_judge_that_agrees_with_people_is_trusted() -> None:
    assessment = result(calibration(30, 2, 2, 26))

    assert status(assessment) == (Status.GO, "0.866 on 60 labelled answers, ≥ 0.6 is needed")


def test_a_judge_that_does_not_is_not() -> None:
    assert status(result(calibration(20, 10, 5, 15))) == (
        Status.NO_GO,
        "0.4 on 50 labelled answers, ≥ 0.6 is needed; noise could explain it",
    )


def test_the_least_of_several_calibrations_counts() -> None:
    found = result(calibration(30, 2, 2, 26), calibration(20, 10, 5, 15, check="def"), checks=("abc", "def"))

    assert status(found)[0] is Status.NO_GO


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            calibration(30, 2, 2, 26, check="other"),
            "no calibration of this run's judges was given: make one with `ftgate judge calibrate`, and "
            "name it by --ftgate-calibration",
        ),
        (
            calibration(30, 2, 2, 26, judges=({**JUDGE, "revision": "2"},)),
            "no calibration of this run's judges was given: make one with `ftgate judge calibrate`, and "
            "name it by --ftgate-calibration",
        ),
    ],
)
def test_a_calibration_of_something_else_does_not_count_and_is_named(found: Calibration, said: str) -> None:
    assessment = result(found)

    assert status(assessment) == (Status.NOT_MEASURED, said)
    assert assessment.verdict.word == "INCONCLUSIVE"
    assert assessment.verdict.warnings[-1] == (
        "a calibration of strict is of another judge, or another check, than this run's: it does not count"
    )


@pytest.mark.parametrize(
    ("found", "checks", "said"),
    [
        (
            calibration(30, 2, 2, 26, errors=3),
            ("abc",),
            "3 labelled answers were not judged: calibrate every check, on answers that can be judged",
        ),
        (
            calibration(30, 2, 2, 26),
            ("abc", "def"),
            "1 check of the judges is not calibrated: calibrate every check, on answers that can be judged",
        ),
        (
            calibration(30, 0, 0, 0),
            ("abc",),
            "n/a on 30 labelled answers: only one label was ever given, so that chance alone would agree",
        ),
        (
            calibration(5, 0, 0, 5),
            ("abc",),
            "1 on 10 labelled answers; 20 labelled answers are the least that decide (min_cases)",
        ),
    ],
)
def test_what_a_calibration_leaves_open_is_inconclusive(
    found: Calibration, checks: tuple[str, ...], said: str
) -> None:
    assert status(result(found, checks=checks)) == (Status.INCONCLUSIVE, said)


def test_strict_evidence_wants_the_bound_of_the_bootstrap() -> None:
    few, many = calibration(9, 2, 1, 8), calibration(120, 4, 4, 120)

    assert status(result(few, evidence="strict"))[0] is Status.INCONCLUSIVE
    assert status(result(many, evidence="strict"))[0] is Status.GO

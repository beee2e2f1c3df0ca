"""Times of two arms under `evidence: strict`: how many calls it takes, and what is said of fewer."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import CriterionResult, Status
from pytest_ftgate.reports.json_report import report_json
from tests.gates.test_evidence import STRICT
from tests.support.records import case, gate_of, judged, result, trial


def compared_times(calls: int, metric: str, baseline_s: float = 0.5, **criterion: Any) -> CriterionResult:
    cases = [case(f"c{number:03}") for number in range(calls)]
    came_in = [
        trial(key, latency_s=0.1 + number / 1000 if key.arm is Arm.MODEL else baseline_s)
        for number, planned in enumerate(cases)
        for key in planned.trial_keys()
    ]
    return result(judged(cases, came_in, gate_of(metric=metric, **criterion) | STRICT))


def test_a_ratio_of_percentiles_takes_as_many_calls_as_one_of_them() -> None:
    few = compared_times(298, "latency_p99", compare="ratio", at_most="2")
    enough = compared_times(299, "latency_p99", compare="ratio", at_most="2")

    assert (few.status, few.reason, few.interval) == (
        Status.INCONCLUSIVE,
        "0.79 times the baseline on 298 calls (from 0.5 s to 0.395 s), "
        "without an upper bound at 95% confidence; ≤ 2 is needed; it takes at least 1 more call",
        None,
    )
    assert (enough.status, enough.reason) == (
        Status.GO,
        "0.792 times the baseline on 299 calls (from 0.5 s to 0.396 s), "
        "at most 0.796 times with 95% confidence; ≤ 2 is needed",
    )


def test_too_slow_a_ratio_of_few_calls_is_without_a_lower_bound() -> None:
    found = compared_times(40, "latency_p95", baseline_s=0.05, compare="ratio", at_most="2")

    assert (found.status, found.reason) == (
        Status.INCONCLUSIVE,
        "2.74 times the baseline on 40 calls (from 0.05 s to 0.137 s), "
        "without a lower bound at 95% confidence; ≤ 2 is needed; it takes at least 19 more calls",
    )


@pytest.mark.parametrize(
    ("evidence", "bound"),
    [("point", ""), ("strict", ", at least 1.79769313486e+308 times with 95% confidence;")],
)
def test_a_ratio_beyond_all_floats_is_no_go(evidence: str, bound: str) -> None:
    cases = [case(f"c{number:03}") for number in range(20)]
    came_in = [
        trial(key, latency_s=1e300 if key.arm is Arm.MODEL else 1e-300)
        for planned in cases
        for key in planned.trial_keys()
    ]
    gate = gate_of(metric="latency_p50", compare="ratio", at_most="2", evidence=evidence)

    found = judged(cases, came_in, gate)

    assert result(found).status is Status.NO_GO
    assert result(found).reason == (
        "1.000000e+600 times the baseline on 20 calls (from 1e-300 s to 1e+300 s)"
        f"{bound or ','} ≤ 2 is needed"
    )
    assert report_json(found)["criteria"][0]["observed"] is None

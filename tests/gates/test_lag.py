"""A client that was late itself can't say how fast the endpoints are."""

from __future__ import annotations

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment, CriterionResult, Status, Word
from pytest_ftgate.record import PlannedCase, Trial
from tests.support.records import case, gate_of, judged, result, trial

CASES = [case("a"), case("b"), case("c")]


def measured(cases: list[PlannedCase], model_s: float, baseline_s: float) -> list[Trial]:
    seconds = {Arm.MODEL: model_s, Arm.BASELINE: baseline_s}
    return [
        trial(key, latency_s=seconds[key.arm], time_to_first_token_s=seconds[key.arm] / 4)
        for one in cases
        for key in one.trial_keys()
    ]


def found(lag_p95_s: float | None, **criterion: str) -> CriterionResult:
    came_in = measured(CASES, model_s=0.5, baseline_s=0.25)
    return result(judged(CASES, came_in, gate_of(**criterion), lag_p95_s=lag_p95_s))


RATIO = {"metric": "latency_p50", "compare": "ratio"}


@pytest.mark.parametrize("at_most", ["1.5", "3"])
def test_a_client_later_than_5_percent_of_an_arms_median_decides_nothing(at_most: str) -> None:
    criterion = found(0.0126, **RATIO, at_most=at_most)

    assert criterion.status is Status.INCONCLUSIVE
    assert criterion.reason == (
        "2 times the baseline on 3 calls (from 0.25 s to 0.5 s); "
        "this client was too busy (0.013 s late at a median of 0.25 s): lower --ftgate-concurrency"
    )


@pytest.mark.parametrize("lag_p95_s", [None, 0.0, 0.0125])
def test_up_to_5_percent_and_where_nothing_is_known_latency_counts(lag_p95_s: float | None) -> None:
    assert found(lag_p95_s, **RATIO, at_most="3").status is Status.GO


def test_a_criterion_on_the_model_alone_asks_for_the_models_median_only() -> None:
    assert found(0.02, metric="latency_p50", at_most="1").status is Status.GO
    assert found(0.03, metric="latency_p50", at_most="1").status is Status.INCONCLUSIVE


def test_a_time_to_first_token_is_compared_with_the_lag_itself() -> None:
    assert found(0.01, metric="time_to_first_token_p50", at_most="1").status is Status.INCONCLUSIVE
    assert found(0.005, metric="time_to_first_token_p50", at_most="1").status is Status.GO


@pytest.mark.parametrize("metric", ["pass_rate", "win_rate"])
def test_what_is_no_time_does_not_care(metric: str) -> None:
    assert found(9.0, metric=metric, at_least="0%").status is Status.GO


def test_without_measured_calls_the_lag_is_not_the_reason() -> None:
    unmeasured = [trial(key) for one in CASES for key in one.trial_keys()]

    criterion = result(judged(CASES, unmeasured, gate_of(metric="latency_p50", at_most="1"), lag_p95_s=9.0))

    assert criterion.status is not Status.GO
    assert "too busy" not in criterion.reason


def assessed(lag_p95_s: float, **criterion: str) -> Assessment:
    gate = gate_of(**criterion, optional="true")
    return judged(CASES, measured(CASES, model_s=0.5, baseline_s=0.25), gate, lag_p95_s=lag_p95_s)


def test_optional_times_that_are_met_by_a_busy_clients_clock_do_not_decide_and_a_warning_says_so() -> None:
    assessment = assessed(0.0126, **RATIO, at_most="3")

    criterion = result(assessment)
    assert (criterion.status, criterion.decides) == (Status.INCONCLUSIVE, False)
    assert assessment.verdict.warnings == (
        f"{criterion.name} did not decide: this client was too busy (0.013 s late at a median of 0.25 s): "
        "lower --ftgate-concurrency",
    )


def test_optional_times_that_are_missed_block_however_busy_the_client_was() -> None:
    assessment = assessed(0.0126, **RATIO, at_most="1.5")

    assert (result(assessment).status, result(assessment).decides) == (Status.INCONCLUSIVE, True)
    assert assessment.verdict.word is not Word.SHIP


def test_optional_times_of_a_client_that_was_on_time_decide() -> None:
    assert result(assessed(0.0, **RATIO, at_most="3")).decides
    assert assessed(0.0, **RATIO, at_most="3").verdict.warnings == ()

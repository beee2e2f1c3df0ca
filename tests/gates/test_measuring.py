"""What a criterion takes from the trials of both arms, and what an error takes away from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.gates import (
    BUILTIN_METRICS,
    CriterionResult,
    GateError,
    Metric,
    Status,
    Unbounded,
    assess,
    parse_gate,
)
from pytest_ftgate.gates.metrics import metric_of
from pytest_ftgate.gates.strata import BY_TRAFFIC
from pytest_ftgate.record import PlannedCase, Trial
from tests.support.records import case, gate_of, judged, record, result, trial, trials

MODEL_ONLY = [Arm.MODEL]


def of_metric(
    metric: Metric, cases: Sequence[PlannedCase], came_in: Sequence[Trial], gate: Mapping[str, Any]
) -> CriterionResult:
    """The result of a criterion on a plugin's metric."""
    table = MappingProxyType({**BUILTIN_METRICS, metric.name: metric})
    return result(assess(record(cases, came_in), parse_gate(gate, metrics=table), metrics=table))


@pytest.mark.parametrize(
    ("letters", "sides"),
    [(("F", "P"), "(from 100% to 0%)"), (("P", "F"), "(from 0% to 100%)"), (("F", "F"), "(from 0% to 0%)")],
)
def test_an_arm_that_passes_nothing_is_shown_at_nothing(letters: tuple[str, str], sides: str) -> None:
    planned = case("a")

    found = result(judged([planned], trials(planned, *letters), gate_of(compare="delta", at_least="-100%")))

    assert sides in found.reason


def test_a_rate_that_lacks_a_group_counts_the_cases_that_it_has() -> None:
    cases = [case("a", category="x", arms=MODEL_ONLY), case("b", category="x", arms=MODEL_ONLY)]
    gate = gate_of(metric="weighted_pass_rate", at_least="50%") | {"traffic": {"x": "50%", "y": "50%"}}

    found = result(judged(cases, None, gate))

    assert (found.status, found.n) == (Status.INCONCLUSIVE, 2)


def test_a_part_that_nothing_bounds_leaves_the_whole_without_bounds() -> None:
    metric = Metric(
        name="half_known",
        doc="",
        unit="rate",
        nothing="",
        passed=lambda one: one.outcome == "passed",
        estimate=lambda sampled: Unbounded(why=f"{len(sampled.rows)} cases are no sample"),
        split=BY_TRAFFIC,
    )
    cases = [case(name, category=name, arms=MODEL_ONLY) for name in "xy"]
    gate = gate_of(metric="half_known", at_least="50%") | {
        "traffic": {"x": "50%", "y": "50%"},
        "evidence": "strict",
    }

    found = of_metric(metric, cases, [one for planned in cases for one in trials(planned)], gate)

    assert (found.status, found.interval) == (Status.INCONCLUSIVE, None)
    assert found.reason == "100% on 2 cases (100% unweighted), ≥ 50% is needed; 1 cases are no sample"


@pytest.mark.parametrize(
    ("mode", "models"),
    [("recorded", {}), ("mixed", {"model": {"kind": "recorded"}})],
)
def test_an_error_takes_no_time_away_where_none_is_measured(mode: str, models: dict[str, Any]) -> None:
    cases = [case("a", arms=MODEL_ONLY), case("b", arms=MODEL_ONLY)]
    came_in = [*trials(cases[0], "E"), *trials(cases[1], tokens=5)]
    gate = {
        "min_cases": 1,
        "max_errors": 1,
        "criteria": {
            "time": {"metric": "latency_p50", "at_most": "1", "optional": True},
            "tokens": {"metric": "tokens", "at_most": "9"},
        },
    }

    made = judged(cases, came_in, gate, mode=mode, models=models)

    assert (result(made, "time").status, result(made, "time").decides) == (Status.NOT_MEASURED, False)
    assert result(made, "tokens").reason == "1 value was lost to errors"


def test_a_recorded_baseline_takes_the_times_of_a_comparison_only() -> None:
    planned = case("a")
    models = {"baseline": {"kind": "recorded"}, "model": {"kind": "openai"}}
    gate = {
        "min_cases": 1,
        "max_errors": 2,
        "criteria": {
            "alone": {"metric": "latency_p50", "at_most": "1"},
            "compared": {"metric": "latency_p50", "compare": "ratio", "at_most": "2"},
        },
    }

    made = judged([planned], trials(planned, "E", "E"), gate, mode="mixed", models=models)

    assert result(made, "alone").reason == "1 value was lost to errors"
    assert result(made, "compared").status is Status.NOT_MEASURED


def test_an_answer_whose_trial_errored_is_not_taken_into_a_number() -> None:
    longest = Metric(
        name="longest",
        doc="",
        nothing="",
        take=lambda found: [(Fraction(len(one.completion.text)),) for one in found if one.completion],
    )
    cases = [case("a", arms=MODEL_ONLY), case("b", arms=MODEL_ONLY)]
    errored = Completion(text="a very long answer")
    came_in = [
        trial(next(iter(cases[0].trial_keys())), "E", completion=errored),
        trial(next(iter(cases[1].trial_keys())), completion=Completion(text="Rome")),
    ]

    found = of_metric(longest, cases, came_in, gate_of(metric="longest", at_most="99") | {"max_errors": 1})

    assert (found.status, found.observed, found.n) == (Status.INCONCLUSIVE, 4, 1)


def clocked(seconds: Sequence[tuple[float | None, float | None]], repeat: int = 1) -> tuple[Any, list[Trial]]:
    """Cases whose calls took so long on each arm; None where nothing was measured."""
    cases = [case(f"c{number:03}", repeat=repeat) for number in range(len(seconds) // repeat)]
    rows = iter(seconds)
    came_in = []
    for planned in cases:
        times = [next(rows) for _ in range(repeat)]
        for key in planned.trial_keys():
            latency_s = times[key.repeat - 1][0 if key.arm is Arm.MODEL else 1]
            came_in.append(trial(key, completion=Completion(text="x", latency_s=latency_s)))
    return cases, came_in


@pytest.mark.parametrize("repeat", [1, 3])
def test_calls_are_compared_where_both_arms_were_measured(repeat: int) -> None:
    cases, came_in = clocked([(0.2, 0.1), (9.0, None), (None, 9.0)], repeat)

    def observed(**criterion: Any) -> CriterionResult:
        return result(judged(cases, came_in, gate_of(metric="latency_p95", at_most="99", **criterion)))

    assert (observed(compare="ratio").observed, observed(compare="ratio").n) == (2, 1)
    assert (observed().observed, observed().n) == (9, 2)


def test_the_median_that_lateness_is_compared_with_is_the_nearest_rank() -> None:
    cases, came_in = clocked([(number / 100, None) for number in range(1, 101)])
    gate = gate_of(metric="latency_p50", at_most="9")

    def status(lag_p95_s: float) -> Status:
        return result(judged(cases, came_in, gate, lag_p95_s=lag_p95_s)).status

    assert status(0.025) is Status.GO
    assert status(0.0251) is Status.INCONCLUSIVE


def test_a_plugins_seconds_are_no_calls_that_a_busy_client_could_delay() -> None:
    thinking = Metric(
        name="thinking", doc="", unit="seconds", nothing="", take=lambda found: [(Fraction(1, 10),)]
    )
    words = Metric(name="words", doc="", counts="calls", nothing="", take=lambda found: [(Fraction(1, 10),)])
    planned = case("a", arms=MODEL_ONLY)

    for metric in (thinking, words):
        table = MappingProxyType({**BUILTIN_METRICS, metric.name: metric})
        gate = parse_gate(gate_of(metric=metric.name, at_most="1"), metrics=table)
        made = assess(record([planned], trials(planned), lag_p95_s=9.0), gate, metrics=table)
        assert result(made).status is Status.GO


# What a name stands for


def test_a_list_of_names_is_never_a_metric_of_the_table_or_of_a_family() -> None:
    assert metric_of(("bleu", "tone"), BUILTIN_METRICS).name == "bleu and tone"
    assert metric_of(("mean:tone", "chrf"), BUILTIN_METRICS).name == "mean:tone and chrf"


@pytest.mark.parametrize("name", ["pass_at:0", "pass_all:0", "pass_at:many"])
def test_a_family_needs_a_whole_number_from_1(name: str) -> None:
    with pytest.raises(GateError, match=r"^metric: .* whole number from 1"):
        metric_of((name,), BUILTIN_METRICS)


@pytest.mark.parametrize("name", ["tone", "mean:tone", "pass_at:2", "majority", "bleu", "chrf"])
def test_shares_of_entries_are_compared_as_differences_and_not_as_ratios(name: str) -> None:
    row = {"metric": name, "at_least": "2"}

    assert parse_gate({"criteria": {"x": {**row, "at_least": "0%", "compare": "delta"}}}).criteria
    with pytest.raises(GateError, match="can't be compared as ratio; it takes `value` or `delta`"):
        parse_gate({"criteria": {"x": {**row, "compare": "ratio"}}})


@pytest.mark.parametrize("name", ["human_preference", "agreement", "judge_agreement", "win_rate"])
def test_what_both_arms_make_together_is_not_compared(name: str) -> None:
    with pytest.raises(GateError, match="can't be compared as delta; it takes `value`"):
        parse_gate({"criteria": {"x": {"metric": name, "at_least": "5%", "compare": "delta"}}})


@pytest.mark.parametrize("metric", ["latency_p50", "time_to_first_token_p50", "tokens", "cost"])
def test_an_answer_that_nothing_judges_is_measured(metric: str) -> None:
    planned = case("a", expect=(), arms=MODEL_ONLY)
    answer = Completion(
        text="x", latency_s=0.5, time_to_first_token_s=0.5, cost=0.5, usage=Usage(output_tokens=7)
    )
    came_in = [trial(key, completion=answer) for key in planned.trial_keys()]

    assert result(judged([planned], came_in, gate_of(metric=metric, at_most="9"))).status is Status.GO


def test_a_perplexity_is_bounded_and_compared_like_any_score_of_a_corpus() -> None:
    cases = [case(f"c{number}") for number in range(8)]
    came_in = [
        trial(key, completion=Completion(text="x", logprobs=(-1.0 - number / 10, -0.5)))
        for number, planned in enumerate(cases)
        for key in planned.trial_keys()
    ]
    gate = gate_of(metric="perplexity", compare="delta", at_most="0")

    alone = result(judged(cases, came_in, gate_of(metric="perplexity", at_most="9")))
    compared = result(judged(cases, came_in, gate))

    assert alone.interval is not None
    assert alone.interval[0] < float(alone.observed or 0) < alone.interval[1]
    assert (compared.observed, compared.interval, compared.p_value) == (0, (0.0, 0.0), 1.0)


@pytest.mark.parametrize("metric", ["tokens", "cost"])
def test_an_answer_that_a_scorer_choked_on_has_cost_what_it_cost(metric: str) -> None:
    planned = case("a", arms=MODEL_ONLY)
    answer = Completion(text="x", cost=0.5, usage=Usage(output_tokens=7))
    came_in = [trial(key, "E", completion=answer) for key in planned.trial_keys()]

    found = result(judged([planned], came_in, gate_of(metric=metric, at_most="9") | {"max_errors": 1}))

    assert found.status is Status.GO

"""Criteria without a formula: planned by the numbers of an earlier run, or with a word on how to get them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm, EvalCase, Expectation
from pytest_ftgate.gates import BUILTIN_METRICS
from pytest_ftgate.gates.selection import scopes
from pytest_ftgate.planning import (
    Answerer,
    Assumptions,
    CriterionPlan,
    Observed,
    Prospect,
    observed_in_record,
    plan_run,
)
from pytest_ftgate.planning.earlier import Scaled
from pytest_ftgate.record import Record, case_plan
from pytest_ftgate.record.plan import PlannedItem
from pytest_ftgate.reports.lines import plain_text
from pytest_ftgate.reports.plan_report import render_plan
from pytest_ftgate.scores import Score
from tests.planning.previews import BOTH, cases, one_criterion, preview
from tests.support.records import record, trial

GRADED = (Expectation(scorer="rouge_l"),)
PRICED = Answerer(name="tuned", kind="openai", price=(1.0, 2.0))


def earlier(of: Sequence[EvalCase], *rows: dict[Arm, dict[str, Any]], outcome: str = "P") -> Observed:
    """A run of these cases; what was measured goes round by case."""
    planned = [case_plan(one, [PlannedItem(nodeid=f"{one.path}::{one.id}", arms=BOTH)]) for one in of]
    told = [
        trial(key, outcome, **rows[number % len(rows)].get(key.arm, {}))
        for number, one in enumerate(planned)
        for key in one.trial_keys()
    ]
    return observed_in_record("run.jsonl", record(planned, told))


def both(**measured: Any) -> dict[Arm, dict[str, Any]]:
    return dict.fromkeys(BOTH, measured)


def planned(
    of: Sequence[EvalCase],
    observed: Observed | None,
    assumptions: Assumptions | None = None,
    **criterion: Any,
) -> CriterionPlan:
    gate = one_criterion(**criterion)
    made = preview(of, gate, answerers=dict.fromkeys(BOTH, PRICED))
    return plan_run(made, assumptions, observed).criteria[0]


TIMES = [both(latency_s=seconds) for seconds in (0.8, 1.0, 1.2, 1.4)]


def test_without_an_earlier_run_it_says_how_to_know() -> None:
    outlook = planned(cases(40), None, metric="latency_p50", at_most="2").outlook

    assert (outlook.prospect, outlook.sentence, outlook.remedy) == (
        Prospect.UNKNOWN,
        "how much this number varies by chance, only a run can tell",
        "give --from RECORD of an earlier run",
    )


def test_times_far_from_the_threshold_are_decided() -> None:
    of = cases(40)

    plan = planned(of, earlier(of, *TIMES), metric="latency_p50", at_most="2")

    for outlook in plan.outlooks.values():
        assert (outlook.prospect, outlook.sentence, outlook.remedy) == (
            Prospect.DECIDABLE,
            "if it truly is as in run.jsonl (1 s on 40 calls): GO in over 99% of runs",
            "",
        )
    assert plan.truth is None


def test_a_time_beyond_the_threshold_is_to_be_seen_as_no_go() -> None:
    of = cases(40)

    plan = planned(of, earlier(of, *TIMES), metric="latency_p50", at_most="0.5")

    assert plan.outlooks["strict"].sentence == (
        "if it truly is as in run.jsonl (1 s on 40 calls): NO-GO in over 99% of runs"
    )


def test_a_mean_near_the_threshold_says_about_how_many_more() -> None:
    """Tokens 100 ± 20: a mean of 40 cases varies by about 3."""
    of = cases(40)
    seen = earlier(of, both(tokens=80), both(tokens=120))

    plan = planned(of, seen, metric="tokens", at_most="105")

    point, strict = plan.outlooks["point"], plan.outlooks["strict"]
    assert (point.prospect, point.remedy) == (Prospect.DECIDABLE, "")
    assert strict.prospect is Prospect.TOO_FEW
    assert strict.needed == pytest.approx((20 * (1.645 + 0.842) / 5) ** 2, rel=0.1)
    assert strict.remedy == f"add about {(strict.needed or 0) - 40} cases"
    assert strict.sees.startswith("97.")


def test_a_value_at_the_threshold_is_decided_by_no_number_of_cases() -> None:
    of = cases(40)
    seen = earlier(of, both(tokens=80), both(tokens=120))

    strict = planned(of, seen, metric="tokens", at_most="100").outlooks["strict"]

    assert (strict.prospect, strict.needed, strict.remedy) == (
        Prospect.TOO_FEW,
        None,
        "this is too near the threshold: no number of cases decides it; move the threshold",
    )


def test_ratios_and_costs_are_told_in_their_own_words() -> None:
    of = cases(40)
    slower = {Arm.MODEL: {"latency_s": 1.1}, Arm.BASELINE: {"latency_s": 1.0}}
    same = {Arm.MODEL: {"latency_s": 0.9}, Arm.BASELINE: {"latency_s": 1.0}}

    ratio = planned(of, earlier(of, slower, same), metric="latency_p50", compare="ratio", at_most="1.5")
    cost = planned(of, earlier(of, both(cost=0.01), both(cost=0.03)), metric="cost", at_most="0.05")

    assert "(0.9 times on 40 calls): GO in over 99% of runs" in ratio.outlook.sentence
    assert "(0.02 on 40 cases): GO in over 99% of runs" in cost.outlook.sentence


def test_what_the_earlier_run_did_not_measure_is_said() -> None:
    of = cases(40)

    outlook = planned(of, earlier(of, both()), metric="latency_p50", at_most="2").outlook

    assert (outlook.prospect, outlook.sentence) == (
        Prospect.UNKNOWN,
        "run.jsonl has nothing of it: no call was measured (recorded and stored answers have no latency)",
    )


def test_an_earlier_run_may_be_too_short() -> None:
    of = cases(120)

    outlook = planned(of, earlier(of[:40], *TIMES), metric="latency_p99", at_most="2").outlook

    assert (outlook.prospect, outlook.sentence) == (
        Prospect.UNKNOWN,
        "run.jsonl tells too little of it: p99 of fewer than 100 calls is just their largest",
    )


def test_an_earlier_run_without_an_upper_bound_tells_nothing_of_more_calls() -> None:
    of = cases(400)

    outlook = planned(of, earlier(of[:200], *TIMES), metric="latency_p99", at_most="2").outlook

    assert (outlook.prospect, outlook.sentence) == (
        Prospect.UNKNOWN,
        "run.jsonl tells too little of it: nothing bounds 200 calls",
    )


def test_a_percentile_of_few_calls_is_never_shown_even_if_it_was_once_measured() -> None:
    of = cases(120)

    plan = planned(of[:40], earlier(of, *TIMES), metric="latency_p99", at_most="2")

    assert plan.outlooks["strict"].prospect is Prospect.NEVER
    assert (plan.outlooks["point"].prospect, plan.outlooks["point"].sentence) == (
        Prospect.UNKNOWN,
        "the p99 of 40 calls is just the slowest of them: a single slow call decides",
    )


def scored(value: float) -> dict[str, Any]:
    return {"scores": [Score(scorer="rouge_l", value=value, passed=True, explanation="")]}


def test_values_that_vary_little_need_fewer_cases_than_passes() -> None:
    of = cases(40, expect=GRADED)
    seen = earlier(of, both(**scored(0.90)), both(**scored(0.94)))

    alone = planned(of, None, metric="mean:rouge_l", at_least="85%").outlooks["strict"]
    known = planned(of, seen, metric="mean:rouge_l", at_least="85%").outlooks["strict"]

    assert alone.prospect is Prospect.TOO_FEW
    assert (known.prospect, known.sentence) == (
        Prospect.DECIDABLE,
        "if it truly is as in run.jsonl (92% on 40 cases): GO in over 99% of runs",
    )


def test_values_that_vary_little_are_never_surer_than_as_many_passes() -> None:
    of = cases(20, expect=GRADED)
    seen = earlier(of, both(**scored(0.90)), both(**scored(0.94)))

    alone = planned(of, None, metric="mean:rouge_l", at_least="90%").outlooks["strict"]
    known = planned(of, seen, metric="mean:rouge_l", at_least="88%").outlooks["strict"]

    assert (alone.prospect, alone.sentence, alone.remedy) == (
        Prospect.NEVER,
        "even 20 of 20 would not show ≥ 90% with 95% confidence; 25 of 25 would",
        "add at least 5 cases with `rouge_l` (about 168 for GO in 4 of 5 runs)",
    )
    # 0.92 less what 4.35 % unseen failures would cost is 0.88, and (1 - 0.0435)^68 is just below 5 %.
    assert (known.prospect, known.needed, known.chance) == (Prospect.TOO_FEW, 68, 0.0)


def test_too_few_values_by_the_rule_for_passes_may_still_do() -> None:
    of = cases(50, expect=GRADED)

    strict = planned(of, None, metric="mean:rouge_l", at_least="90%").outlooks["strict"]

    assert strict.remedy == (
        "add about 138 cases with `rouge_l`; fewer may do, since its values vary less than passes: "
        "give --from RECORD of an earlier run"
    )


def test_wins_are_planned_by_those_of_the_earlier_run_unless_something_is_given() -> None:
    of = cases(40, expect=GRADED)
    won = {Arm.MODEL: scored(0.9), Arm.BASELINE: scored(0.5)}
    lost = {Arm.MODEL: scored(0.4), Arm.BASELINE: scored(0.5)}
    seen = earlier(of, won, won, won, lost)

    known = planned(of, seen, metric="win_rate", at_least="50%")
    given_ = planned(of, seen, Assumptions(rate=0.6), metric="win_rate", at_least="50%")

    assert known.outlook.sentence == (
        "if it truly is as in run.jsonl (75% on 40 cases): GO in over 99% of runs"
    )
    assert given_.truth is not None
    assert (given_.truth.rate, given_.truth.source) == (0.6, "given")


def test_groups_of_cases_are_scaled_together() -> None:
    of = [*cases(30, tags=("train",)), *cases(30, category="new")]
    passes = [case_plan(one, [PlannedItem(nodeid=f"{one.path}::{one.id}", arms=BOTH)]) for one in of]
    told = [
        trial(key, "F" if number % 5 == 0 else "P")
        for number, one in enumerate(passes)
        for key in one.trial_keys()
    ]
    seen = observed_in_record("run.jsonl", record(passes, told))

    plan = planned(of, seen, metric="generalization_gap", seen="train", at_most="10%")

    strict = plan.outlooks["strict"]
    assert strict.sentence.startswith("if it truly is as in run.jsonl (0 points on 60 cases): GO in ")
    assert strict.remedy.endswith(" cases, of each group as many as now in proportion")
    assert (strict.needed or 0) > 60


def test_the_smaller_group_needs_min_cases_too() -> None:
    of = [*cases(30, tags=("train",)), *cases(8, category="new")]

    outlook = planned(
        of, None, metric="generalization_gap", seen="train", at_most="10%", min_cases="10"
    ).outlook

    assert (outlook.prospect, outlook.sentence, outlook.remedy) == (
        Prospect.NEVER,
        "the smaller group has 8 cases of the 10 that min_cases wants",
        "add 2 there",
    )


def test_a_cost_without_a_price_is_never_known() -> None:
    gate = one_criterion(metric="cost", at_most="0.01")

    outlook = plan_run(preview(cases(40), gate)).criteria[0].outlook

    assert (outlook.prospect, outlook.sentence, outlook.remedy) == (
        Prospect.NEVER,
        "what answers of gpt cost is not known",
        "give it a `price: {input, output}` in ftgate.yaml, or install pytest-ftgate[cost], "
        "which knows public prices",
    )


def test_no_go_in_one_of_many_parts_needs_more_cases() -> None:
    """Holm: of ten categories one misses by chance now and then."""
    of = [one for name in "abcdefghij" for one in cases(100, category=name)]
    bad = Assumptions(rate=0.8)

    alone = planned(of[:100], None, bad, at_least="90%", per="category").outlooks["strict"]
    among = planned(of, None, bad, at_least="90%", per="category").outlooks["strict"]
    good = planned(of, None, Assumptions(rate=0.97), at_least="90%", per="category").outlooks["strict"]

    assert (among.chance or 1) < (alone.chance or 0)
    assert (among.needed or 0) > (alone.needed or 0)
    assert (
        good.chance
        == planned(of[:100], None, Assumptions(rate=0.97), at_least="90%").outlooks["strict"].chance
    )


def test_items_of_another_name_take_what_is_known_of_their_case() -> None:
    of = cases(40)
    moved = [case_plan(one, [PlannedItem(nodeid=f"moved/{one.id}", arms=BOTH)]) for one in of]
    told = [trial(key, latency_s=1.0) for one in moved for key in one.trial_keys()]

    outlook = planned(
        of, observed_in_record("run.jsonl", record(moved, told)), metric="latency_p50", at_most="2"
    ).outlook

    assert "(1 s on 40 calls)" in outlook.sentence


def test_errors_of_the_earlier_run_say_nothing() -> None:
    of = cases(4)

    outlook = planned(of, earlier(of, *TIMES, outcome="E"), metric="latency_p50", at_most="2").outlook

    assert outlook.prospect is Prospect.UNKNOWN


def test_what_is_seen_is_shown_in_the_metrics_unit() -> None:
    of = cases(40)
    made = preview(of, one_criterion(metric="latency_p50", at_most="2"))

    text = plain_text(render_plan(plan_run(made, observed=earlier(of, *TIMES)), width=80))

    assert "\nDECIDABLE  rate         ≤ 2     n=40  sees ≤ 1.9" in text


@settings(max_examples=60, deadline=None)
@given(
    value=st.floats(1, 9),
    spread=st.floats(0.01, 3),
    threshold=st.sampled_from(["3", "5", "7"]),
    evidence=st.sampled_from(["point", "strict"]),
    at=st.sampled_from(["at_least", "at_most"]),
)
def test_the_cases_needed_give_four_of_five_runs(
    value: float, spread: float, threshold: str, evidence: Any, at: str
) -> None:
    made = preview(cases(4), one_criterion(metric="tokens", **{at: threshold}))
    scope = scopes(made.gate, made.plan.cases, BUILTIN_METRICS)[0]
    seen = Scaled(scope=scope, name="r", n=50, value=value, bound=value + spread, confidence=0.95)

    needed = seen.needed(evidence)

    if needed is None:
        assert value == float(threshold)
        return
    assert seen.right(needed, evidence) >= 0.8 - 1e-9
    assert needed == 1 or seen.right(needed - 1, evidence) < 0.8
    shown = seen.detectable(needed, evidence)
    if seen.is_met and shown is not None and needed > 50:
        assert shown == pytest.approx(value, abs=0.02 * abs(value))


def test_a_record_without_trials_tells_nothing() -> None:
    of = cases(4)
    nothing: Record = record([], [])

    outlook = planned(of, observed_in_record("run.jsonl", nothing), metric="tokens", at_most="100").outlook

    assert outlook.sentence == (
        "run.jsonl has nothing of it: the endpoint did not say how many tokens its answers have"
    )


def test_where_all_must_pass_a_perfect_earlier_run_asks_for_no_more_cases() -> None:
    """More of them would only be more chances to miss."""
    of = cases(40)

    every = planned(of, earlier(of, both()), at_least="100%").outlook
    none = planned(of, earlier(of, both(), outcome="F"), at_most="0%").outlook

    assert (every.prospect, every.sentence, every.remedy) == (
        Prospect.DECIDABLE,
        "one miss is NO-GO: a model that is right in 98.8% of cases gets GO in 61% of runs",
        "",
    )
    assert (none.prospect, none.sentence, none.remedy) == (
        Prospect.DECIDABLE,
        "one such case is NO-GO: at a true rate of 1.2% GO in 61% of runs",
        "",
    )

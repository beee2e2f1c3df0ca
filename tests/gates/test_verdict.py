"""The verdict: the table of runs, which criteria decide, and what the sentence says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.gates import GateError, Status, Verdict, Word, assess, judged_cases, parse_gate
from pytest_ftgate.record import Plan, PlannedCase, PlannedItem, Record, Trial, TrialKey
from tests.support.records import (
    BOTH,
    case,
    entry,
    gate_of,
    judged,
    python_item,
    record,
    result,
    trial,
    trials,
)

GATE = gate_of(at_least="50%")


def suite(n: int = 10, role: str = "target", **rest: Any) -> list[PlannedCase]:
    return [case(f"{role}-{number:02}", suite=role, role=role, **rest) for number in range(n)]


def outcomes(cases: Sequence[PlannedCase], model: str, baseline: str = "P") -> list[Trial]:
    """Trials by case: the letters of each arm go round."""
    return [
        one
        for number, planned in enumerate(cases)
        for one in trials(planned, model[number % len(model)], baseline[number % len(baseline)])
    ]


def default(target: str = "P", general: str = "P", **run: Any) -> Verdict:
    """The defaults' verdict over ten target cases, which the baseline failed, and ten general ones."""
    tuned, kept = suite(), suite(role="general")
    return assess(
        record([*tuned, *kept], outcomes(tuned, target, "F") + outcomes(kept, general), **run)
    ).verdict


# The table of runs.


def whole(model: str = "P") -> Record:
    cases = suite()
    return record(cases, outcomes(cases, model), gate=GATE)


def changed(made: Record, **run: Any) -> Record:
    return replace(made, run=replace(made.run, **run))


STRANGER = TrialKey("target", "zzz", Arm.MODEL, 1, "evals/target.evalcase.yaml::zzz")
FIRST = whole().trials[0].key
LEFT_OUT = tuple(f"evals/target.evalcase.yaml::target-{number:02}" for number in range(1, 10))
HALF = [one for one in whole().trials if one.key.case in ("target-00", "target-01")]

RUNS = [
    (
        whole(),
        Word.SHIP,
        "the one deciding criterion is met: rate (100% on 10 cases, ≥ 50% is needed)",
    ),
    (
        whole("F"),
        Word.ITERATE,
        "the one deciding criterion is not met: rate (0% on 10 cases, ≥ 50% is needed); flagged: "
        "category simple (-100 points, -100 to -40, on 10 cases) dropped by more than 5 points",
    ),
    (
        changed(whole(), gate=gate_of(at_least="50%", min_cases=11)),
        Word.INCONCLUSIVE,
        "the one deciding criterion is not decided: "
        "rate (100% on 10 cases; 11 cases are the least that decide (min_cases))",
    ),
    (changed(whole(), cut_short="2 collection errors"), Word.INCOMPLETE, "2 collection errors"),
    (
        replace(whole(), trials=whole().trials[1:]),
        Word.INCOMPLETE,
        f"1 of 20 planned trials is missing (baseline): {FIRST.item}",
    ),
    (
        replace(whole(), trials=whole().trials[16:]),
        Word.INCOMPLETE,
        "16 of 20 planned trials are missing: evals/target.evalcase.yaml::target-00, "
        "evals/target.evalcase.yaml::target-01, evals/target.evalcase.yaml::target-02 and 5 more tests",
    ),
    (
        replace(whole(), conflicts=(FIRST,)),
        Word.INCOMPLETE,
        f"1 conflicting trial came in twice with different results: {FIRST}",
    ),
    (
        replace(whole(), trials=(*whole().trials, trial(STRANGER))),
        Word.INCOMPLETE,
        f"1 surplus trial that nobody planned: {STRANGER}",
    ),
    (
        record(suite(), outcomes(suite(), "EPPPP"), gate=GATE),
        Word.INCOMPLETE,
        "2 of 20 trials errored, more than max_errors: 0 (2 timeout); first: "
        "evals/target.evalcase.yaml::target-00 (model): no answer within 60 s",
    ),
    (
        record(suite(), HALF[:2], gate=GATE, left_out=LEFT_OUT),
        Word.INCOMPLETE,
        f"narrowed: left out before the start: {LEFT_OUT[0]}, {LEFT_OUT[1]}, {LEFT_OUT[2]} and 6 more",
    ),
    (
        record(suite(), HALF[:2], gate=GATE, left_out=LEFT_OUT[1:], cut_short="-x"),
        Word.INCOMPLETE,
        f"narrowed: left out before the start: {LEFT_OUT[1]}, {LEFT_OUT[2]}, {LEFT_OUT[3]} and 5 more; "
        "cut short: -x",
    ),
    (
        record(suite(), HALF[:2], gate=GATE, cut_short="9 of 10 selected tests did not finish (Ctrl-C)"),
        Word.INCOMPLETE,
        "9 of 10 selected tests did not finish (Ctrl-C)",
    ),
    (
        record(suite(), [], gate=GATE, left_out=["evals/target.evalcase.yaml"]),
        Word.INCOMPLETE,
        "narrowed: left out before the start: evals/target.evalcase.yaml",
    ),
    (
        changed(whole(), shard=(1, 1)),
        Word.INCOMPLETE,
        "shard 1 of 1: `ftgate decide` judges the shards together",
    ),
    (
        changed(replace(whole(), trials=whole().trials[1:]), shard=(1, 1)),
        Word.INCOMPLETE,
        f"1 of 20 planned trials is missing (baseline): {FIRST.item}; "
        "shard 1 of 1: `ftgate decide` judges the shards together",
    ),
    (record([], gate=GATE), Word.INCOMPLETE, "nothing was planned: no eval case was found"),
    (
        record([case("a", skip="later")], [], gate=GATE),
        Word.INCOMPLETE,
        "nothing was planned: the only case is skipped",
    ),
    (
        record(suite(2, skip="later"), [], gate=GATE),
        Word.INCOMPLETE,
        "nothing was planned: all 2 cases are skipped",
    ),
    (
        record([case("a", items=[])], [], gate=GATE),
        Word.INCOMPLETE,
        "nothing was planned: no test asks an eval case",
    ),
    (
        record(suite(), [], gate=GATE, no_model=True),
        Word.INCOMPLETE,
        "no model was named, so nothing was asked: add --model=NAME",
    ),
]


@pytest.mark.parametrize(("made", "word", "sentence"), RUNS)
def test_every_kind_of_run_has_its_word_and_its_sentence(made: Record, word: Word, sentence: str) -> None:
    verdict = assess(made).verdict

    assert (verdict.word, verdict.sentence) == (word, sentence)
    assert verdict.complete is (word is not Word.INCOMPLETE)
    assert verdict.narrowed is sentence.startswith("narrowed")
    assert verdict.whole_shard is sentence.startswith("shard")


def test_incomplete_comes_before_iterate() -> None:
    verdict = assess(changed(whole("F"), cut_short="Ctrl-C")).verdict

    assert verdict.word is Word.INCOMPLETE
    assert verdict.reasons == (
        "cut short: Ctrl-C",
        "rate is NO-GO: 0% on 10 cases, ≥ 50% is needed",
    )


def test_a_run_cut_short_names_a_few_of_its_missing_tests_among_the_reasons() -> None:
    cut = "9 of 10 selected tests did not finish (Ctrl-C)"

    verdict = assess(record(suite(), HALF[:2], gate=GATE, cut_short=cut)).verdict

    assert verdict.reasons[:2] == (
        f"cut short: {cut}",
        "18 of 20 planned trials are missing: evals/target.evalcase.yaml::target-01, "
        "evals/target.evalcase.yaml::target-02, evals/target.evalcase.yaml::target-03 and 6 more tests",
    )


def test_iterate_comes_before_inconclusive() -> None:
    gate = {
        "criteria": {
            "thin": {"metric": "pass_rate", "at_least": "50%", "min_cases": 11},
            "missed": {"metric": "pass_rate", "at_least": "50%"},
        }
    }

    verdict = assess(changed(whole("F"), gate=gate)).verdict

    assert verdict.word is Word.ITERATE
    assert [reason.split(" is ")[0] for reason in verdict.reasons] == ["missed", "thin"]


# The seven defaults.


def test_the_defaults_ship_what_is_better_and_lost_nothing() -> None:
    verdict = default()

    assert verdict.word is Word.SHIP
    assert {one.name: (one.status, one.decides) for one in verdict.criteria} == {
        "target_task_improvement": (Status.GO, True),
        "general_regression": (Status.GO, True),
        "exact_match_accuracy": (Status.GO, True),
        "latency_p99": (Status.NOT_MEASURED, False),
        "human_preference": (Status.NOT_MEASURED, False),
        "adversarial_robustness": (Status.NOT_MEASURED, False),
        "schema_compliance": (Status.NOT_MEASURED, False),
    }
    assert {one.name: one.reason for one in verdict.criteria if one.status is Status.NOT_MEASURED} == {
        "latency_p99": "no call was measured (recorded and stored answers have no latency)",
        "human_preference": "no votes were given",
        "adversarial_robustness": "no case has the category 'adversarial'",
        "schema_compliance": "no case that it selects has an entry 'json_schema' or 'json_valid'",
    }


def test_a_default_criterion_decides_as_soon_as_the_plan_holds_a_case_for_it() -> None:
    tuned, kept = suite(category="adversarial"), suite(role="general")
    came_in = outcomes(tuned, "PPPPPPPPPF", "F") + outcomes(kept, "P")

    verdict = assess(record([*tuned, *kept], came_in)).verdict

    found = next(one for one in verdict.criteria if one.name == "adversarial_robustness")
    assert (found.status, found.decides) == (Status.GO, True)


def test_without_a_baseline_the_defaults_say_what_to_add() -> None:
    tuned, kept = suite(arms=[Arm.MODEL]), suite(role="general", arms=[Arm.MODEL])

    verdict = assess(record([*tuned, *kept], outcomes([*tuned, *kept], "PF"))).verdict

    assert verdict.word is Word.ITERATE  # exact_match_accuracy, which needs no baseline
    assert verdict.reasons[1:] == tuple(
        f"{name} is NOT MEASURED: there is no baseline to compare with: add --baseline=NAME, or write in "
        "ftgate.yaml what must hold without one, e.g. gate: {criteria: {target_pass_rate: "
        "{metric: pass_rate, "
        "role: target, at_least: 90%}}}"
        for name in ("target_task_improvement", "general_regression")
    )


def test_without_a_baseline_a_run_that_passed_is_inconclusive() -> None:
    tuned, kept = suite(arms=[Arm.MODEL]), suite(role="general", arms=[Arm.MODEL])

    verdict = assess(record([*tuned, *kept])).verdict

    assert verdict.word is Word.INCONCLUSIVE
    assert verdict.sentence == (
        "2 of 3 deciding criteria are not decided: target_task_improvement and general_regression (there is "
        "no baseline to compare with: add --baseline=NAME, or write in ftgate.yaml what "
        "must hold without one, "
        "e.g. gate: {criteria: {target_pass_rate: {metric: pass_rate, role: target, at_least: 90%}}})"
    )


def test_without_a_general_suite_the_defaults_say_what_to_add() -> None:
    tuned = suite()

    verdict = assess(record(tuned, outcomes(tuned, "P", "F"))).verdict

    assert verdict.word is Word.INCONCLUSIVE
    assert verdict.sentence == (
        "1 of 3 deciding criteria is not decided: general_regression (no suite has `role: general`: add one "
        "with the abilities that must not be lost, or write in ftgate.yaml the criteria "
        "without it, e.g. gate: "
        "{criteria: {target_task_improvement: {metric: pass_rate, role: target, compare: "
        "delta, at_least: 5%}}})"
    )


def test_the_sentence_flags_categories_that_dropped() -> None:
    tuned = suite()
    kept = [case(f"{category}-{n:02}", suite="g", role="general", category=category)
            for category in ("snarks", "sorting", "words") for n in range(100)]  # fmt: skip
    came_in = outcomes(tuned, "P", "F")
    came_in += [
        one for n, planned in enumerate(kept) for one in trials(planned, "F" if 100 <= n < 106 else "P")
    ]

    verdict = assess(record([*tuned, *kept], came_in)).verdict

    assert verdict.word is Word.SHIP
    assert verdict.sentence.endswith(
        "; flagged: category sorting (-6 points, -13 to -2, on 100 cases) dropped by more than 5 points"
    )


# Written criteria.


def test_written_criteria_replace_the_seven_and_must_be_measured() -> None:
    verdict = assess(changed(whole(), gate=gate_of(metric="rouge_l", at_least="50%"))).verdict

    assert verdict.word is Word.INCONCLUSIVE
    assert verdict.sentence == (
        "1 of 2 deciding criteria is not decided: rate (no case has an entry 'rouge_l')"
    )


@pytest.mark.parametrize(
    ("criterion", "reason"),
    [
        ({"category": "adversarail"}, "no case has the category 'adversarail'. Did you mean 'adversarial'?"),
        ({"category": "zzz"}, "no case has the category 'zzz'"),
        ({"tag": "slwo"}, "no case has the tag 'slwo'. Did you mean 'slow'?"),
        ({"suite": ["tolls", "x"]}, "no case has the suite 'tolls' or 'x'. Did you mean 'tools'?"),
        ({"role": "general"}, "no suite has `role: general`"),
        ({"category": "gone"}, "every case with category 'gone' is skipped"),
        ({"category": "simple", "tag": "slow"}, "no case has category 'simple' and tag 'slow' at once"),
        ({"metric": "exact"}, "no case has an entry 'exact'. Did you mean 'exact_match'?"),
        ({"metric": "tone", "category": "simple"}, "no case that it selects has an entry 'tone'"),
        ({"metric": "mean:fluency"}, "no case has an entry 'fluency'"),
        ({"category": "asked"}, "no case that it selects is judged"),
        ({"category": "alone", "compare": "delta"}, "no case that it selects is judged on both arms"),
    ],
)
def test_what_selects_nothing_is_not_measured_and_says_why(criterion: dict[str, Any], reason: str) -> None:
    cases = [
        case("a"),
        case("b", category="adversarial", tags=("slow",), expect=[entry("python", "tone")]),
        case("c", category="asked", expect=()),
        case("d", category="alone", arms=[Arm.MODEL]),
        case("e", category="gone", skip="later"),
    ]

    found = result(judged(cases, None, gate_of(**{"at_least": "50%", **criterion})))

    assert (found.status, found.reason, found.decides) == (Status.NOT_MEASURED, reason, True)


def test_an_empty_plan_measures_nothing() -> None:
    assert result(judged([], [], GATE)).reason == "no case is planned"


def test_per_category_makes_one_criterion_each() -> None:
    cases = [*suite(2, category="b"), *suite(2, role="general", category="a")]

    verdict = judged(cases, outcomes(cases, "PPPF"), gate_of(at_least="60%", per="category")).verdict

    assert [(one.name, one.status) for one in verdict.criteria] == [
        ("rate[a]", Status.NO_GO),
        ("rate[b]", Status.GO),
    ]


def test_per_with_its_own_selector_names_what_is_missing() -> None:
    gate = gate_of(at_least="50%", per="tag", tag=["slow", "fast"])

    verdict = judged([case("a", tags=("slow", "other"))], None, gate).verdict

    assert [(one.name, one.status) for one in verdict.criteria] == [
        ("rate[fast]", Status.NOT_MEASURED),
        ("rate[slow]", Status.GO),
    ]


def test_per_without_any_case_is_one_criterion_that_is_not_measured() -> None:
    verdict = judged([case("a")], None, gate_of(at_least="50%", per="tag", category="x")).verdict

    assert [(one.name, one.status) for one in verdict.criteria] == [
        ("rate", Status.NOT_MEASURED),
        ("other_cases", Status.GO),
    ]


def test_an_advisory_criterion_is_shown_and_never_decides() -> None:
    gate = {"min_cases": 1, "criteria": {"a": {"metric": "pass_rate", "at_least": "10%"},
            "b": {"metric": "pass_rate", "at_least": "90%", "advisory": True}}}  # fmt: skip

    verdict = assess(changed(whole("PF"), gate=gate)).verdict

    assert verdict.word is Word.SHIP
    assert [(one.status, one.decides) for one in verdict.criteria] == [
        (Status.GO, True),
        (Status.NO_GO, False),
    ]


@pytest.mark.parametrize(("min_cases", "decides"), [("11", False), ("10", True)])
def test_an_optional_criterion_decides_if_enough_is_planned(min_cases: str, decides: bool) -> None:
    gate = gate_of(metric="tokens", at_most="5", min_cases=min_cases, optional=True)
    cases = suite()

    found = result(judged(cases, [one for c in cases for one in trials(c, tokens=9)], gate))

    assert found.decides is decides


def test_an_optional_criterion_without_any_measurement_does_not_decide() -> None:
    found = result(judged(suite(), None, gate_of(metric="tokens", at_most="5", optional=True)))

    assert (found.status, found.decides) == (Status.NOT_MEASURED, False)
    assert found.reason == "the endpoint did not say how many tokens its answers have"


def test_nothing_ships_where_nothing_decides() -> None:
    asked = [case("a", expect=())]
    gate = gate_of(metric="tokens", at_most="50", advisory=True)

    verdict = judged(asked, trials(asked[0], tokens=9), gate).verdict

    assert verdict.word is Word.INCONCLUSIVE
    assert verdict.sentence == ("no criterion decides: none of them is measured here, or all are advisory")


# ftgate's own criteria.


def test_cases_that_no_criterion_judges_must_all_pass() -> None:
    cases = [*suite(9), case("rest", suite="target", category="other")]
    came_in = outcomes(cases[:9], "PF") + trials(cases[9], "F")

    verdict = judged(cases, came_in, gate_of(at_least="50%", category="simple")).verdict

    assert verdict.word is Word.ITERATE
    assert verdict.sentence == (
        "1 of 2 deciding criteria is not met: other_cases (0% on 1 case, ≥ 100% is needed); "
        "flagged: categories "
        "other (-100 points, -100 to 100, on 1 case), simple (-44.4 points, -75 to 2, on 9 cases) "
        "dropped by more than 5 points"
    )


def own_items(found: Verdict) -> dict[str, int]:
    return {one.name: one.n for one in found.criteria if one.name != "rate"}


@pytest.mark.parametrize(
    ("criterion", "others"),
    [
        ({"metric": "pass_rate"}, {}),
        ({"metric": "win_rate"}, {}),
        ({"metric": "exact_match"}, {"other_cases": 2}),
        ({"metric": ["exact_match", "tone"]}, {"other_cases": 1}),
        ({"metric": ["exact_match", "tone", "regex"]}, {}),
        ({"metric": "mean:exact_match"}, {"other_cases": 3}),
        ({"metric": "pass_rate", "advisory": True}, {"other_cases": 3}),
        ({"metric": "pass_rate", "optional": True}, {"other_cases": 3}),
        ({"metric": "tokens", "at_least": "0"}, {"other_cases": 3}),
        ({"metric": "pass_rate", "suite": "elsewhere"}, {"other_cases": 3}),
    ],
)
def test_a_criterion_judges_a_case_whose_failure_it_would_see(
    criterion: dict[str, Any], others: dict[str, int]
) -> None:
    cases = [
        case("a"),
        case("b", expect=[entry(), entry("python", "tone")]),
        case("c", expect=[entry("any_of", None, entry(), entry("regex"))]),
        case("d", expect=()),
    ]

    verdict = judged(cases, None, gate_of(**{"at_least": "0%", **criterion})).verdict

    assert own_items(verdict) == others


def test_what_a_comparison_does_not_read_falls_to_the_other_cases() -> None:
    paired, alone = case("a"), case("b", arms=[Arm.MODEL])
    both = case("c", items=[*case("c").items, python_item("c", Arm.MODEL)])
    came_in = [
        trial(key, "F" if "test_tone" in key.item else "P")
        for planned in (paired, alone, both)
        for key in planned.trial_keys()
    ]

    verdict = judged([paired, alone, both], came_in, gate_of(compare="delta", at_least="0%")).verdict

    others = next(one for one in verdict.criteria if one.name == "other_cases")
    assert (others.n, others.observed) == (2, Fraction(1, 2))
    assert verdict.word is Word.ITERATE


def test_must_pass_is_a_criterion_of_its_own() -> None:
    cases = [*suite(9), case("vital", suite="target", must_pass=True)]

    verdict = judged(cases, outcomes(cases[:9], "P") + trials(cases[9], "F"), GATE).verdict

    assert verdict.sentence.startswith(
        "1 of 2 deciding criteria is not met: must_pass (0% on 1 case, ≥ 100% is needed)"
    )


def test_the_strict_option_adds_every_case_and_a_warning() -> None:
    verdict = assess(changed(whole("PPPPPPPPPF"), gate_options=("--ftgate-strict",))).verdict

    assert verdict.sentence.startswith(
        "1 of 2 deciding criteria is not met: every_case (90% on 10 cases, ≥ 100% is needed)"
    )
    assert verdict.warnings == ("options touched the gate: --ftgate-strict",)


def test_all_judged_cases_are_named_before_anything_ran() -> None:
    cases = [
        case("a"),
        case("b", skip="later"),
        case("c", expect=()),
        case("d", expect=(), items=[python_item("d", *BOTH)]),
        case("e", arms=[Arm.BASELINE]),
    ]

    assert judged_cases(parse_gate(GATE), Plan(cases=tuple(cases))) == {("tools", "a"), ("tools", "d")}


# Errors within max_errors.


def test_an_error_counts_as_failed_by_the_model_and_as_passed_by_the_baseline() -> None:
    cases = suite()
    came_in = outcomes(cases, "EPPPPPPPPP", "FFFFFFFFFE")
    gate = {**gate_of(compare="delta", at_least="0%"), "max_errors": 2}

    verdict = judged(cases, came_in, gate).verdict

    assert verdict.criteria[0].reason == "+80 points on 10 cases (from 10% to 90%), ≥ 0% is needed"
    assert verdict.warnings == (
        "2 errored trials within max_errors: 2, counted as failed by the model and passed by the baseline",
    )


def test_an_error_never_helps_a_rate_that_must_be_low() -> None:
    cases = suite(expect=[entry("refusal")])
    gate = {**gate_of(metric="refusal", at_most="10%"), "max_errors": 2}

    found = result(judged(cases, outcomes(cases, "PEFFFFFFFF"), gate))

    assert (found.status, found.observed) == (Status.NO_GO, Fraction(1, 5))


def test_a_criterion_that_lost_a_value_to_an_error_is_inconclusive_and_decides() -> None:
    cases = suite(2)
    came_in = [*trials(cases[0], "E", "P", tokens=9), *trials(cases[1], tokens=9)]
    gate = {**gate_of(metric="tokens", at_most="50", optional=True), "max_errors": 1}

    found = result(judged(cases, came_in, gate))

    assert (found.status, found.decides, found.reason) == (
        Status.INCONCLUSIVE,
        True,
        "1 value was lost to errors",
    )


def test_an_answer_that_only_a_scorer_choked_on_is_still_measured() -> None:
    one = case("a")
    answer = Completion(text="x", latency_s=0.5)
    came_in = [trial(key, "E", completion=answer) for key in one.trial_keys()]
    gate = {**gate_of(metric="latency_p50", at_most="1"), "max_errors": 2}

    found = result(judged([one], came_in, gate))

    assert (found.status, found.n) == (Status.GO, 1)


def test_errors_take_no_latency_from_recorded_answers() -> None:
    cases = suite(2)
    came_in = [*trials(cases[0], "E"), *trials(cases[1])]
    gate = {**gate_of(metric="latency_p50", compare="ratio", at_most="2"), "max_errors": 1}

    found = result(judged(cases, came_in, gate, models={"baseline": {"kind": "recorded"}}))

    assert found.status is Status.NOT_MEASURED


def test_errors_are_counted_by_kind() -> None:
    cases = suite(3)
    came_in = outcomes(cases, "E", "E")
    assert came_in[0].error is not None
    came_in[0] = replace(came_in[0], error=replace(came_in[0].error, kind="connection"))
    came_in[5] = replace(came_in[5], error=None)

    assert assess(record(cases, came_in, gate=GATE)).verdict.sentence == (
        "6 of 6 trials errored, more than max_errors: 0 (4 timeout, 1 connection, 1 unknown); first: "
        "evals/target.evalcase.yaml::target-00 (baseline): no answer within 60 s"
    )


# Warnings.


def served(by: str | None, **models: dict[str, Any]) -> tuple[str, ...]:
    one = case("a")
    came_in = [
        trial(key, completion=Completion(text="x", model=by if key.arm is Arm.MODEL else None))
        for key in one.trial_keys()
    ]
    return judged([one], came_in, GATE, models=models).verdict.warnings


def test_a_model_compared_with_itself_is_a_warning() -> None:
    same = {"name": "gpt-4o", "host": "api.openai.com"}

    assert served(None, model=same, baseline=same) == (
        "model and baseline are both 'gpt-4o': an A/A run, which compares a model with itself",
    )
    assert served(None, model=same, baseline={**same, "revision": "2"}) == ()


def test_another_model_served_than_asked_for_is_a_warning() -> None:
    asked = {"name": "ft:x", "kind": "openai"}

    assert served("gpt-4o-mini", model=asked) == (
        "the model was asked for as 'ft:x', and served by 'gpt-4o-mini'",
    )
    assert served("ft:x", model=asked) == ()
    assert served("gpt-4o-2024-08-06", model={"name": "gpt-4o"}) == ()
    entry = {"name": "tuned", "kind": "openai", "model": "acme/support"}
    assert served("acme/support", model=entry) == ()
    assert served("llama", model=entry) == (
        "the model was asked for as 'acme/support', and served by 'llama'",
    )
    assert served("gpt-4o", model={"name": "baselines/prod.jsonl", "kind": "recorded"}) == ()


def test_an_entry_of_ftgate_yaml_is_asked_for_by_its_models_name() -> None:
    entry = {"name": "prod", "model": "gpt-4o", "kind": "openai"}

    assert served("gpt-4o", model=entry) == ()
    assert served("prod-2", model=entry) == ("the model was asked for as 'gpt-4o', and served by 'prod-2'",)


def test_each_role_may_be_served_by_its_own_model() -> None:
    entry = {"name": "prod", "model": "gpt-4o", "kind": "openai"}
    roles = {"general": {"name": "base", "model": "llama-3", "kind": "openai"}}

    assert served("llama-3", model={**entry, "roles": roles}) == ()
    assert served("mistral", model={**entry, "roles": roles}) == (
        "the model was asked for as 'gpt-4o', 'llama-3', and served by 'mistral'",
    )


def test_answers_of_several_models_or_fingerprints_are_a_warning() -> None:
    cases = suite(2)
    came_in = [
        trial(key, completion=Completion(text="x", model=f"m-{number}", fingerprint=f"fp{number}"))
        for number, planned in enumerate(cases)
        for key in planned.trial_keys()
        if key.arm is Arm.MODEL
    ]

    verdict = judged(cases, came_in, GATE, models={"model": {"name": "m"}}).verdict

    assert verdict.warnings == (
        "the model's answers come from 2 models: 'm-0', 'm-1'",
        "the model's answers come from 2 system fingerprints: 'fp0', 'fp1'",
    )


def test_what_the_run_warns_of_stands_in_the_verdict_once() -> None:
    assert assess(changed(whole(), warnings=("b", "a", "b"))).verdict.warnings == ("a", "b")


def test_a_record_can_be_judged_by_another_gate_which_the_verdict_says() -> None:
    other = parse_gate(gate_of(at_least="100%"))

    assessment = assess(whole("PF"), other)

    assert assessment.verdict.word is Word.ITERATE
    assert assessment.gate == other
    assert assessment.verdict.warnings == (f"judged by another gate ({other.digest}) than the run's own",)


def test_a_stored_gate_that_is_wrong_is_an_error_only_if_it_is_needed() -> None:
    made = changed(whole(), gate={"criteria": {}})

    with pytest.raises(GateError):
        assess(made)
    assert assess(made, parse_gate(GATE)).verdict.word is Word.SHIP


# Names in a list that nothing planned answers to: their absence must not help.


def test_a_misspelt_category_in_a_list_blocks_the_verdict() -> None:
    edge, odd = case("edge-1", category="edge"), case("odd-1", category="odd")
    gate = gate_of(at_least="100%", category=["edge", "ood"])
    gate["criteria"]["overall"] = {"metric": "pass_rate", "at_least": "50%"}

    verdict = judged([edge, odd], trials(edge, "P", "P") + trials(odd, "F", "P"), gate).verdict

    assert verdict.word is Word.INCONCLUSIVE
    assert [
        (one.name, one.status, one.reason) for one in verdict.criteria if one.status is not Status.GO
    ] == [("rate[ood]", Status.NOT_MEASURED, "no case has the category 'ood'. Did you mean 'odd'?")]


def test_a_category_of_a_list_of_which_every_case_is_skipped_blocks_the_verdict() -> None:
    edge, odd = case("edge-1", category="edge"), case("odd-1", category="odd", skip="flaky")

    verdict = judged(
        [edge, odd], trials(edge, "P", "P"), gate_of(at_least="100%", category=["edge", "odd"])
    ).verdict

    assert verdict.word is Word.INCONCLUSIVE
    assert verdict.criteria[-1].reason == "every case with category 'odd' is skipped"


def test_a_misspelt_entry_in_a_list_of_metrics_blocks_the_verdict() -> None:
    one = case("a", expect=(entry("json_valid"), entry("json_schema")))
    gate = gate_of(metric=["json_valid", "json_shema"], at_least="0%")

    verdict = judged([one], trials(one, "P", "P"), gate).verdict

    assert verdict.word is Word.INCONCLUSIVE
    assert [(found.name, found.reason) for found in verdict.criteria if found.status is not Status.GO] == [
        ("rate[json_shema]", "no case has an entry 'json_shema'. Did you mean 'json_schema'?")
    ]


def test_a_list_of_metrics_may_name_scorers_that_no_case_uses() -> None:
    one = case("a", expect=(entry("json_valid"),))

    verdict = judged(
        [one], trials(one, "P", "P"), gate_of(metric=["json_valid", "regex"], at_least="100%")
    ).verdict

    assert [found.name for found in verdict.criteria] == ["rate"]
    assert verdict.word is Word.SHIP


def test_per_tag_without_any_tag_is_not_measured_over_all_cases() -> None:
    one = case("a")

    verdict = judged([one], trials(one, "P", "P"), gate_of(at_least="0%", per="tag")).verdict

    assert verdict.word is Word.INCONCLUSIVE
    assert verdict.criteria[0].reason == (
        "no case that it selects has a tag, and `per: tag` makes one criterion for each"
    )


def test_a_case_that_is_only_asked_counts_as_no_pass_whatever_its_path_looks_like_in_node_ids() -> None:
    """Through a linked folder the node id and the case's path differ."""
    asked = case("a", expect=(), items=[PlannedItem(nodeid="link/tools.evalcase.yaml::a", arms=BOTH)])
    wrong = case("b")

    rate = result(
        judged([asked, wrong], trials(asked, "P", "P") + trials(wrong, "F", "F"), gate_of(at_least="50%")),
        "rate",
    )

    assert (rate.status, rate.n, rate.observed) == (Status.NO_GO, 1, 0)


def test_a_mean_over_some_of_the_cases_is_inconclusive() -> None:
    cases = [case(str(number), arms=[Arm.MODEL]) for number in range(3)]
    usage = [Usage(output_tokens=10), Usage(), Usage(output_tokens=20)]
    came_in = [
        trial(key, completion=Completion(text="x", usage=used))
        for planned, used in zip(cases, usage, strict=True)
        for key in planned.trial_keys()
    ]

    tokens = result(judged(cases, came_in, gate_of(metric="tokens", at_most=50)))

    assert (tokens.status, tokens.reason) == (
        Status.INCONCLUSIVE,
        "15 on 2 cases; 1 of 3 cases gave no value",
    )


def test_a_criterion_that_failures_help_excuses_none() -> None:
    cases = [case(str(number)) for number in range(4)]
    came_in = [one for planned in cases for one in trials(planned, model="F")]
    gate = gate_of(compare="delta", at_most="5%")

    assessment = judged(cases, came_in, gate)

    assert result(assessment).status is Status.GO
    assert result(assessment, "other_cases").status is Status.NO_GO
    assert assessment.verdict.word is Word.ITERATE


def test_beyond_max_errors_an_error_is_no_failure_in_the_criteria_either() -> None:
    cases = suite(4)

    assessment = judged(cases, outcomes(cases, "PPPE"), gate_of(at_least="90%"))

    assert assessment.verdict.word is Word.INCOMPLETE
    assert (result(assessment).status, result(assessment).reason) == (
        Status.INCONCLUSIVE,
        "1 of 4 cases errored",
    )

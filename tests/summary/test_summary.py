from __future__ import annotations

from fractions import Fraction

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.record import Outcome, TrialKey
from pytest_ftgate.scores import Score
from pytest_ftgate.summary import Flip, Group, Latency, Summary, summarize
from tests.support.records import BOTH, case, python_item, record, trial, trials


def group(summary: Summary, by: str, value: str) -> Group:
    return next(one for one in summary.groups if (one.by, one.value) == (by, value))


def test_groups_are_all_then_roles_suites_categories_and_tags_each_sorted() -> None:
    cases = [
        case("a", suite="z", role="general", category="simple", tags=("slow", "fast")),
        case("b", suite="a", category="edge", tags=("slow",)),
    ]

    groups = summarize(record(cases)).groups

    assert [(one.by, one.value, one.n) for one in groups] == [
        ("all", "all", 2),
        ("role", "general", 1),
        ("role", "target", 1),
        ("suite", "a", 1),
        ("suite", "z", 1),
        ("category", "edge", 1),
        ("category", "simple", 1),
        ("tag", "fast", 1),
        ("tag", "slow", 2),
    ]


def test_skipped_cases_are_named_but_counted_nowhere() -> None:
    cases = [case("a"), case("b", category="other", skip="flaky upstream")]

    summary = summarize(record(cases))

    assert [one.planned.id for one in summary.cases] == ["a", "b"]
    assert summary.cases[1].flip is Flip.UNKNOWN
    assert group(summary, "all", "all").n == 1
    assert [one.value for one in summary.groups if one.by == "category"] == ["simple"]


def test_a_repeated_case_counts_by_its_mean() -> None:
    repeated = case("a", repeat=4)

    summary = summarize(record([repeated], trials(repeated, "PPPF", "PFFF")))

    everything = group(summary, "all", "all")
    assert (everything.model.passed, everything.model.n) == (Fraction(3, 4), 1)
    assert everything.delta == Fraction(1, 2)
    assert summary.cases[0].outcome == {Arm.MODEL: Outcome.FAILED, Arm.BASELINE: Outcome.FAILED}
    assert summary.cases[0].flip is Flip.BOTH_FAILED


def test_repeats_of_a_python_test_are_items_of_their_own() -> None:
    items = [python_item("a", *BOTH, repeats=(1,)), python_item("a", *BOTH, repeats=(2,))]
    repeated = case("a", repeat=2, items=items)

    summary = summarize(record([repeated], trials(repeated, "PF", "PP")))

    assert summary.missing == ()
    assert summary.cases[0].passes == {Arm.MODEL: Fraction(1, 2), Arm.BASELINE: 1}


def test_a_case_of_several_items_passes_only_if_all_of_them_passed() -> None:
    own = case("a")
    several = case("a", items=[*own.items, python_item("a", *BOTH)])
    keys = list(several.trial_keys())

    outcomes = {key: "F" if "test_tone" in key.item and key.arm is Arm.MODEL else "P" for key in keys}
    summary = summarize(record([several], [trial(key, letter) for key, letter in outcomes.items()]))

    assert summary.cases[0].passes == {Arm.MODEL: 0, Arm.BASELINE: 1}
    assert summary.cases[0].flip is Flip.REGRESSION


def test_the_pair_comes_from_the_items_that_judge_both_arms() -> None:
    own = case("a")
    several = case("a", items=[*own.items, python_item("a", Arm.MODEL)])
    came_in = [trial(key, "F" if "test_tone" in key.item else "P") for key in several.trial_keys()]

    summary = summarize(record([several], came_in))

    assert summary.cases[0].passes[Arm.MODEL] == 0
    assert summary.cases[0].pair == (Fraction(1), Fraction(1))
    assert summary.cases[0].flip is Flip.BOTH_PASSED


def test_a_case_without_an_item_of_both_arms_is_model_only() -> None:
    alone = case("a", arms=[Arm.MODEL])

    summary = summarize(record([alone], trials(alone, "F")))

    assert summary.cases[0].flip is Flip.MODEL_ONLY
    everything = group(summary, "all", "all")
    assert (everything.baseline, everything.paired, everything.delta) == (None, 0, None)


@pytest.mark.parametrize(
    ("model", "baseline", "flip"),
    [
        ("P", "P", Flip.BOTH_PASSED),
        ("F", "F", Flip.BOTH_FAILED),
        ("F", "P", Flip.REGRESSION),
        ("P", "F", Flip.FIXED),
        ("E", "P", Flip.UNKNOWN),
        ("P", "E", Flip.UNKNOWN),
    ],
)
def test_a_flip_compares_the_outcomes_of_both_arms(model: str, baseline: str, flip: Flip) -> None:
    one = case("a")

    assert summarize(record([one], trials(one, model, baseline))).cases[0].flip is flip


def test_an_errored_trial_counts_as_nothing_and_is_named() -> None:
    one = case("a", repeat=2)

    summary = summarize(record([one], trials(one, "PE", "PP")))

    assert summary.cases[0].outcome[Arm.MODEL] is Outcome.ERRORED
    assert summary.cases[0].passes[Arm.MODEL] == 1
    assert [(key.arm, key.repeat) for key in summary.errored] == [(Arm.MODEL, 2)]


def test_a_repeat_with_one_errored_item_is_errored_whatever_the_other_items_say() -> None:
    several = case("a", items=[*case("a").items, python_item("a", *BOTH)])
    came_in = [trial(key, "E" if "test_tone" in key.item else "F") for key in several.trial_keys()]

    assert summarize(record([several], came_in)).cases[0].passes == {Arm.MODEL: None, Arm.BASELINE: None}


def test_expect_none_is_in_no_pass_rate() -> None:
    asked = case("a", expect=())

    summary = summarize(record([asked]))

    assert summary.cases[0].outcome == {Arm.MODEL: None, Arm.BASELINE: None}
    assert summary.cases[0].flip is Flip.UNKNOWN
    assert group(summary, "all", "all").model.rate is None


def test_a_python_test_judges_a_case_that_expects_nothing() -> None:
    asserted = case("a", expect=(), items=[python_item("a", *BOTH)])

    summary = summarize(record([asserted], trials(asserted, "F", "P")))

    assert summary.cases[0].flip is Flip.REGRESSION


def test_wins_and_losses_are_by_the_mean_score() -> None:
    cases = [case("a"), case("b"), case("c")]
    values = {"a": (0.9, 0.4), "b": (0.2, 0.4), "c": (0.4, 0.4)}
    came_in = [
        trial(key, "F", scores=[Score(scorer="rouge_l", value=value, passed=False, explanation="low")])
        for one in cases
        for key, value in zip(one.trial_keys(), values[one.id], strict=True)
    ]

    everything = group(summarize(record(cases, came_in)), "all", "all")

    assert (everything.wins, everything.losses, everything.ties) == (1, 1, 1)


def test_weights_count_for_the_score_and_values_are_exact() -> None:
    one = case("a")
    scores = [
        Score(scorer="a", value=0.1, passed=False, explanation="", weight=3.0),
        Score(scorer="b", value=0.5, passed=False, explanation=""),
    ]

    summary = summarize(record([one], [trial(key, "F", scores=scores) for key in one.trial_keys()]))

    assert summary.cases[0].score[Arm.MODEL] == Fraction(8, 40)


def test_a_trial_that_failed_although_its_checks_passed_scores_nothing() -> None:
    one = case("a")
    passing = [Score(scorer="exact_match", value=1.0, passed=True, explanation="equal")]

    summary = summarize(record([one], [trial(key, "F", scores=passing) for key in one.trial_keys()]))

    assert summary.cases[0].score == {Arm.MODEL: 0, Arm.BASELINE: 0}


def test_a_category_that_drops_by_exactly_five_points_is_not_flagged() -> None:
    cases = [case(f"c{n}") for n in range(20)]
    came_in = [one for n, planned in enumerate(cases) for one in trials(planned, "F" if n == 0 else "P")]

    summary = summarize(record(cases, came_in))

    assert group(summary, "category", "simple").delta == Fraction(-1, 20)
    assert summary.flagged == ()


def test_a_category_that_drops_by_more_than_five_points_is_flagged() -> None:
    cases = [case(f"c{n}") for n in range(19)]
    came_in = [one for n, planned in enumerate(cases) for one in trials(planned, "F" if n == 0 else "P")]

    assert [one.value for one in summarize(record(cases, came_in)).flagged] == ["simple"]


def test_missing_and_surplus_trials_are_named() -> None:
    one = case("a")
    there, away = list(one.trial_keys())
    stranger = TrialKey("tools", "zzz", Arm.MODEL, 1, "evals/tools.evalcase.yaml::zzz")

    summary = summarize(record([one], [trial(there), trial(stranger)]))

    assert (summary.missing, summary.surplus) == ((away,), (stranger,))
    assert str(away) == "evals/tools.evalcase.yaml::a (baseline)"
    assert str(away._replace(repeat=2)) == "evals/tools.evalcase.yaml::a (baseline, repeat 2)"


def test_percentiles_are_nearest_rank() -> None:
    cases = [case(f"c{n:03}", arms=[Arm.MODEL]) for n in range(1, 101)]
    came_in = [trial(key, latency_s=float(n)) for n, one in enumerate(cases, 1) for key in one.trial_keys()]

    latency = summarize(record(cases, came_in)).latency

    assert latency[Arm.MODEL] == Latency(n=100, p50=50.0, p90=90.0, p95=95.0, p99=99.0)
    assert latency[Arm.BASELINE] is None


def test_recorded_answers_have_no_latency_and_resumed_ones_keep_theirs() -> None:
    one = case("a")
    model, baseline = one.trial_keys()
    came_in = [
        trial(model, completion=Completion(text="x", latency_s=1.0, source="recorded")),
        trial(baseline, completion=Completion(text="x", latency_s=2.0, source="resumed")),
    ]

    latency = summarize(record([one], came_in)).latency

    assert latency == {Arm.MODEL: None, Arm.BASELINE: Latency(n=1, p50=2.0, p90=2.0, p95=2.0, p99=2.0)}


def test_a_call_that_several_items_share_is_measured_once() -> None:
    several = case("a", items=[*case("a").items, python_item("a", *BOTH)])

    latency = summarize(record([several], trials(several, latency_s=1.5))).latency

    assert latency[Arm.MODEL] == Latency(n=1, p50=1.5, p90=1.5, p95=1.5, p99=1.5)

"""What each criterion can decide: words, sentences and numbers, checked against the exact power."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm, EvalCase, Expectation
from pytest_ftgate.planning import Answerer, Assumptions, CriterionPlan, Preview, Prospect, plan_run
from pytest_ftgate.stats import difference_power, rate_power
from tests.planning.previews import cases, one_criterion, preview


def planned(of: Preview, name: str = "rate", assumptions: Assumptions | None = None) -> CriterionPlan:
    return next(one for one in plan_run(of, assumptions).criteria if one.criterion.name == name)


def told(n: int, assumptions: Assumptions | None = None, **criterion: Any) -> tuple[Prospect, str, str]:
    """Word, sentence and remedy of one criterion over `n` cases of category adversarial."""
    of = cases(n, category="adversarial")
    plan = planned(preview(of, one_criterion(**criterion)), assumptions=assumptions)
    return plan.outlook.prospect, plan.outlook.sentence, plan.outlook.remedy


SOME = cases(100)


def strict(n: int, assumptions: Assumptions | None = None, **criterion: Any) -> tuple[Prospect, str, str]:
    """The same under strict evidence, whatever the gate asks for."""
    of = cases(n, category="adversarial")
    gate = one_criterion(category="adversarial", **criterion)
    outlook = planned(preview(of, gate), assumptions=assumptions).outlooks["strict"]
    return outlook.prospect, outlook.sentence, outlook.remedy


def test_ten_of_ten_never_show_ninety_percent() -> None:
    assert strict(10, at_least="90%") == (
        Prospect.NEVER,
        "even 10 of 10 would not show ≥ 90% with 95% confidence; 25 of 25 would",
        "add at least 15 cases of category adversarial (about 178 for GO in 4 of 5 runs)",
    )


def test_none_of_ten_never_shows_so_small_a_rate() -> None:
    assert strict(10, at_most="10%") == (
        Prospect.NEVER,
        "even 0 of 10 would not show ≤ 10% with 95% confidence; 0 of 25 would",
        "add at least 15 cases of category adversarial (about 178 for GO in 4 of 5 runs)",
    )


def test_at_a_hundred_percent_the_estimate_decides_whatever_the_evidence() -> None:
    """As in the gate: no bound ever reaches the end of the scale."""
    assert strict(12, at_least="100%") == told(12, at_least="100%")


def test_the_estimate_of_a_hundred_percent_says_what_it_asks_for() -> None:
    assert told(12, at_least="100%") == (
        Prospect.DECIDABLE,
        "one miss is NO-GO: a model that is right in 99% of cases gets GO in 89% of runs",
        "",
    )


@pytest.mark.parametrize("evidence", ["point", "strict"])
def test_a_good_baseline_leaves_no_room(evidence: str) -> None:
    of = preview(cases(100), one_criterion(compare="delta", at_least="5%"))

    outlook = planned(of, assumptions=Assumptions(baseline=0.97)).outlooks[evidence]  # type: ignore[index]

    assert (outlook.prospect, outlook.sentence, outlook.remedy) == (
        Prospect.NEVER,
        "a baseline at 97% leaves room for +3 points, and ≥ 5% is wanted",
        "lower the threshold, or take harder cases",
    )


def test_too_few_pairs_show_nothing_if_the_baseline_is_as_good_as_assumed() -> None:
    assert strict(20, Assumptions(baseline=0.95), compare="delta", at_least="-5%") == (
        Prospect.TOO_FEW,
        "with a baseline at 95%, not even 1 win and no loss in 20 cases would show ≥ -5% "
        "with 95% confidence; 34 cases could",
        "add at least 14 cases of category adversarial (about 249 for GO in 4 of 5 runs)",
    )


def test_too_few_pairs_show_nothing_even_if_the_model_wins_them_all() -> None:
    assumed = Assumptions(baseline=0.1)
    prospect, sentence, _ = strict(3, assumed, compare="delta", at_least="60%", min_cases=1)

    assert prospect is Prospect.NEVER
    assert sentence.startswith("not even ")


def test_too_few_cases_say_how_many_more() -> None:
    assert strict(50, at_least="90%") == (
        Prospect.TOO_FEW,
        "if the true rate is 95%: GO in 28% of runs",
        "add about 138 cases of category adversarial",
    )
    assert told(10, compare="delta", at_least="-5%") == (
        Prospect.TOO_FEW,
        "if the model is truly no different and the two models disagree on 20% of cases: GO in 65% of runs",
        "add about 50 cases",
    )


def test_what_to_add_has_the_entry_that_is_measured() -> None:
    gate = {"criteria": {"rate": {"metric": ["exact_match", "regex"], "role": "target", "at_least": "90%"}}}

    outlook = planned(preview(cases(50), gate)).outlooks["strict"]

    assert outlook.remedy == "add about 138 cases of role target with `exact_match` or `regex`"


def test_enough_cases_say_how_sure_they_are() -> None:
    assert strict(188, at_least="90%") == (
        Prospect.DECIDABLE,
        "if the true rate is 95%: GO in 85% of runs",
        "",
    )


def test_a_truth_that_misses_the_threshold_is_to_be_seen_too() -> None:
    assert strict(200, Assumptions(rate=0.8), at_least="90%") == (
        Prospect.DECIDABLE,
        "if the true rate is 80%: NO-GO in 99% of runs",
        "",
    )


def test_a_truth_on_the_threshold_is_decided_by_no_number_of_cases() -> None:
    assert strict(200, Assumptions(rate=0.9), at_least="90%") == (
        Prospect.TOO_FEW,
        "if the true rate is 90%: GO in 6% of runs",
        "this is too near the threshold: no number of cases decides it; move the threshold",
    )


def test_min_cases_is_the_least_under_any_evidence() -> None:
    expected = (Prospect.NEVER, "12 cases of the 30 that min_cases wants", "add 18 cases")

    assert told(12, at_least="50%", min_cases="30") == expected


def test_a_criterion_without_cases_says_what_would_be_found() -> None:
    of = preview(cases(4, category="simple"), one_criterion(category="simpel", at_least="50%"))

    outlook = planned(of).outlook

    assert outlook.prospect is Prospect.NEVER
    assert outlook.sentence == "no case has the category 'simpel'. Did you mean 'simple'?"


def test_a_default_that_finds_no_case_does_not_decide_and_is_no_alarm() -> None:
    plan = planned(preview(cases(20)), "schema_compliance")

    assert (plan.outlook.prospect, plan.decides) == (Prospect.NO_CASES, False)


def test_optional_and_advisory_criteria_do_not_decide() -> None:
    gate = {
        "criteria": {
            "late": {"metric": "latency_p50", "at_most": "2", "optional": True, "min_cases": "30"},
            "shown": {"metric": "pass_rate", "at_least": "50%", "advisory": True},
            "votes": {"metric": "human_preference", "at_least": "60%", "optional": True},
        }
    }

    plans = {plan.criterion.name: plan for plan in plan_run(preview(cases(20), gate)).criteria}

    assert [name for name, plan in plans.items() if plan.decides] == ["other_cases"]
    assert plans["late"].outlook.sentence == "20 calls of the 30 that min_cases wants"
    assert plans["votes"].outlook.sentence == "decided by votes on 1 case or more, given after a run"


def test_times_of_saved_answers_are_never_measured() -> None:
    saved = Answerer(name="prod", kind="recorded")
    gate = {"criteria": {"late": {"metric": "latency_p50", "compare": "ratio", "at_most": "2"}}}

    outlook = planned(preview(cases(20), gate, answerers={Arm.BASELINE: saved}), "late").outlook

    assert (outlook.prospect, outlook.sentence) == (Prospect.NEVER, "saved answers have no times")
    assert outlook.remedy == "measure both arms live"


def test_the_p99_of_few_calls_bounds_nothing() -> None:
    gate = {"criteria": {"late": {"metric": "latency_p99", "at_most": "2"}}}

    outlooks = planned(preview(cases(40), gate), "late").outlooks

    assert outlooks["point"].prospect is Prospect.UNKNOWN
    assert (outlooks["strict"].prospect, outlooks["strict"].sentence, outlooks["strict"].remedy) == (
        Prospect.NEVER,
        "the p99 of 40 calls is just the slowest of them: strict evidence never takes it",
        "add 259 calls (cases, or repeats of them)",
    )


def test_a_p99_takes_so_many_calls_that_one_is_beyond_it_nearly_always() -> None:
    gate = {"criteria": {"late": {"metric": "latency_p99", "at_most": "2"}}}

    few, enough = (planned(preview(cases(n), gate), "late").outlooks["strict"] for n in (120, 299))
    point = planned(preview(cases(120), gate), "late").outlooks["point"]

    assert (few.prospect, few.sentence, few.remedy) == (
        Prospect.NEVER,
        "the p99 of 120 calls has no upper bound at 95% confidence: strict evidence never takes it",
        "add 179 calls (cases, or repeats of them)",
    )
    assert (enough.prospect, point.prospect) == (Prospect.UNKNOWN, Prospect.UNKNOWN)
    assert "upper bound" not in point.sentence


def test_what_is_drawn_from_repeats_needs_them() -> None:
    of = [*cases(10, repeat=3), *cases(2, category="once")]
    gate = {"criteria": {"rate": {"metric": "pass_at:3", "at_least": "50%"}}}

    outlook = planned(preview(of, gate)).outlook

    assert (outlook.prospect, outlook.sentence, outlook.remedy) == (
        Prospect.NEVER,
        "2 of 12 cases have fewer than 3 repeats",
        "give the cases `repeat: 3`",
    )
    assert planned(preview(of[:10], gate)).outlook.prospect is Prospect.DECIDABLE


def test_a_rate_made_of_groups_is_no_surer_than_the_smallest() -> None:
    of = [*cases(30, tags=("train",)), *cases(8, category="new")]
    gate = {"criteria": {"gap": {"metric": "generalization_gap", "seen": "train", "at_most": "10%"}}}

    plan, alone = planned(preview(of, gate), "gap"), planned(preview(of[:30], gate), "gap")

    assert (plan.truth, plan.outlook.prospect) == (None, Prospect.UNKNOWN)
    assert plan.outlook.sentence == "made of 2 groups of cases, the smallest of 8, and no surer than that one"
    assert alone.outlook.prospect is Prospect.NEVER
    assert "train" in alone.outlook.sentence


def test_a_gate_of_strict_evidence_is_planned_as_such() -> None:
    gate = {**one_criterion(at_least="90%"), "evidence": "strict"}

    plan = planned(preview(cases(10), gate))

    assert (plan.criterion.evidence, plan.outlook.prospect) == ("strict", Prospect.NEVER)


def test_per_category_each_has_its_own_outlook() -> None:
    of: Sequence[EvalCase] = [*cases(100, category="a"), *cases(10, category="b")]

    plans = plan_run(preview(of, one_criterion(per="category", compare="delta", at_least="-5%"))).criteria

    assert [(plan.criterion.name, plan.n, plan.outlook.prospect) for plan in plans] == [
        ("rate[a]", 100, Prospect.DECIDABLE),
        ("rate[b]", 10, Prospect.TOO_FEW),
    ]
    assert plans[1].outlook.remedy == "add about 50 cases of category b"


def test_cases_that_must_pass_are_a_criterion_of_their_own() -> None:
    of = [*cases(5), *cases(2, category="vital", must_pass=True)]

    plan = planned(preview(of, one_criterion(at_least="50%")), "must_pass")

    assert (plan.n, plan.decides, plan.outlook.prospect) == (2, True, Prospect.DECIDABLE)


def test_graded_values_are_planned_as_the_passes_that_vary_most() -> None:
    of = cases(50, expect=(Expectation(scorer="rouge_l"),))
    gate = {"criteria": {"rate": {"metric": "mean:rouge_l", "at_least": "70%"}}}

    plan = planned(preview(of, gate))

    assert plan.truth is not None
    assert plan.truth.rate == pytest.approx(0.85)
    assert plan.outlook.prospect is Prospect.DECIDABLE


@settings(max_examples=40, deadline=None)
@given(rate=st.integers(60, 99), threshold=st.integers(50, 95), confidence=st.sampled_from([80, 90, 95]))
def test_the_cases_needed_give_the_promised_power_of_a_rate(
    rate: int, threshold: int, confidence: int
) -> None:
    gate = {**one_criterion(at_least=f"{threshold}%"), "confidence": f"{confidence}%"}
    assumed = Assumptions(rate=rate / 100)

    needed = planned(preview(SOME, gate), assumptions=assumed).outlooks["strict"].needed

    if needed is None or needed > 5000:
        assert abs(rate - threshold) <= 2
        return
    chance = rate_power.power_to_show if rate >= threshold else rate_power.power_to_refute
    power = chance(needed, rate / 100, threshold / 100, confidence / 100)
    assert power >= 0.8 - 0.03
    least = rate_power.least_cases_to_show(threshold / 100, confidence / 100)
    fewer = chance(needed - 1, rate / 100, threshold / 100, confidence / 100)
    assert needed in (1, least) or fewer < 0.8


@pytest.mark.parametrize(
    ("at_least", "change", "discordance"), [("-5%", 0.0, 0.2), ("5%", 0.15, 0.25), ("-5%", -0.15, 0.2)]
)
def test_the_cases_needed_give_the_promised_power_of_a_difference(
    at_least: str, change: float, discordance: float
) -> None:
    of = preview(cases(100), one_criterion(compare="delta", at_least=at_least))
    assumed = Assumptions(change=change, discordance=discordance)

    needed = planned(of, assumptions=assumed).outlooks["strict"].needed

    assert needed is not None
    wins, losses = (discordance + change) / 2, (discordance - change) / 2
    threshold = float(at_least.rstrip("%")) / 100
    chance = difference_power.power_to_show if change >= threshold else difference_power.power_to_refute
    power = chance(needed, wins=wins, losses=losses, at_least=threshold, confidence=0.95)
    assert power == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("compare", ["value", "delta"])
@pytest.mark.parametrize("evidence", ["point", "strict"])
def test_what_is_seen_is_seen_in_four_of_five_runs(compare: str, evidence: str) -> None:
    of = preview(cases(200), one_criterion(compare=compare, at_least="10%"))

    seen = planned(of).outlooks[evidence].detectable  # type: ignore[index]

    assert seen is not None
    assumed = Assumptions(rate=seen) if compare == "value" else Assumptions(change=seen)
    chance = planned(of, assumptions=assumed).outlooks[evidence].chance  # type: ignore[index]
    assert chance == pytest.approx(0.8, abs=0.03)


def test_at_most_is_at_least_of_failures_and_of_the_other_arm() -> None:
    few = preview(cases(60), one_criterion(at_most="10%"))
    many = preview(cases(60), one_criterion(at_least="90%"))
    worse = preview(cases(60), one_criterion(compare="delta", at_most="5%"))
    better = preview(cases(60), one_criterion(compare="delta", at_least="-5%"))

    mirrored = {"baseline": 0.3}
    for evidence in ("point", "strict"):
        one, other = (planned(of).outlooks[evidence] for of in (few, many))
        assert one.chance == pytest.approx(other.chance)
        assert one.detectable == pytest.approx(1 - (other.detectable or 0))
        one = planned(worse, assumptions=Assumptions(**mirrored)).outlooks[evidence]
        other = planned(better).outlooks[evidence]
        assert one.chance == pytest.approx(other.chance)
        assert one.detectable == pytest.approx(-(other.detectable or 0))


def test_a_model_like_its_baseline_alarms_so_often() -> None:
    """Identical models, 20 % discordant, the plain rule of five points: it fires one time in three."""
    of = preview(cases(10), one_criterion(compare="delta", at_least="-5%"))

    outlooks = planned(of).outlooks

    assert outlooks["point"].if_unchanged == pytest.approx(0.65, abs=0.02)
    assert planned(preview(cases(10), one_criterion(at_least="50%"))).outlook.if_unchanged is None

"""What decides under `evidence: strict`, and what is said where nothing is decided."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import CriterionResult, Status, Word, assess, parse_gate
from pytest_ftgate.gates.metrics import Metric
from pytest_ftgate.gates.samples import Combine, mean_of
from pytest_ftgate.record import Outcome, PlannedCase, Trial
from pytest_ftgate.scores import Score
from tests.support.records import case, entry, gate_of, judged, record, result, trial, trials

STRICT = {"evidence": "strict"}


def rated(passed: int, n: int, **criterion: Any) -> CriterionResult:
    """A criterion on the pass rate of one arm."""
    cases = [case(f"c{number:04}", arms=[Arm.MODEL]) for number in range(n)]
    came_in = [one for number, planned in enumerate(cases) for one in trials(planned, "FP"[number < passed])]
    return result(judged(cases, came_in, gate_of(**criterion) | STRICT))


def paired(both: int, wins: int, losses: int, neither: int, **criterion: Any) -> CriterionResult:
    """A criterion on the difference of two arms."""
    letters = [("P", "P")] * both + [("P", "F")] * wins + [("F", "P")] * losses + [("F", "F")] * neither
    cases = [case(f"c{number:04}") for number in range(len(letters))]
    came_in = [one for planned, pair in zip(cases, letters, strict=True) for one in trials(planned, *pair)]
    return result(judged(cases, came_in, gate_of(compare="delta", **criterion) | STRICT))


RATES = [
    (
        128, 139, {"at_least": "90%"}, Status.INCONCLUSIVE,
        "92.1% on 139 cases, at least 87.5% with 95% confidence; ≥ 90% is needed; "
        "about 1100 more cases would decide",
    ),
    (
        128, 139, {"at_least": "85%"}, Status.GO,
        "92.1% on 139 cases, at least 87.5% with 95% confidence; ≥ 85% is needed",
    ),
    (
        100, 139, {"at_least": "85%"}, Status.NO_GO,
        "71.9% on 139 cases, at most 77.7% with 95% confidence; ≥ 85% is needed",
    ),
    (
        10, 10, {"at_least": "90%"}, Status.INCONCLUSIVE,
        "100% on 10 cases, at least 78.7% with 95% confidence; ≥ 90% is needed; "
        "about 15 more cases would decide",
    ),
    (
        18, 20, {"at_least": "90%"}, Status.INCONCLUSIVE,
        "90% on 20 cases, at least 73.8% with 95% confidence; ≥ 90% is needed; "
        "exactly at the threshold, which no number of cases decides",
    ),
    (
        9001, 10_000, {"at_least": "90%"}, Status.INCONCLUSIVE,
        "90.01% on 10000 cases, at least 89.5% with 95% confidence; ≥ 90% is needed; "
        "so near the threshold that no realistic number of cases decides",
    ),
    (
        1, 30, {"at_most": "10%"}, Status.INCONCLUSIVE,
        "3.3% on 30 cases, at most 13.6% with 95% confidence; ≤ 10% is needed; "
        "about 70 more cases would decide",
    ),
    (
        1, 100, {"at_most": "10%"}, Status.GO,
        "1% on 100 cases, at most 4.4% with 95% confidence; ≤ 10% is needed",
    ),
    (
        30, 100, {"at_most": "10%"}, Status.NO_GO,
        "30% on 100 cases, at least 23.1% with 95% confidence; ≤ 10% is needed",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("passed", "n", "criterion", "status", "reason"), RATES)
def test_a_rate_is_decided_by_its_bound(
    passed: int, n: int, criterion: dict[str, str], status: Status, reason: str
) -> None:
    found = rated(passed, n, **criterion)

    assert (found.status, found.reason, found.evidence) == (status, reason, "strict")


def test_a_difference_is_decided_by_its_bound() -> None:
    held = paired(180, 4, 4, 12, at_least="-5%")
    lost = paired(150, 0, 40, 10, at_least="-5%")
    thin = paired(18, 1, 1, 0, at_least="-5%")

    assert (held.status, held.reason) == (
        Status.GO,
        "0 points on 200 cases (from 92% to 92%), at least -2.7 points with 95% confidence; ≥ -5% is needed",
    )
    assert (lost.status, lost.reason) == (
        Status.NO_GO,
        "-20 points on 200 cases (from 95% to 75%), at most -15.8 points with 95% confidence; "
        "≥ -5% is needed",
    )
    assert (thin.status, thin.reason) == (
        Status.INCONCLUSIVE,
        "0 points on 20 cases (from 95% to 95%), at least -16.3 points with 95% confidence; ≥ -5% is needed; "
        "about 250 more cases would decide",
    )


def test_a_rise_that_the_baseline_leaves_no_room_for_can_never_be_shown() -> None:
    assert paired(97, 2, 0, 1, at_least="5%").reason.endswith(
        "; a baseline at 97% leaves room for +3 points only, so it can't be met"
    )
    assert paired(20, 0, 0, 0, at_least="5%").reason.endswith(
        "; a baseline at 100% leaves no room for a rise, so it can't be met"
    )


@pytest.mark.parametrize(
    ("passed", "criterion", "status"),
    [
        (10, {"at_least": "100%"}, Status.GO),
        (9, {"at_least": "100%"}, Status.NO_GO),
        (0, {"at_most": "0%"}, Status.GO),
        (1, {"at_most": "0%"}, Status.NO_GO),
    ],
)
def test_at_the_end_of_the_scale_the_estimate_decides(
    passed: int, criterion: dict[str, str], status: Status
) -> None:
    found = rated(passed, 10, **criterion)

    assert (found.status, found.evidence) == (status, "point")
    assert found.reason.endswith(" is needed")


def test_evidence_is_the_gates_unless_a_criterion_says_otherwise() -> None:
    raw = gate_of(at_least="90%") | STRICT
    raw["criteria"]["other"] = {"metric": "pass_rate", "at_least": "90%", "evidence": "point"}

    gate = parse_gate(raw)

    assert [one.evidence for one in gate.criteria] == ["strict", "point"]
    assert gate.digest != parse_gate(raw | {"evidence": "point"}).digest
    assert gate.digest != parse_gate(raw | {"confidence": "90%"}).digest


def test_confidence_moves_the_bound() -> None:
    cases = [case(f"c{number}", arms=[Arm.MODEL]) for number in range(20)]
    gate = gate_of(at_least="80%") | STRICT

    sure = result(judged(cases, None, gate | {"confidence": "99%"}))
    surer = result(judged(cases, None, gate | {"confidence": "99.9%"}))

    assert (sure.status, sure.reason) == (
        Status.INCONCLUSIVE,
        "100% on 20 cases, at least 78.7% with 99% confidence; ≥ 80% is needed; "
        "about 2 more cases would decide",
    )
    assert surer.reason.startswith("100% on 20 cases, at least 67.7% with 99.9% confidence; ")


def per_category(losing: Sequence[int], n: int = 20) -> list[CriterionResult]:
    """`at_least: -5%` for each category; so many cases of each are lost."""
    cases = [
        case(f"{name}{number:02}", category=f"k{name}") for name in range(len(losing)) for number in range(n)
    ]
    came_in = [
        one
        for place, planned in enumerate(cases)
        for one in trials(planned, "F" if place % n < losing[place // n] else "P", "P")
    ]
    gate = gate_of(compare="delta", at_least="-5%", per="category") | STRICT
    return list(judged(cases, came_in, gate).verdict.criteria)


def test_one_of_many_categories_may_drop_by_chance() -> None:
    alone, *_ = per_category([5])
    among, *_ = per_category([5] + [0] * 9)

    assert alone.status is Status.NO_GO
    assert among.status is Status.INCONCLUSIVE
    assert among.reason == (
        "-25 points on 20 cases (from 100% to 75%), at most -9.4 points with 95% confidence; "
        "≥ -5% is needed, which one of 10 parts may miss so by chance; about 29 more cases would decide"
    )


def test_a_category_that_collapsed_is_no_go_among_any_number() -> None:
    first, *others = per_category([18] + [0] * 9)

    assert first.status is Status.NO_GO
    assert {one.status for one in others} == {Status.INCONCLUSIVE}


def test_what_ftgate_adds_is_decided_by_the_estimate() -> None:
    cases = [case("a", must_pass=True, arms=[Arm.MODEL])]
    made = judged(cases, trials(cases[0], "F"), gate_of(at_least="1%") | STRICT)

    found = result(made, "must_pass")

    assert (found.status, found.evidence) == (Status.NO_GO, "point")
    assert found.interval == pytest.approx((0.0, 0.7934), abs=1e-4)
    assert made.verdict.word is Word.ITERATE


def timed(calls: int, metric: str, **criterion: Any) -> CriterionResult:
    cases = [case(f"c{number:03}", arms=[Arm.MODEL]) for number in range(calls)]
    came_in = [
        trial(key, latency_s=0.1 + number / 1000)
        for number, planned in enumerate(cases)
        for key in planned.trial_keys()
    ]
    return result(judged(cases, came_in, gate_of(metric=metric, **criterion) | STRICT))


def test_a_p99_of_few_calls_bounds_nothing() -> None:
    few, enough = timed(99, "latency_p99", at_most="9"), timed(299, "latency_p99", at_most="9")

    assert (few.status, few.reason, few.interval) == (
        Status.INCONCLUSIVE,
        "0.198 s on 99 calls, ≤ 9 is needed; p99 of fewer than 100 calls is just their largest",
        None,
    )
    assert enough.status is Status.GO
    assert enough.reason == "0.396 s on 299 calls, at most 0.398 s with 95% confidence; ≤ 9 is needed"


@pytest.mark.parametrize(
    ("calls", "metric", "reason"),
    [
        (
            20, "latency_p95",
            "0.118 s on 20 calls, without an upper bound at 95% confidence; ≤ 9 is needed; "
            "it takes at least 39 more calls",
        ),
        (
            298, "latency_p99",
            "0.395 s on 298 calls, without an upper bound at 95% confidence; ≤ 9 is needed; "
            "it takes at least 1 more call",
        ),
    ],
)  # fmt: skip
def test_the_largest_of_few_calls_is_no_bound_of_a_percentile(calls: int, metric: str, reason: str) -> None:
    found = timed(calls, metric, at_most="9")

    assert (found.status, found.reason, found.interval) == (Status.INCONCLUSIVE, reason, None)


def test_a_percentile_that_is_too_slow_is_shown_by_few_calls() -> None:
    found = timed(20, "latency_p95", at_most="0.1")

    assert (found.status, found.reason) == (
        Status.NO_GO,
        "0.118 s on 20 calls, at least 0.116 s with 95% confidence; ≤ 0.1 is needed",
    )


def test_votes_and_other_numbers_without_bounds_are_not_decided() -> None:
    few = timed(4, "latency_p50", at_most="9")

    assert (few.status, few.reason) == (
        Status.INCONCLUSIVE,
        "0.101 s on 4 calls, ≤ 9 is needed; 4 calls can't be resampled",
    )


def longest(trials_of_case: Sequence[Trial]) -> Sequence[tuple[Any, ...]]:
    return [(Fraction(len(one.completion.text) if one.completion else 0),) for one in trials_of_case]


@pytest.mark.parametrize(("n", "bounded"), [(200, True), (6000, False)])
def test_a_plugins_metric_is_resampled_unless_it_would_take_too_long(n: int, bounded: bool) -> None:
    metric = Metric(
        name="longest", doc="", nothing="no answer", take=longest, combine=lambda found: max(found)[0]
    )
    cases = [case(f"c{number:04}", arms=[Arm.MODEL]) for number in range(n)]
    gate = parse_gate(gate_of(metric="longest", at_most="9") | STRICT, metrics={"longest": metric})

    found = result(assess(record(cases), gate, metrics={"longest": metric}))

    assert (found.interval is not None) is bounded
    assert found.reason == (
        "5 on 200 cases, at most 5 with 95% confidence; ≤ 9 is needed"
        if bounded
        else "5 on 6000 cases, ≤ 9 is needed; "
        "so many cases are too slow to resample for a metric without `estimate`"
    )


def politely(trials_of_case: Sequence[Trial]) -> Sequence[tuple[Any, ...]]:
    return [(Fraction(one.outcome is Outcome.PASSED),) for one in trials_of_case][:1]


@pytest.mark.parametrize(
    "combine", [mean_of, lambda found: min(found)[0]], ids=["by their mean", "by a function of its own"]
)
def test_ten_of_ten_do_not_show_a_plugins_rate(combine: Combine) -> None:
    metric = Metric(name="polite", doc="", unit="rate", nothing="", take=politely, combine=combine)
    cases = [case(f"c{number}", arms=[Arm.MODEL]) for number in range(10)]
    gate = parse_gate(gate_of(metric="polite", at_least="95%") | STRICT, metrics={"polite": metric})

    found = result(assess(record(cases), gate, metrics={"polite": metric}))

    assert found.status is Status.INCONCLUSIVE
    assert found.interval is not None
    assert 0.69 < found.interval[0] < 0.73


def test_ten_perfect_translations_do_not_show_a_perfect_corpus() -> None:
    details = {"counts": [6, 5, 4, 3], "totals": [6, 5, 4, 3], "sys_len": 6, "ref_len": 6}
    score = Score(scorer="bleu", value=1.0, passed=True, explanation="", details=details)
    cases = [case(f"c{number}", arms=[Arm.MODEL], expect=[entry("bleu")]) for number in range(10)]
    came_in = [trial(key, scores=[score]) for planned in cases for key in planned.trial_keys()]

    found = result(judged(cases, came_in, gate_of(metric="bleu", at_least="90%") | STRICT))

    assert (found.status, found.observed) == (Status.INCONCLUSIVE, 1)
    assert found.interval == pytest.approx((0.6915, 1.0), abs=1e-4)


def test_ten_good_translations_do_not_show_that_no_bad_one_is_among_many() -> None:
    cases = [case(f"c{number}", arms=[Arm.MODEL], expect=[entry("bleu")]) for number in range(10)]
    came_in = []
    for number, planned in enumerate(cases):
        counts = [60, 58 - number % 2, 55, 53]
        details = {"counts": counts, "totals": [60, 59, 58, 57], "sys_len": 60, "ref_len": 60}
        score = Score(scorer="bleu", value=0.95, passed=True, explanation="", details=details)
        came_in += [trial(key, scores=[score]) for key in planned.trial_keys()]

    found = result(judged(cases, came_in, gate_of(metric="bleu", at_least="90%") | STRICT))

    assert (found.status, found.reason.partition("; ")[0]) == (
        Status.INCONCLUSIVE,
        "96.3% on 10 cases, at least 71.4% with 95% confidence",
    )


def repeated(letters: Sequence[str], **criterion: Any) -> CriterionResult:
    cases = [case(f"c{number:02}", arms=[Arm.MODEL], repeat=3) for number in range(len(letters))]
    came_in = [one for planned, each in zip(cases, letters, strict=True) for one in trials(planned, each)]
    return result(judged(cases, came_in, gate_of(**criterion) | STRICT | {"max_errors": 1}))


def test_the_cases_that_decide_repeats_are_told_by_what_changed() -> None:
    flaky, steady = (
        repeated(["PPP"] * 16 + ["PPF"] * 4, at_least="80%"),
        repeated(["PPF"] * 10, at_least="60%"),
    )

    # Not 270 and 150, as bounds that close in as the root of n would have it.
    assert flaky.reason.endswith("; about 15 more cases would decide")
    assert steady.reason.endswith("; about 19 more cases would decide")


def test_an_error_does_not_decide_what_the_answer_would_not_have() -> None:
    flaky = ["PPF"] * 4
    answered = repeated(["PPP"] * 16 + flaky, at_least="78%")
    errored = repeated(["PPP"] * 15 + ["PPE"] + flaky, at_least="78%")

    assert answered.status is Status.INCONCLUSIVE
    assert errored.status is Status.INCONCLUSIVE
    assert errored.reason.endswith(
        "; ≥ 78% is needed; it is not shown with the error counted the other way round"
    )
    assert repeated(["PPP"] * 29 + ["PPE"], at_least="70%").status is Status.GO


def graded(values: Sequence[float], **criterion: Any) -> CriterionResult:
    cases: list[PlannedCase] = [case(f"c{number:03}", arms=[Arm.MODEL]) for number in range(len(values))]
    came_in = [
        trial(key, scores=[Score(scorer="exact_match", value=value, passed=True, explanation="")])
        for planned, value in zip(cases, values, strict=True)
        for key in planned.trial_keys()
    ]
    return result(judged(cases, came_in, gate_of(metric="mean:exact_match", **criterion) | STRICT))


def test_graded_values_are_resampled_by_case() -> None:
    found = graded([0.5 + number / 200 for number in range(80)], at_least="65%")

    assert found.status is Status.GO
    assert found.interval is not None
    assert 0.65 < found.interval[0] < 0.69
    assert 0.7 < found.interval[1] < 0.74


def test_twenty_good_values_do_not_show_that_no_bad_one_is_among_many() -> None:
    values = [0.96 + number / 500 for number in range(20)]

    found = graded(values, at_least="95%")

    assert (found.status, found.reason) == (
        Status.INCONCLUSIVE,
        "97.9% on 20 cases, at least 84.3% with 95% confidence; ≥ 95% is needed; "
        "about 80 more cases would decide",
    )
    assert graded([*values] * 6, at_least="95%").status is Status.GO


def test_ten_equal_values_do_not_show_that_all_are() -> None:
    found = graded([0.9] * 10, at_least="85%")

    assert found.status is Status.INCONCLUSIVE
    assert found.interval is not None
    assert found.interval[0] < 0.65

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from pytest_ftgate.cases import EvalCase
from pytest_ftgate.completions import Usage
from pytest_ftgate.gates import Word
from pytest_ftgate.record import Record
from pytest_ftgate.reports.junit import case_properties, criterion_text, verdict_text
from pytest_ftgate.reports.outcomes import outcomes_of, result_of
from tests.reports.samples import (
    BASELINE,
    CRITERIA,
    MODEL,
    SUITE,
    assessment,
    errored,
    eval_case,
    record,
    trial,
)
from tests.support.strategies import records


def test_a_case_has_all_properties_that_are_known() -> None:
    usage = Usage(input_tokens=10, output_tokens=5)
    answered = trial(MODEL, False, latency_s=0.25, cost=0.00012, usage=usage)

    assert case_properties(eval_case(), [answered, trial(BASELINE)]) == [
        ("ftgate_outcome", "failed"),
        ("ftgate_baseline_outcome", "passed"),
        ("ftgate_flip", "regression"),
        ("ftgate_score", "0.0000"),
        ("ftgate_latency_s", "0.250"),
        ("ftgate_tokens", "15"),
        ("ftgate_cost", "0.00012"),
        ("ftgate_category", "simple"),
    ]


def test_what_is_not_known_is_absent() -> None:
    assert case_properties(eval_case(), [errored(MODEL)]) == [
        ("ftgate_outcome", "errored"),
        ("ftgate_flip", "unknown"),
        ("ftgate_category", "simple"),
    ]
    assert case_properties(eval_case(), []) == [("ftgate_category", "simple")]


def test_numbers_are_means_over_repeats() -> None:
    trials = [
        trial(MODEL, repeat == 1, repeat=repeat, latency_s=repeat / 10, usage=Usage(output_tokens=repeat))
        for repeat in (1, 2)
    ]

    found = dict(case_properties(eval_case(repeat=2), trials))

    assert (found["ftgate_score"], found["ftgate_latency_s"], found["ftgate_tokens"]) == (
        "0.5000",
        "0.150",
        "1.5",
    )
    assert found["ftgate_outcome"] == "failed"


def test_a_criterion_says_its_numbers_its_reason_and_how_it_is_measured() -> None:
    assert criterion_text(CRITERIA[1]) == (
        "NO-GO: general_regression: -20.0 points, needed ≥ -5%, n=5\n"
        "the pass rate fell by 20.0 points: 1 case lost, none won; noise could explain it\n"
        "metric pass_rate, compare delta, evidence point"
    )
    assert criterion_text(CRITERIA[3]) == (
        "NOT MEASURED: latency_p99: -, needed ≤ 2, n=0 (shown only)\n"
        "recorded answers have no latency\n"
        "metric latency_p99, compare ratio, evidence point"
    )


def test_the_verdict_says_its_sentence_its_reasons_and_warnings() -> None:
    made = assessment(
        record(SUITE),
        Word.INCOMPLETE,
        "2 trials are missing",
        reasons=["a is missing", "b is missing"],
        warnings=["w"],
    )

    assert verdict_text(made.verdict) == (
        "INCOMPLETE: 2 trials are missing\n- a is missing\n- b is missing\nwarning: w"
    )


def test_many_reasons_are_bounded() -> None:
    made = assessment(
        record(SUITE), Word.INCOMPLETE, "missing", reasons=[f"r{number}" for number in range(60)]
    )

    text = verdict_text(replace(made.verdict, warnings=()))

    assert text.splitlines()[-2:] == ["- r49", "(10 more reasons; the verdict file has all)"]


@given(records())
def test_properties_tell_of_each_item_what_its_result_would_be(run: Record) -> None:
    for planned in run.plan.cases:
        for item in planned.items:
            own = [one for one in run.trials if one.key.item == item.nodeid]
            case = EvalCase(
                suite=planned.suite, id=planned.id, path="a.yaml", line=1, messages=(), repeat=planned.repeat,
                expect=planned.expect, category=planned.category,
            )  # fmt: skip
            result = result_of(case, own)

            outcome, flip = outcomes_of(case, own)

            assert (dict(outcome), flip) == (dict(result.outcome), result.flip)

"""What a run lacks and what its reader is warned of, by how much there is of it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.gates import Word, assess
from pytest_ftgate.record import Outcome, Trial, TrialError
from tests.support.records import case, gate_of, judged, record, trial, trials

ANY = gate_of(at_least="0%")


@pytest.mark.parametrize(
    ("n", "named"),
    [
        (3, "evals/tools.evalcase.yaml::c0, evals/tools.evalcase.yaml::c1, evals/tools.evalcase.yaml::c2"),
        (4, "evals/tools.evalcase.yaml::c2 and 1 more test"),
        (5, "evals/tools.evalcase.yaml::c2 and 2 more tests"),
    ],
)
def test_three_missing_tests_are_named_and_the_others_counted(n: int, named: str) -> None:
    cases = [case(f"c{number}", arms=[Arm.MODEL]) for number in range(n)]

    (reason,) = assess(record(cases, [], gate=ANY)).verdict.reasons[:1]

    assert reason.startswith(f"{n} of {n} planned trials are missing: ")
    assert reason.endswith(named)


@pytest.mark.parametrize(("n", "tail"), [(3, ""), (4, " and 1 more"), (5, " and 2 more")])
def test_what_was_left_out_is_named_and_counted(n: int, tail: str) -> None:
    left_out = [f"evals/{name}.evalcase.yaml" for name in "abcde"[:n]]

    sentence = assess(record([case("a")], left_out=left_out, gate=ANY)).verdict.sentence

    assert sentence == f"narrowed: left out before the start: {', '.join(left_out[:3])}{tail}"


def test_without_a_model_nothing_else_is_told() -> None:
    verdict = judged([case("a")], [], ANY, no_model=True, cut_short="Ctrl-C").verdict

    assert verdict.word is Word.INCOMPLETE
    assert verdict.sentence == "no model was named, so nothing was asked: add --model=NAME"


def errored(*kinds: str) -> tuple[list[Any], list[Trial]]:
    cases = [case(f"c{number}", arms=[Arm.MODEL]) for number in range(len(kinds))]
    came_in = [
        Trial(key=key, outcome=Outcome.ERRORED, error=TrialError(kind=kind, message="no answer"))
        for planned, kind in zip(cases, kinds, strict=True)
        for key in planned.trial_keys()
    ]
    return cases, came_in


@pytest.mark.parametrize(
    ("n", "counted"),
    [(1, "1 errored trial within max_errors: 2"), (2, "2 errored trials within max_errors: 2")],
)
def test_errors_within_the_limit_are_told(n: int, counted: str) -> None:
    cases, came_in = errored(*["timeout"] * n)

    assert judged(cases, came_in, ANY | {"max_errors": 2}).verdict.warnings == (
        f"{counted}, counted as failed by the model and passed by the baseline",
    )


def test_kinds_of_errors_are_counted_the_most_frequent_first_and_then_by_name() -> None:
    cases, came_in = errored("timeout", "protocol", "connection", "protocol")

    assert (
        judged(cases, came_in, ANY)
        .verdict.reasons[0]
        .startswith(
            "4 of 4 trials errored, more than max_errors: 0 (2 protocol, 1 connection, 1 timeout); first: "
        )
    )


def test_a_skipped_case_is_no_traffic_without_a_share() -> None:
    cases = [case("a", category="x"), case("b", category="y", skip="later")]
    gate = gate_of(metric="weighted_pass_rate", at_least="0%") | {"traffic": {"x": "100%"}}

    assert judged(cases, None, gate).verdict.warnings == ()


def answered(model: dict[str, Any], *answers: Completion) -> tuple[str, ...]:
    cases = [case(f"c{number}", arms=[Arm.MODEL]) for number in range(len(answers))]
    came_in = [
        trial(key, completion=answer)
        for planned, answer in zip(cases, answers, strict=True)
        for key in planned.trial_keys()
    ]
    return judged(cases, came_in, ANY, models={"model": model}).verdict.warnings


def test_one_fingerprint_of_one_model_is_as_it_should_be_and_two_are_told() -> None:
    model = {"kind": "openai", "name": "tuned", "model": "ft"}
    one, other = (Completion(text="x", model="ft", fingerprint=print_) for print_ in ("fp1", "fp2"))

    assert answered(model, one, one) == ()
    assert answered(model, one, other) == (
        "the model's answers come from 2 system fingerprints: 'fp1', 'fp2'",
    )


@pytest.mark.parametrize(("kind", "told"), [("openai", 1), ("python", 0), ("recorded", 0)])
def test_only_an_endpoint_can_serve_another_model_than_was_asked_for(kind: str, told: int) -> None:
    model = {"kind": kind, "name": "tuned", "model": "ft"}

    assert len(answered(model, Completion(text="x", model="other"))) == told


def test_a_difference_of_nothing_has_no_sign() -> None:
    planned = case("a")

    made = judged(
        [planned], trials(planned, tokens=7), gate_of(metric="tokens", compare="delta", at_most="1")
    )

    assert made.verdict.criteria[0].reason == "0 on 1 case (from 7 to 7), ≤ 1 is needed"

"""What the built-in metrics take from trials, and when a time is lost."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.gates.takes import amount_of, mean_score, ranked, time_lost, times, won
from pytest_ftgate.record import Outcome, Trial, TrialError, TrialKey
from pytest_ftgate.scores import Score

ONE, HALF, NONE = Fraction(1), Fraction(1, 2), Fraction(0)


def trial(completion: Completion | None, value: float = 1.0) -> Trial:
    score = Score(scorer="regex", value=value, passed=value > 0, explanation="")
    key = TrialKey("s", "c", Arm.MODEL, 1, "x")
    return Trial(key=key, outcome=Outcome.PASSED, completion=completion, scores=(score,))


def latency_s(one: Trial) -> float | None:
    return one.completion.latency_s if one.completion else None


def test_ties_are_no_wins() -> None:
    assert won([(ONE, NONE), (ONE, HALF), (HALF, NONE), (HALF, HALF)]) == Fraction(3, 4)
    assert won([(NONE, ONE), (HALF, HALF), (HALF, HALF)]) == 0


@pytest.mark.parametrize(
    ("completion", "lost"),
    [
        (None, True),
        (Completion(text="x"), True),
        (Completion(text="x", latency_s=0.5), False),
        (Completion(text="x", source="recorded"), False),
        (Completion(text="x", source="recorded", latency_s=0.5), False),
    ],
)
def test_a_time_is_lost_where_one_should_have_been_measured(
    completion: Completion | None, lost: bool
) -> None:
    errored = Trial(
        key=TrialKey("s", "c", Arm.MODEL, 1, "x"),
        outcome=Outcome.ERRORED,
        completion=completion,
        error=TrialError(kind="timeout", message=""),
    )

    assert time_lost(errored, "latency_s") is lost


def test_times_are_ranked_by_size() -> None:
    samples = [(Fraction(number),) for number in (9, 10, 2, 30)]

    assert ranked(samples, 50) == 9
    assert ranked(samples, 75) == 10
    assert ranked(samples, 76) == 30


def test_what_no_trial_has_is_no_sample() -> None:
    assert mean_score([]) == ()
    assert times([trial(Completion(text="x"))], "latency_s") == []
    assert amount_of([trial(Completion(text="x"))], lambda one: None) == ()


def test_the_mean_of_repeats_is_one_sample() -> None:
    answers = [trial(Completion(text="x", latency_s=number / 10), number / 10) for number in (1, 2, 6)]

    assert mean_score(answers) == [(Fraction(3, 10),)]
    assert amount_of(answers, latency_s) == [(Fraction(3, 10),)]
    assert times(answers, "latency_s") == [(Fraction(1, 10),), (Fraction(2, 10),), (Fraction(6, 10),)]

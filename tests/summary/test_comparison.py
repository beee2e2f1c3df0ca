"""The model beside its baseline: wins, scores, times, amounts, each with its interval."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.record import TrialKey
from pytest_ftgate.summary import Comparison, summarize
from tests.support.records import case, record, trial, trials


def answered(n: int, completion: Callable[[TrialKey, int], Completion]) -> Comparison:
    cases = [case(f"c{number:03}") for number in range(n)]
    came_in = [
        trial(key, completion=completion(key, number))
        for number, one in enumerate(cases)
        for key in one.trial_keys()
    ]
    return summarize(record(cases, came_in)).comparison(0.95)


def timed(key: TrialKey, number: int) -> Completion:
    seconds = (0.2 if key.arm is Arm.MODEL else 0.1) * (1 + number / 100)
    return Completion(text="x", latency_s=seconds, time_to_first_token_s=seconds / 2)


def test_wins_losses_and_ties_with_their_rate_and_the_sign_test() -> None:
    letters = [("P", "F")] * 6 + [("F", "P")] * 2 + [("P", "P")] * 12
    cases = [case(f"c{number:02}") for number in range(20)]
    came_in = [one for planned, pair in zip(cases, letters, strict=True) for one in trials(planned, *pair)]

    found = summarize(record(cases, came_in)).comparison(0.95)

    assert (found.wins, found.losses, found.ties) == (6, 2, 12)
    assert found.sign_p == pytest.approx(0.2891, abs=5e-5)
    assert found.win_rate is not None
    assert (found.win_rate.value, found.win_rate.n) == (Fraction(3, 10), 20)
    assert found.win_rate.interval == pytest.approx((0.1455, 0.5190), abs=5e-5)
    assert found.score_delta is not None
    assert (found.score_delta.value, found.score_delta.n) == (Fraction(1, 5), 20)
    assert found.score_delta.interval is not None
    assert found.score_delta.interval[0] < 0.2 < found.score_delta.interval[1]


def test_times_of_both_arms_and_their_ratio() -> None:
    found = answered(100, timed)

    assert list(found.latency) == [50, 90, 95, 99]
    p50 = found.latency[50]
    assert p50.model is not None
    assert p50.baseline is not None
    assert p50.ratio is not None
    assert p50.model.n == 100
    assert p50.model.value == pytest.approx(0.298)
    assert p50.baseline.value == pytest.approx(0.149)
    assert p50.ratio.value == pytest.approx(2)
    assert p50.ratio.interval is not None
    assert p50.ratio.interval[0] < 1.9
    assert p50.ratio.interval[1] > 2.1
    assert p50.model.interval is not None
    # By ranks, as the gate has it: the 40th and the 61st of 100 calls.
    assert p50.model.interval == pytest.approx((0.278, 0.32))
    first = found.time_to_first_token[99].model
    assert first is not None
    assert first.value == pytest.approx(0.198)
    assert not first.thin
    assert first.interval is None  # even the slowest of 100 calls may be faster than the true p99


def test_a_p99_of_few_calls_is_thin_and_has_no_interval() -> None:
    found = answered(99, timed).latency

    assert [(percent, sides.model.thin) for percent, sides in found.items() if sides.model] == [
        (50, False),
        (90, False),
        (95, False),
        (99, True),
    ]
    assert found[99].model is not None
    assert found[99].ratio is not None
    assert (found[99].model.interval, found[99].ratio.interval) == (None, None)


def test_only_calls_of_both_arms_are_compared() -> None:
    def completion(key: TrialKey, number: int) -> Completion:
        return Completion(text="x", latency_s=None if key.arm is Arm.BASELINE and number else 0.5)

    found = answered(30, completion).latency[50]

    assert found.model is not None
    assert found.baseline is not None
    assert found.ratio is not None
    assert (found.model.n, found.baseline.n, found.ratio.n) == (30, 1, 1)
    assert found.ratio.interval is None


def test_of_conversations_the_calls_that_both_arms_made_are_compared() -> None:
    def completion(key: TrialKey, _: int) -> Completion:
        calls = 3 if key.arm is Arm.MODEL else 2
        step = Completion(text="x", latency_s=0.3 if key.arm is Arm.MODEL else 0.1)
        return Completion(text="x", steps=tuple([step] * calls))

    found = answered(5, completion).latency[50]

    assert found.model is not None
    assert found.ratio is not None
    assert (found.model.n, found.ratio.n) == (15, 10)
    assert found.ratio.value == pytest.approx(3)


def test_tokens_and_cost_are_means_by_case_with_their_ratio() -> None:
    def completion(key: TrialKey, number: int) -> Completion:
        tokens = (20 if key.arm is Arm.MODEL else 10) + number % 3
        return Completion(text="x", cost=tokens / 1000, usage=Usage(output_tokens=tokens))

    found = answered(30, completion)

    assert found.tokens is not None
    assert found.tokens.model is not None
    assert found.tokens.ratio is not None
    assert (found.tokens.model.value, found.tokens.model.n) == (21, 30)
    assert found.tokens.ratio.value == Fraction(21, 11)
    assert found.tokens.ratio.interval is not None
    assert found.tokens.ratio.interval[0] <= 21 / 11 <= found.tokens.ratio.interval[1]
    assert found.cost is not None
    assert found.cost.model is not None
    assert found.cost.model.value == Fraction(21, 1000)


def test_what_was_not_measured_is_none() -> None:
    alone = case("a", arms=[Arm.MODEL])

    found = summarize(record([alone, case("b", skip="later")])).comparison(0.95)

    assert found == Comparison(
        wins=0,
        losses=0,
        ties=0,
        sign_p=None,
        win_rate=None,
        score_delta=None,
        latency={},
        time_to_first_token={},
        tokens=None,
        cost=None,
    )


def test_a_baseline_that_is_free_has_no_ratio() -> None:
    found = answered(6, lambda key, _: Completion(text="x", cost=0.1 if key.arm is Arm.MODEL else 0.0)).cost

    assert found is not None
    assert found.baseline is not None
    assert (found.baseline.value, found.ratio) == (0, None)

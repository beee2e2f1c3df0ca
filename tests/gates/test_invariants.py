"""The invariants of the gate, each for any plan, anything that may happen in it, and any gate."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import RecordError
from pytest_ftgate.gates import Status, Word, assess
from pytest_ftgate.record import (
    Outcome,
    Plan,
    Record,
    RunRecord,
    Trial,
    TrialError,
    balanced_shares,
    in_shard,
    merge,
    parse_record,
    record_lines,
)
from pytest_ftgate.reports.json_report import json_text, report_json
from tests.support.records import case, gate_of, judged, result, scores_of, trials
from tests.support.strategies import records

EXAMPLES = settings(max_examples=60, deadline=None)


def word(made: Record) -> Word:
    found = assess(made).verdict.word
    event(found)
    return found


def with_trial(made: Record, index: int, changed: Trial) -> Record:
    return replace(made, trials=(*made.trials[:index], changed, *made.trials[index + 1 :]))


@EXAMPLES
@given(records())
def test_1_ship_only_if_something_was_measured_by_every_deciding_criterion(made: Record) -> None:
    verdict = assess(made).verdict
    event(verdict.word)

    deciding = [one for one in verdict.criteria if one.decides]
    measured = [one for one in deciding if one.status is Status.GO and one.n and one.observed is not None]

    assert verdict.word is not Word.SHIP or (made.trials and deciding and measured == deciding)


@EXAMPLES
@given(records())
def test_1_nothing_ships_if_every_case_is_skipped(made: Record) -> None:
    skipped = tuple(replace(one, skip="later") for one in made.plan.cases)

    assert word(replace(made, plan=Plan(cases=skipped), trials=())) is Word.INCOMPLETE


@EXAMPLES
@given(records(), st.integers(0))
def test_2_a_run_that_lacks_a_trial_is_incomplete(made: Record, pick: int) -> None:
    assume(made.trials)
    index = pick % len(made.trials)

    assert word(replace(made, trials=made.trials[:index] + made.trials[index + 1 :])) is Word.INCOMPLETE


@EXAMPLES
@given(records(), st.integers(0))
def test_2_a_run_with_a_trial_that_nobody_planned_is_incomplete(made: Record, pick: int) -> None:
    assume(made.trials)
    one = made.trials[pick % len(made.trials)]
    surplus = replace(one, key=one.key._replace(repeat=99))

    assert word(replace(made, trials=(*made.trials, surplus))) is Word.INCOMPLETE


@EXAMPLES
@given(records())
def test_3_more_errors_than_allowed_are_incomplete(made: Record) -> None:
    found = assess(made)
    errors = sum(one.outcome is Outcome.ERRORED for one in made.trials)

    assert errors <= found.gate.max_errors or found.verdict.word is Word.INCOMPLETE


@EXAMPLES
@given(records(letters="PPPF"), st.integers(0), st.booleans())
def test_3_an_error_never_makes_a_run_ship(made: Record, pick: int, answered: bool) -> None:
    assume(made.trials)
    index = pick % len(made.trials)
    one = made.trials[index]
    error = TrialError(kind="timeout", message="no answer")
    completion = one.completion if answered else None
    errored = replace(one, outcome=Outcome.ERRORED, scores=(), completion=completion, error=error)

    before, after = word(made), word(with_trial(made, index, errored))

    assert before is Word.SHIP or after is not Word.SHIP


@EXAMPLES
@given(records(bounds=("at_least",)), st.integers(0))
def test_4_one_more_pass_never_turns_the_verdict_against_who_passed(made: Record, pick: int) -> None:
    failed = [index for index, one in enumerate(made.trials) if one.outcome is Outcome.FAILED]
    assume(failed)
    index = failed[pick % len(failed)]
    one = made.trials[index]
    expect = next(planned.expect for planned in made.plan.cases if planned.key == one.key[:2])
    passed = replace(one, outcome=Outcome.PASSED, scores=scores_of(expect, True))

    before, after = word(made), word(with_trial(made, index, passed))

    if one.key.arm is Arm.MODEL:
        assert before is not Word.SHIP or after is Word.SHIP
    else:
        assert before is Word.SHIP or after is not Word.SHIP


@EXAMPLES
@given(records(), st.integers(0, 2**32), st.integers(1, 4))
def test_5_order_and_split_make_no_difference(made: Record, seed: int, of: int) -> None:
    shuffled = list(made.trials)
    random.Random(seed).shuffle(shuffled)
    collected = RunRecord()
    for one in shuffled:
        collected.add(Trial.from_json(one.as_json()))
    shards = []
    for number in range(1, of + 1):
        own = tuple(one for one in made.trials if in_shard(one.key[:2], (number, of)))
        shards.append(replace(made, run=replace(made.run, shard=(number, of)), trials=own))
    random.Random(seed).shuffle(shards)

    assert assess(collected.freeze(made.run, made.plan)) == assess(made)
    assert assess(merge(shards)) == assess(made)
    assert list(record_lines(merge(shards))) == list(record_lines(made))


@EXAMPLES
@given(records(), st.integers(0, 2**32), st.integers(1, 6), st.data())
def test_5_balanced_shards_make_no_difference(made: Record, seed: int, of: int, data: st.DataObject) -> None:
    keys = [one.key for one in made.plan.cases]
    seconds = st.floats(0, 1e6, allow_nan=False)
    times = {key: data.draw(seconds) for key in keys if data.draw(st.booleans())}
    shares = balanced_shares({one.key: one.skip is None for one in made.plan.cases}, times, of)
    assume(shares)
    shards = [
        replace(
            made,
            run=replace(made.run, shard=(number, of), share=share),
            trials=tuple(one for one in made.trials if one.key[:2] in share.cases),
        )
        for number, share in enumerate(shares, 1)
    ]
    random.Random(seed).shuffle(shards)

    merged = merge([parse_record(record_lines(shard), "shard.jsonl") for shard in shards])

    assert assess(merged) == assess(made)
    assert list(record_lines(merged)) == list(record_lines(made))
    assert all(assess(shard).verdict.word is Word.INCOMPLETE for shard in shards)


@EXAMPLES
@given(records(), st.integers(2, 5), st.integers(0), st.integers(0))
def test_9_a_shard_in_place_of_another_never_ships(made: Record, of: int, gone: int, twice: int) -> None:
    numbers = list(range(1, of + 1))
    gone, twice = numbers[gone % of], numbers[twice % of]
    assume(gone != twice)
    shards = {
        number: replace(
            made,
            run=replace(made.run, shard=(number, of)),
            trials=tuple(one for one in made.trials if in_shard(one.key[:2], (number, of))),
        )
        for number in numbers
    }

    with pytest.raises(RecordError, match=f"shard {gone} of {of} is missing"):
        merge([shards[twice if number == gone else number] for number in numbers])


@EXAMPLES
@given(records(), st.integers(0, 2**32))
def test_5_the_reports_have_the_same_bytes_whatever_the_order(made: Record, seed: int) -> None:
    shuffled = list(made.trials)
    random.Random(seed).shuffle(shuffled)
    collected = RunRecord()
    for one in shuffled:
        collected.add(one)

    texts = {json_text(report_json(assess(one))) for one in (made, collected.freeze(made.run, made.plan))}

    assert len(texts) == 1


@EXAMPLES
@given(records(), st.integers(2, 5))
def test_5_a_shard_never_ships_and_is_whole_if_all_of_it_ran(made: Record, of: int) -> None:
    own = tuple(one for one in made.trials if in_shard(one.key[:2], (1, of)))
    shard = replace(made, run=replace(made.run, shard=(1, of)), trials=own)

    verdict = assess(shard).verdict

    assert verdict.word is Word.INCOMPLETE
    errors = sum(one.outcome is Outcome.ERRORED for one in own)
    planned = any(made.plan.trial_keys())
    assert verdict.whole_shard is (planned and errors <= assess(made).gate.max_errors)


@EXAMPLES
@given(records(), st.integers(0))
def test_6_a_duplicate_changes_nothing_and_a_conflict_is_incomplete(made: Record, pick: int) -> None:
    assume(made.trials)
    one = made.trials[pick % len(made.trials)]
    collected = RunRecord()
    for came_in in (*made.trials, one):
        collected.add(came_in)

    assert assess(collected.freeze(made.run, made.plan)) == assess(made)

    collected.add(replace(one, outcome=Outcome.FAILED, error=TrialError(kind="other", message="")))

    assert word(collected.freeze(made.run, made.plan)) is Word.INCOMPLETE


@EXAMPLES
@given(records())
def test_7_answers_taken_over_give_the_same_verdict(made: Record) -> None:
    def resumed(one: Trial) -> Trial:
        if one.completion is None:
            return one
        return replace(one, completion=replace(one.completion, source="resumed", created=5.0))

    again = replace(made, trials=tuple(map(resumed, made.trials)))

    assert assess(again).verdict == assess(made).verdict


@EXAMPLES
@given(records(), st.integers(0), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_8_a_number_that_is_not_finite_is_an_error(made: Record, pick: int, value: float) -> None:
    assume(made.trials)
    index = pick % len(made.trials)
    one = made.trials[index]
    broken = replace(one, completion=replace(one.completion or Completion(), latency_s=value))
    collected = RunRecord()
    for came_in in (*made.trials[:index], broken, *made.trials[index + 1 :]):
        collected.add(came_in)

    found = assess(collected.freeze(made.run, made.plan))

    assert one.key in found.summary.errored
    numbers = [result.observed for result in found.verdict.criteria if result.observed is not None]
    assert all(math.isfinite(number) for number in numbers)


@EXAMPLES
@given(records(), st.sampled_from(["narrowed", "cut short"]))
def test_9_a_run_that_is_narrowed_or_cut_short_never_ships(made: Record, how: str) -> None:
    if how == "narrowed":
        made = replace(made, plan=replace(made.plan, left_out=("evals/x.evalcase.yaml",)))
    else:
        made = replace(made, run=replace(made.run, cut_short="Ctrl-C"))

    assert word(made) is Word.INCOMPLETE


@EXAMPLES
@given(records())
def test_strict_evidence_only_ever_withholds_what_the_estimate_says(made: Record) -> None:
    gate = dict(made.run.gate)
    point, strict = (
        {
            one.name: one.status
            for one in assess(replace(made, run=replace(made.run, gate=raw))).verdict.criteria
        }
        for raw in (gate | {"evidence": "point"}, gate | {"evidence": "strict"})
    )

    assert point.keys() == strict.keys()
    assert all(strict[name] in (status, Status.INCONCLUSIVE) for name, status in point.items())
    own = [name for name in point if name in ("other_cases", "must_pass", "every_case")]
    assert all(strict[name] is point[name] for name in own)


@EXAMPLES
@given(records())
def test_what_is_observed_lies_in_its_interval(made: Record) -> None:
    for one in assess(made).verdict.criteria:
        if one.interval is not None and one.observed is not None:
            low, high = one.interval
            assert low - 1e-9 <= one.observed <= high + 1e-9


@EXAMPLES
@given(records())
def test_a_record_survives_its_file_and_is_judged_alike(made: Record) -> None:
    again = parse_record(record_lines(made), "run.jsonl")

    assert again == made
    assert assess(again) == assess(made)


@EXAMPLES
@given(st.integers(1, 40), st.data())
def test_a_rate_at_its_threshold_is_met_exactly(n: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, n))
    percent = data.draw(st.integers(1, 1000))
    text = data.draw(st.sampled_from([f"{percent / 10}%", f"{percent / 1000}"]))
    cases = [case(f"c{number}", arms=[Arm.MODEL]) for number in range(n)]
    came_in = [
        one
        for number, planned in enumerate(cases)
        for one in trials(planned, "P" if number < passed else "F")
    ]
    assume(percent >= 10)  # less than 1% is taken for a slip

    found = result(judged(cases, came_in, gate_of(at_least=text)))

    assert found.observed == Fraction(passed, n)
    assert (found.status is Status.GO) is (passed * 1000 >= percent * n)


@EXAMPLES
@given(st.integers(1, 30), st.data())
def test_a_difference_at_its_threshold_is_met_exactly(n: int, data: st.DataObject) -> None:
    model, baseline = (data.draw(st.integers(0, n)) for _ in range(2))
    points = data.draw(st.integers(-100, 100))
    cases = [case(f"c{number}") for number in range(n)]
    came_in = [
        one
        for number, planned in enumerate(cases)
        for one in trials(planned, "P" if number < model else "F", "P" if number < baseline else "F")
    ]

    found = result(judged(cases, came_in, gate_of(compare="delta", at_least=f"{points}%")))

    assert (found.status is Status.GO) is ((model - baseline) * 100 >= points * n)

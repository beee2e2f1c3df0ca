"""Shards: which case is whose, and what speaks against judging records together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.errors import RecordError
from pytest_ftgate.gates import Word, assess
from pytest_ftgate.record import (
    CaseKey,
    Outcome,
    Record,
    Share,
    balanced_shares,
    in_shard,
    merge,
    parse_record,
    record_lines,
)
from pytest_ftgate.summary.case_times import case_times_s
from tests.support.records import case, python_item, record, trials

KEYS = [("suite", f"c{number}") for number in range(30)]


def runs(keys: Sequence[CaseKey]) -> dict[CaseKey, bool]:
    return dict.fromkeys(keys, True)


def loads(shares: Sequence[Share], times: Mapping[CaseKey, float]) -> list[float]:
    return [sum(times[key] for key in share.cases) for share in shares]


def balanced(whole: Record, times: Mapping[CaseKey, float], of: int) -> list[Record]:
    shares = balanced_shares({one.key: one.skip is None for one in whole.plan.cases}, times, of)
    return [
        replace(
            whole,
            run=replace(whole.run, shard=(number, of), share=share),
            trials=tuple(one for one in whole.trials if one.key[:2] in share.cases),
        )
        for number, share in enumerate(shares, 1)
    ]


def by_key(whole: Record, of: int) -> list[Record]:
    return [
        replace(
            whole,
            run=replace(whole.run, shard=(number, of)),
            trials=tuple(one for one in whole.trials if in_shard(one.key[:2], (number, of))),
        )
        for number in range(1, of + 1)
    ]


def with_run(one: Record, **changes: Any) -> Record:
    return replace(one, run=replace(one.run, **changes))


# --- shares


def test_the_share_of_a_key_is_the_same_on_every_machine_and_in_every_release() -> None:
    assert [next(n for n in range(1, 6) if in_shard(key, (n, 5))) for key in KEYS[:8]] == [
        1,
        3,
        3,
        5,
        1,
        3,
        5,
        5,
    ]


def test_shares_take_about_equally_long() -> None:
    times = {key: float(number + 1) for number, key in enumerate(KEYS)}

    found = loads(balanced_shares(runs(KEYS), times, 4), times)

    assert (min(found), max(found)) == (116, 117)


def test_a_case_that_takes_longer_than_all_others_has_a_shard_for_itself() -> None:
    shares = balanced_shares(runs(KEYS), {key: 100.0 if key == KEYS[3] else 1.0 for key in KEYS}, 3)

    assert sorted(len(share.cases) for share in shares) == [1, 14, 15]


def test_a_case_without_a_time_counts_as_a_usual_one_and_a_skipped_one_as_nothing() -> None:
    cases = {
        ("s", "long"): True,
        ("s", "usual"): True,
        ("s", "short"): True,
        ("s", "new"): True,
        ("s", "skip"): False,
    }
    times = {
        ("s", "long"): 9.0,
        ("s", "usual"): 3.0,
        ("s", "short"): 2.0,
        ("s", "skip"): 50.0,
        ("s", "gone"): 99.0,
    }

    shares = balanced_shares(cases, times, 2)

    assert sorted(sorted(case for _, case in share.cases) for share in shares) == [
        ["long"],
        ["new", "short", "skip", "usual"],
    ]


def test_without_any_known_time_there_is_nothing_to_balance_by() -> None:
    assert balanced_shares(runs(KEYS), {("suite", "gone"): 1.0}, 3) == []
    assert balanced_shares({KEYS[0]: False}, {KEYS[0]: 1.0}, 3) == []


@given(
    st.dictionaries(st.sampled_from(KEYS), st.floats(0, 1e5, allow_nan=False)),
    st.integers(1, 8),
    st.randoms(),
)
def test_every_case_is_in_exactly_one_share_whatever_the_order(
    times: dict[CaseKey, float], of: int, random: Any
) -> None:
    shuffled = list(KEYS)
    random.shuffle(shuffled)

    shares = balanced_shares(runs(KEYS), times, of)

    assert balanced_shares(runs(shuffled), dict(reversed(times.items())), of) == shares
    assert not times or sorted(key for share in shares for key in share.cases) == sorted(KEYS)
    assert len({share.balance for share in shares}) <= 1


# --- times


def test_the_time_of_a_case_is_that_of_all_its_answers_and_shared_ones_count_once() -> None:
    one = case("a", repeat=2, items=[*case("a").items, python_item("a")])
    other = case("b")
    told = [*trials(one, latency_s=0.5), *trials(other, latency_s=2.0)]

    assert case_times_s([told]) == {one.key: 2.0, other.key: 4.0}


def test_of_several_runs_the_mean_counts_and_what_was_never_measured_is_unknown() -> None:
    first, second = case("a"), case("b")

    found = case_times_s([trials(first, latency_s=1.0), [*trials(first, latency_s=2.0), *trials(second)]])

    assert found == {first.key: 3.0}


def test_recorded_answers_have_no_times() -> None:
    assert case_times_s([trials(case("a"), latency_s=1.0, source="recorded")]) == {}


# --- merging

WHOLE = record([case(f"c{number}") for number in range(9)])
TIMES = {one.key: 1.0 + number for number, one in enumerate(WHOLE.plan.cases)}
OTHER_TIMES = {one.key: 20.0 - number for number, one in enumerate(WHOLE.plan.cases)}
FIRST, SECOND, THIRD = balanced(WHOLE, TIMES, 3)


def refusal(*records: Record) -> str:
    with pytest.raises(RecordError) as raised:
        merge(records)
    return str(raised.value).removeprefix("these records can't be judged together: ")


def test_balanced_shards_are_the_whole_record_through_their_files_too() -> None:
    read = [parse_record(record_lines(shard), "x.jsonl") for shard in (THIRD, FIRST, SECOND)]

    assert merge(read) == WHOLE


def test_shards_balanced_by_different_records_are_refused() -> None:
    other = balanced(WHOLE, OTHER_TIMES, 3)[2]
    ours, theirs = (one.run.share.balance for one in (FIRST, other) if one.run.share)

    assert refusal(FIRST, SECOND, other) == (
        "their ways to share out the cases differ: "
        f"balanced ({ours}) (shards 1, 2), balanced ({theirs}) (shard 3)"
    )


def test_shards_of_which_some_are_balanced_are_refused() -> None:
    assert refusal(FIRST, SECOND, by_key(WHOLE, 3)[2]).startswith(
        "their ways to share out the cases differ: balanced ("
    )


def test_a_case_in_two_shards_in_none_or_unplanned_is_refused() -> None:
    assert SECOND.run.share is not None
    assert THIRD.run.share is not None
    moved, gone = sorted(THIRD.run.share.cases)[:2]
    second = replace(SECOND.run.share, cases=SECOND.run.share.cases | {moved, ("tools", "unknown")})
    third = replace(THIRD.run.share, cases=THIRD.run.share.cases - {gone})

    told = refusal(FIRST, with_run(SECOND, share=second), with_run(THIRD, share=third)).splitlines()

    assert told == [
        "these records can't be judged together:",
        f"- 1 case is in more than one shard: {moved[0]}::{moved[1]}",
        f"- 1 case is in no shard: {gone[0]}::{gone[1]}",
        "- 1 case is in a shard, and not planned: tools::unknown",
        f"- shard 3 holds 2 trials of other shards: evals/tools.evalcase.yaml::{gone[1]} (baseline)",
    ]


def test_cases_of_a_missing_shard_are_not_named_one_by_one() -> None:
    assert refusal(FIRST, SECOND) == "shard 3 of 3 is missing"


def test_a_shard_of_an_earlier_run_is_refused() -> None:
    assert refusal(FIRST, with_run(SECOND, run_id="yesterday"), THIRD) == (
        "their run ids differ: run-1 (shards 1, 3), yesterday (shard 2)"
    )


def test_a_shard_of_other_test_code_is_refused() -> None:
    first, second, third = (
        with_run(one, code={"evals/conftest.py": "ab", "x": "1"}) for one in (FIRST, SECOND, THIRD)
    )
    second = with_run(second, code={"evals/conftest.py": "cd", "x": "1"})

    assert refusal(first, second, third) == (
        "their test code differs in evals/conftest.py: ab (shards 1, 3), cd (shard 2)"
    )


def test_what_differs_in_the_models_is_named_field_by_field() -> None:
    models = {"model": {"name": "m", "host": "a:1", "roles": {"general": {"name": "g"}}}}
    others = {
        "model": {"name": "m", "host": "b:2", "roles": {"general": {"name": "h"}}},
        "baseline": {"name": "b"},
    }
    first, second, third = (with_run(one, models=models) for one in (FIRST, SECOND, THIRD))

    assert refusal(with_run(first, models=others), second, third).splitlines()[1:] == [
        "- their models differ in baseline.name: b (shard 1), none (shards 2, 3)",
        "- their models differ in model.host: b:2 (shard 1), a:1 (shards 2, 3)",
        "- their models differ in model.roles.general.name: h (shard 1), g (shards 2, 3)",
    ]


def test_a_shard_that_was_cut_short_and_ran_again_is_incomplete_and_says_which_records() -> None:
    first = with_run(FIRST, cut_short="Ctrl-C", started="2026-01-01T10:00:00+00:00")
    again = with_run(FIRST, started="2026-01-01T11:00:00+00:00")

    merged = merge([replace(first, trials=first.trials[1:]), again, SECOND, THIRD])

    assert assess(merged).verdict.word is Word.INCOMPLETE
    assert merged.run.cut_short == "shard 1: Ctrl-C"
    assert merged.run.warnings == (
        "shard 1 is there 2 times and ended differently (started 2026-01-01T10:00:00+00:00 and "
        "2026-01-01T11:00:00+00:00): leave out the records that do not count",
    )


def test_a_shard_that_ran_again_with_the_same_answers_leaves_no_trace() -> None:
    again = with_run(FIRST, started="2030", finished="2031")

    merged = merge([again, FIRST, SECOND, THIRD])

    assert replace(merged.run, started="", finished="") == WHOLE.run
    assert merged.trials == WHOLE.trials


def test_shards_that_ran_days_apart_are_told() -> None:
    first = with_run(FIRST, started="2026-01-01T10:00:00+00:00", finished="2026-01-01T10:05:00+00:00")
    second = with_run(SECOND, started="2026-01-02T10:04:59+00:00", finished="2026-01-04T10:05:00+00:00")
    third = with_run(THIRD, started="2026-01-01T12:00:00+00:00", finished="2026-01-01T12:05:00+00:00")
    by_a_day = with_run(second, started="2026-01-02T10:05:00+00:00")
    by_more = with_run(second, started="2026-01-03T11:05:00+00:00")

    assert merge([first, second, third]).run.warnings == ()
    assert merge([first, by_a_day, third]).run.warnings == (
        "the shards ran 24 hours apart: shard 1 ended at 2026-01-01T10:05:00+00:00, "
        "shard 2 began at 2026-01-02T10:05:00+00:00",
    )
    assert "49 hours apart" in merge([first, by_more, third]).run.warnings[0]
    assert merge([with_run(first, finished=""), by_more, third]).run.warnings == ()


def test_shards_are_named_up_to_a_number() -> None:
    one = with_run(record([]), shard=(1, 22))

    assert refusal(one).startswith("shards 2, 3, 4, ")
    assert refusal(one).endswith(", 20, 21 and 1 more of 22 are missing")
    assert refusal(with_run(one, shard=(1, 21))).endswith(", 20, 21 of 21 are missing")


def test_cases_without_any_length_are_spread() -> None:
    shares = balanced_shares(runs(KEYS), dict.fromkeys(KEYS, 0.0), 3)

    assert [len(share.cases) for share in shares] == [10, 10, 10]


def test_many_names_are_counted() -> None:
    (only,) = balanced(record([case(f"c{number}") for number in range(9)]), TIMES, 1)
    assert only.run.share is not None
    share = replace(only.run.share, cases=frozenset())

    assert refusal(replace(with_run(only, share=share), trials=())) == (
        "9 cases are in no shard: tools::c0, tools::c1, tools::c2, tools::c3, tools::c4 and 4 more"
    )


def test_the_best_of_two_tries_never_counts() -> None:
    failed = replace(FIRST, trials=tuple(replace(one, outcome=Outcome.FAILED) for one in FIRST.trials))

    merged = merge([failed, FIRST, SECOND, THIRD])

    assert assess(merged).verdict.word is Word.INCOMPLETE
    assert len(merged.conflicts) == len(FIRST.trials)


def test_a_record_written_before_shards_were_balanced_is_read() -> None:
    lines = list(record_lines(by_key(WHOLE, 3)[0]))

    assert '"share"' not in lines[0]
    assert '"code"' not in lines[0]
    assert parse_record(lines, "old.jsonl").run.has(WHOLE.plan.cases[0].key) is in_shard(
        WHOLE.plan.cases[0].key, (1, 3)
    )


def test_more_shards_than_cases_leave_some_empty_and_whole() -> None:
    shards = by_key(record([case("only")]), 4)

    assert sorted(len(one.trials) for one in shards) == [0, 0, 0, 2]
    assert all(assess(one).verdict.whole_shard for one in shards)
    assert all(assess(one).verdict.word is Word.INCOMPLETE for one in shards)
    assert merge(shards) == record([case("only")])


def test_a_shard_of_an_empty_plan_is_not_whole() -> None:
    verdict = assess(with_run(record([]), shard=(1, 2))).verdict

    assert not verdict.whole_shard
    assert verdict.reasons[0] == "nothing was planned: no eval case was found"

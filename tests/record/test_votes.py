"""Votes in the record: they travel with it, merge with other shards', never contradict each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record import (
    Choice,
    Record,
    VoteKey,
    answers_digest,
    merge,
    merged_votes,
    parse_record,
    record_lines,
)
from tests.support.reviews import record_of, vote

MADE = record_of(4)
VOTES = tuple(
    vote(MADE, case, reviewer, Choice.MODEL) for case in ("c000", "c001") for reviewer in ("ada", "ben")
)


def shard(number: int, votes: tuple[object, ...]) -> Record:
    run = replace(MADE.run, shard=(number, 2))
    trials = tuple(one for one in MADE.trials if run.has(one.key[:2]))
    return replace(MADE, run=run, trials=trials, votes=votes)  # type: ignore[arg-type]


def test_votes_survive_being_written_and_read() -> None:
    made = replace(MADE, votes=merged_votes(VOTES))

    assert parse_record(record_lines(made), "run.jsonl") == made


def test_shards_may_each_hold_the_votes_or_one_of_them_alone() -> None:
    everywhere = merge([shard(1, VOTES), shard(2, VOTES)])

    assert everywhere.votes == merged_votes(VOTES)
    assert merge([shard(2, VOTES[:1]), shard(1, VOTES[1:])]) == everywhere
    assert merge([shard(1, ()), shard(2, VOTES)]) == everywhere


def test_the_same_vote_twice_is_one_in_whatever_order() -> None:
    assert merged_votes([*VOTES, *reversed(VOTES)]) == merged_votes(VOTES)


def test_votes_that_contradict_each_other_are_refused() -> None:
    changed = [replace(one, overall=Choice.TIE) for one in VOTES]

    with pytest.raises(RecordError) as error:
        merged_votes([*VOTES, *changed])

    assert str(error.value) == (
        "votes of the same reviewer contradict each other: ada on tools::c000, ben on tools::c000, "
        "ada on tools::c001 and 1 more: give one review of each batch"
    )


def test_reviewers_of_the_same_name_in_other_batches_are_other_people() -> None:
    other = replace(VOTES[0], key=VOTES[0].key._replace(batch="batch-2"), overall=Choice.TIE)

    assert len(merged_votes([*VOTES, other])) == 5
    assert isinstance(other.key, VoteKey)


def test_a_damaged_vote_is_refused_with_its_line() -> None:
    lines = list(record_lines(replace(MADE, votes=VOTES[:1])))
    place = next(at for at, line in enumerate(lines) if '"vote"' in line)
    lines[place] = lines[place].replace('"overall": "model"', '"overall": "both"')

    with pytest.raises(RecordError) as error:
        parse_record(lines, "run.jsonl")

    assert str(error.value) == f"run.jsonl:{place + 1}: this vote is damaged: 'both' is not a valid Choice"


@pytest.mark.parametrize(
    "changed",
    [
        Completion(text="other"),
        Completion(text="x", refusal="no"),
        Completion(text="x", tool_calls=(ToolCall(name="f", arguments={}),)),
        Completion(text="x", steps=(Completion(text="y", turn=1), Completion(text="x", turn=2))),
    ],
)
def test_what_a_vote_is_about_changes_with_all_that_people_see(changed: Completion) -> None:
    one, other = Completion(text="x"), Completion(text="z")

    assert answers_digest("q", one, other) != answers_digest("q", changed, other)
    assert answers_digest("q", one, other) != answers_digest("q", other, one)
    assert answers_digest("q", one, other) != answers_digest("r", one, other)


def test_what_a_vote_is_about_does_not_change_with_what_only_programs_see() -> None:
    one = Completion(text="x")
    measured = replace(one, latency_s=1.0, model="m", source="recorded", created=1.0, finish_reason="stop")

    assert answers_digest("q", one, one) == answers_digest("q", measured, one)

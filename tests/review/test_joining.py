"""Votes that come back: joined by id and digest, and what is wrong with them said by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pytest_ftgate.errors import RecordError
from pytest_ftgate.record import Choice
from pytest_ftgate.review.ballots import Ballot, parse_votes
from pytest_ftgate.review.joining import Joined, join
from pytest_ftgate.review.key import Key, parse_key
from pytest_ftgate.review.questions import OVERALL
from pytest_ftgate.review.tables import csv_text
from tests.support.reviews import dealt_of, record_of, votes_json

DEALT, SHEETS, KEY = dealt_of(record_of(6))


def all_won(_: str) -> Choice:
    return Choice.MODEL


def votes_of(reviewer: str, change: Callable[[dict[str, Any]], object] | None = None) -> list[Ballot]:
    made = votes_json(KEY, reviewer, all_won)
    if change is not None:
        change(made)
    return parse_votes(json.dumps(made), f"{reviewer}.json")


def joined(*ballots: list[Ballot]) -> Joined:
    return join(KEY, [ballot for some in ballots for ballot in some])


def filled_in(reviewer: str, said: Callable[[dict[str, str]], dict[str, str]], delimiter: str = ",") -> str:
    """A reviewer's table after a spreadsheet: other line ends, another delimiter, no byte order mark."""
    import csv
    import io

    (sheet,) = (one for one in SHEETS if one.reviewer == reviewer)
    rows = list(csv.DictReader(io.StringIO(csv_text(sheet).removeprefix("\ufeff"))))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | said(row) for row in rows)
    return out.getvalue()


def test_whole_votes_are_joined_without_a_word() -> None:
    found = joined(votes_of("ada"), votes_of("ben"), votes_of("cleo"))

    assert (found.problems, found.missing) == ((), ())
    assert {one.vote.overall for one in found.votes} == {Choice.MODEL}
    assert len(found.votes) == 18


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda made: made.update(batch="x0"),
            "ada.json: vote 1: of another batch: 'x0', and this one is '{batch}'",
        ),
        (
            lambda made: made.update(reviewer="eve"),
            "ada.json: vote 1: impossible: this batch has no reviewer 'eve' (ada, ben, cleo)",
        ),
        (
            lambda made: made["votes"][0].update(id="p999"),
            "ada.json: vote 1: impossible: ada was not given the pair 'p999'",
        ),
        (
            lambda made: made["votes"][0].update(digest="x1"),
            "ada.json: vote 1: edited: this is not the pair {first} that ada was given (its digest differs)",
        ),
        (
            lambda made: made["votes"][0].update(overall="A and B"),
            "ada.json: vote 1: impossible: overall is 'A and B', and can be one of A, B, tie, both bad",
        ),
        (
            lambda made: made["votes"][0].update(criteria={"correctness": "C"}),
            "ada.json: vote 1: impossible: correctness is 'C', and can be one of A, B, tie, both bad",
        ),
        (
            lambda made: made["votes"][0].update(criteria={"beauty": "A"}),
            "ada.json: vote 1: impossible: nobody was asked about 'beauty'",
        ),
        (
            lambda made: made["votes"][0].update(overall="", criteria={"safety": "A"}),
            "ada.json: vote 1: missing: ada judges criteria of {first} and says nothing overall",
        ),
    ],
    ids=["batch", "reviewer", "pair", "digest", "two-winners", "choice", "criterion", "no-overall"],
)  # fmt: skip
def test_a_vote_that_can_not_be_joined_is_named_and_does_not_count(
    change: Callable[[dict[str, Any]], object], problem: str
) -> None:
    found = joined(votes_of("ada", change))

    first = KEY.placed["ada"][0].id
    assert found.problems[0] == problem.format(batch=KEY.batch, first=first)
    assert not [one for one in found.votes if one.pair == first]


def test_missing_votes_are_named_by_reviewer() -> None:
    def without_two(made: dict[str, Any]) -> None:
        made["votes"] = [vote for vote in made["votes"] if vote["id"] not in ("p001", "p004")]

    found = joined(votes_of("ada", without_two), votes_of("ben"))

    assert found.missing == (
        "missing: 2 of 6 votes of ada: p001, p004",
        "missing: 6 of 6 votes of cleo: p001, p002, p003, p004, p005 and 1 more",
    )


def test_the_same_vote_twice_counts_once_and_is_said() -> None:
    found = joined(votes_of("ada"), votes_of("ada"))

    assert len(found.votes) == 6
    id_ = KEY.placed["ada"][0].id
    assert (
        found.problems[0] == f"double: ada's vote on {id_} is there 2 times, always the same: it counts once"
    )


def test_two_different_votes_of_one_reviewer_on_a_pair_do_not_count() -> None:
    def other(made: dict[str, Any]) -> None:
        made["votes"] = [made["votes"][0] | {"overall": "tie"}]

    found = joined(votes_of("ada"), votes_of("ada", other))

    one = KEY.placed["ada"][0]
    side = "A" if one.a == "model" else "B"
    assert found.problems == (
        f"double: ada votes on {one.id} more than once, and not the same, so none counts: "
        f"'{side}' (ada.json: vote 1), 'tie' (ada.json: vote 1)",
    )
    assert len(found.votes) == 5


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_filled_in_with_a_spreadsheet_counts_like_the_pages_file(delimiter: str) -> None:
    sides = {vote["id"]: vote["overall"] for vote in votes_json(KEY, "ada", all_won)["votes"]}
    text = filled_in(
        "ada",
        lambda row: {OVERALL: f" {sides[row['id']].lower()} ", "correctness": "Both Bad", "notes": "=SUM(1)"},
        delimiter,
    )

    found = join(KEY, parse_votes(text, "ada.csv"))

    assert not found.problems
    assert {one.vote for one in found.votes} == {one.vote for one in joined(votes_of("ada")).votes}
    assert {one.criteria["correctness"] for one in found.votes} == {Choice.BOTH_BAD}
    assert {one.notes for one in found.votes} == {"=SUM(1)"}


def test_rows_in_another_order_and_blank_ones_make_no_difference() -> None:
    text = filled_in("ada", lambda row: {OVERALL: "" if row["id"] == "p002" else "tie"})
    header, *rows = text.splitlines(keepends=True)

    found = join(KEY, parse_votes("".join([header, *reversed(rows), "\n", ",,,,\n"]), "ada.csv"))

    assert len(found.votes) == 5
    assert found.missing[0] == "missing: 1 of 6 votes of ada: p002"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            "v is no table of `ftgate review export`: it lacks the columns batch, reviewer, "
            "id, digest, overall",
        ),
        (
            "batch,reviewer,id,digest\n",
            "v is no table of `ftgate review export`: it lacks the column overall",
        ),
        ("batch,reviewer,id,digest,overall\n", "v holds no vote"),
        (
            "{",
            "v is not JSON: Expecting property name enclosed in double quotes: line 1 column "
            "2 (char 1): was it saved by the page?",
        ),
        ('{"schema": "x"}', "v holds no votes of the review page (ftgate.votes/1)"),
        ('{"schema": "ftgate.votes/1", "votes": [3]}', "v: vote 1 is damaged: an object was expected"),
        ('{"schema": "ftgate.votes/1", "votes": []}', "v holds no vote"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_votes_is_refused(text: str, message: str) -> None:
    with pytest.raises(RecordError) as error:
        parse_votes(text, "v")

    assert str(error.value) == message


def test_a_table_that_breaks_off_in_the_middle_is_refused_with_its_line() -> None:
    with pytest.raises(RecordError, match=r"^v:\d+: not CSV: "):
        parse_votes("batch,reviewer,id,digest,overall\n" + "x" * 200_000 + ",a,b,c,d\n", "v")


@pytest.mark.parametrize("seconds", [-1, True, "7", 1e9, None])
def test_times_that_can_not_be_are_unknown(seconds: object) -> None:
    def timed(made: dict[str, Any]) -> None:
        made["votes"][0]["seconds"] = seconds

    assert votes_of("ada", timed)[0].seconds is None


def test_the_key_survives_being_written_and_read() -> None:
    assert parse_key(json.dumps(KEY.as_json()), "key.json") == KEY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "key.json is not the key of a batch of `ftgate review export` (ftgate.batch/1)"),
        (
            "{",
            "key.json is damaged: JSONDecodeError: Expecting property name enclosed in "
            "double quotes: line 1 column 2 (char 1)",
        ),
        ('{"schema": "ftgate.batch/1"}', "key.json is damaged: KeyError: 'batch'"),
    ],
)  # fmt: skip
def test_a_damaged_key_is_refused(text: str, message: str) -> None:
    with pytest.raises(RecordError) as error:
        parse_key(text, "key.json")

    assert str(error.value) == message
    assert isinstance(KEY, Key)

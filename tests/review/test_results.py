"""What votes amount to: checked against real annotators, and in words that say no more than they may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from pytest_ftgate.errors import RecordError
from pytest_ftgate.record import Choice
from pytest_ftgate.reports.lines import plain_text
from pytest_ftgate.review.ballots import parse_votes
from pytest_ftgate.review.joining import join
from pytest_ftgate.review.report import render_review
from pytest_ftgate.review.results import Results, alpha, preference, results_of
from pytest_ftgate.review.review_file import parse_review, read_reviews, review_json
from pytest_ftgate.stats.agreement import band
from tests.data import data_folder
from tests.support.records import case, record
from tests.support.reviews import answered, dealt_of, record_of, votes_json

LABELS = {1: Choice.BASELINE, 2: Choice.MODEL, 0: Choice.TIE}


def results_for(count: int, says: Mapping[str, str]) -> Results:
    """Each reviewer says a letter for each pair: m, b, t, x (both bad), or nothing for a dot."""
    letters = {"m": Choice.MODEL, "b": Choice.BASELINE, "t": Choice.TIE, "x": Choice.BOTH_BAD}
    _, _, key = dealt_of(record_of(count))
    ballots = []
    for reviewer, row in says.items():
        said = {f"p{number:03}": letters.get(letter) for number, letter in enumerate(row, 1)}
        made = votes_json(key, reviewer, said.get)
        for vote in made["votes"]:
            vote |= {"criteria": {"correctness": vote["overall"]}, "seconds": 12.5, "notes": "\x1b[31m"}
        ballots += parse_votes(json.dumps(made), f"{reviewer}.json")
    return results_of(join(key, ballots))


def test_real_annotators_prefer_as_published_and_agree_as_can_be_recomputed() -> None:
    """Pairs of cerebras-gpt-6.7B and llama-7b, three annotators each: a subset of 110 of PandaLM's 999."""
    lines = (data_folder("human_preference") / "preferences.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    cases = [case(row["id"], prompt=row["instruction"] + "\n" + row["input"]) for row in rows]
    came_in = [
        one
        for planned, row in zip(cases, rows, strict=True)
        for one in answered(planned, row["response2"], row["response1"])
    ]
    dealt, _, key = dealt_of(record(cases, came_in))
    said = {row["id"]: row["annotators"] for row in rows}
    ballots = []
    for place, reviewer in enumerate(key.placed):
        made = votes_json(key, reviewer, lambda id_, at=place: LABELS[said[dealt.ids[id_].case][at]])  # type: ignore[misc]
        ballots += parse_votes(json.dumps(made), reviewer)

    found = results_of(join(key, ballots))

    overall = found.preferences[0]
    different = {pair.case for pair in dealt.ids.values()}
    ties_of_equals = sum(row["id"] not in different for row in rows)
    assert (overall.wins, overall.losses, overall.ties + ties_of_equals) == (80, 24, 6)
    assert overall.rate == Fraction(80, 104)
    assert overall.bounds == pytest.approx(tuple(binomtest(80, 104).proportion_ci(method="wilson")))
    assert [one.value for one in found.kappas] == pytest.approx(oracle_kappas(rows, different))


def oracle_kappas(rows: list[dict[str, object]], ids: set[str]) -> list[float]:
    """Cohen 1960 on a table of counts, by numpy."""
    import numpy as np

    kappas = []
    for first, second in ((0, 1), (0, 2), (1, 2)):
        table = np.zeros((3, 3))
        for row in rows:
            if row["id"] in ids:
                labels = row["annotators"]
                assert isinstance(labels, list)
                table[labels[first], labels[second]] += 1
        shares = table / table.sum()
        chance = shares.sum(axis=1) @ shares.sum(axis=0)
        kappas.append(float((np.trace(shares) - chance) / (1 - chance)))
    return kappas


def test_no_majority_is_a_tie_and_both_bad_is_one_that_is_shown() -> None:
    said = {
        "split": {"ada": Choice.MODEL, "ben": Choice.BASELINE, "cleo": Choice.TIE},
        "half": {"ada": Choice.MODEL, "ben": Choice.TIE},
        "bad": {"ada": Choice.BOTH_BAD, "ben": Choice.BOTH_BAD, "cleo": Choice.MODEL},
        "tied or bad": {"ada": Choice.BOTH_BAD, "ben": Choice.TIE, "cleo": Choice.MODEL},
        "won": {"ada": Choice.MODEL, "ben": Choice.MODEL, "cleo": Choice.BASELINE},
    }

    found = preference("overall", said)

    assert (found.wins, found.losses, found.ties, found.both_bad) == (1, 0, 4, 1)


def test_without_a_decided_pair_there_is_no_preference_and_without_two_labels_no_agreement() -> None:
    said = {f"p{number}": {"ada": Choice.TIE, "ben": Choice.TIE} for number in range(5)}

    assert (preference("overall", said).rate, preference("overall", said).bounds) == (None, None)
    found = alpha(said)
    assert (found.value, found.bounds, found.n) == (None, None, 5)
    assert found.words == "undefined: only one label was given"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (-0.01, "poor"),
        (0.0, "slight"),
        (0.2, "slight"),
        (0.21, "fair"),
        (0.5, "moderate"),
        (0.61, "substantial"),
        (0.81, "almost perfect"),
        (1.0, "almost perfect"),
    ],
)
def test_the_words_for_agreement_are_those_of_landis_and_koch(value: float, word: str) -> None:
    assert band(value) == word


def test_the_report_says_all_of_it_on_eighty_columns() -> None:
    found = results_for(6, {"ada": "mmmbtx", "ben": "mmbbtx", "cleo": "m...."})

    text = plain_text(render_review(found, "review.json", width=80))

    assert all(len(row) <= 80 for row in text.splitlines())
    assert text.startswith("Preference  13 votes on 6 pairs, by majority\n")
    assert "  overall          2         1    2         1      66.7%  [21%, 94%]\n" in text
    assert "Krippendorff's alpha" in text
    assert "To discuss  1 pair on which reviewers prefer different answers\n" in text
    assert "\n        ada: \\x1b[31m\n" in text
    assert "missing: 5 of 6 votes of cleo: p002, p003, p004, p005, p006" in text
    assert text.endswith("same answers\n") or text.endswith("the same\n      answers\n")
    assert "\x1b" not in text


def test_a_long_report_names_the_first_and_counts_the_rest() -> None:
    def torn(made: dict[str, Any]) -> None:
        made["votes"] += [{**one, "digest": "x"} for one in made["votes"]] * 2

    _, _, key = dealt_of(record_of(12))
    ballots = []
    for reviewer, said in (("ada", Choice.MODEL), ("ben", Choice.BASELINE)):
        made = votes_json(key, reviewer, lambda _, said=said: said)  # type: ignore[misc]
        torn(made)
        ballots += parse_votes(json.dumps(made), f"{reviewer}.json")

    text = plain_text(render_review(results_of(join(key, ballots)), "review.json", width=80))

    assert "To discuss  12 pairs on which reviewers prefer different answers\n" in text
    assert "\n  (2 more in the file)\n" in text
    assert "\n  (29 more in the file)\n" in text


def test_the_report_is_ascii_where_the_terminal_takes_no_more() -> None:
    found = results_for(6, {"ada": "mmmbtx", "ben": "mmbbtx"})

    plain_text(render_review(found, "review.json", width=80, ascii_only=True)).encode("ascii")


def test_who_always_takes_one_side_is_named() -> None:
    _, _, key = dealt_of(record_of(12))
    made = votes_json(key, "ada", lambda _: Choice.TIE)
    for vote in made["votes"]:
        vote["overall"] = "A"

    found = results_of(join(key, parse_votes(json.dumps(made), "ada.json")))

    ways = found.ways[0]
    assert (ways.left, ways.right) == (12, 0)
    assert ways.side_p == pytest.approx(2 * 0.5**12)
    text = plain_text(render_review(found, "review.json", width=80))
    assert "  ada leans to side A, more than chance explains\n" in text


def test_a_review_survives_being_written_and_read() -> None:
    found = results_for(6, {"ada": "mmmbtx", "ben": "mmbbtx"})

    votes = parse_review(json.dumps(review_json(found)), "review.json")

    assert sorted(votes, key=lambda vote: vote.key) == sorted(
        (one.vote for one in found.joined.votes), key=lambda vote: vote.key
    )


def test_the_same_votes_make_the_same_review() -> None:
    says = {"ada": "mmmbtx", "ben": "mmbbtx"}

    assert json.dumps(review_json(results_for(6, says))) == json.dumps(review_json(results_for(6, says)))


def test_a_review_that_was_changed_by_hand_is_refused() -> None:
    content = review_json(results_for(2, {"ada": "mm"}))
    content["votes"][0]["overall"] = "baseline"

    with pytest.raises(RecordError) as error:
        parse_review(json.dumps(content), "review.json")

    assert str(error.value) == (
        "review.json: the votes were changed after they were written: apply them again"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "r is not a review: not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[]", "r is not a review that `ftgate review apply` wrote (ftgate.review/1)"),
        ('{"schema": "ftgate.review/1"}', "r is damaged: KeyError: 'votes'"),
    ],
)
def test_what_is_no_review_is_refused(text: str, message: str) -> None:
    with pytest.raises(RecordError) as error:
        parse_review(text, "r")

    assert str(error.value) == message


def test_a_review_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "review.json"

    with pytest.raises(RecordError) as error:
        read_reviews([path])

    assert str(error.value) == f"review {path} can't be read: No such file or directory"

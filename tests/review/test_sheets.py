"""Blinding: what reviewers are given says nothing of an arm, and the key says everything."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm
from pytest_ftgate.record import Choice
from pytest_ftgate.reports.answers import Call, Turn
from pytest_ftgate.review.ballots import parse_votes
from pytest_ftgate.review.instructions import DEFAULT, parse_instructions
from pytest_ftgate.review.joining import join
from pytest_ftgate.review.pairs import Pair, pairs_of
from pytest_ftgate.review.questions import CRITERIA
from pytest_ftgate.review.render import render_page
from pytest_ftgate.review.sheets import Sheet, blinded
from pytest_ftgate.review.tables import csv_text, jsonl_text
from tests.support.hostile import HOSTILE
from tests.support.reviews import REVIEWERS, blind, dealt_of, record_of, votes_text

#: All but the largest, which say nothing more here.
TEXTS = st.sampled_from([text for text in HOSTILE if len(text) < 1000]) | st.text(max_size=20)
CALLS = st.builds(
    Call, name=TEXTS, arguments=st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple), text=TEXTS
)
TURNS = st.builds(Turn, text=TEXTS, refusal=TEXTS, calls=st.lists(CALLS, max_size=2).map(tuple))
ANSWERS = st.lists(TURNS, min_size=1, max_size=2).map(tuple)
INSTRUCTIONS = parse_instructions(DEFAULT)


@st.composite
def pairs(draw: st.DrawFn) -> list[Pair]:
    """Pairs whose texts may hold anything."""
    return [
        Pair(
            suite="tools",
            case=f"c{number}",
            category=draw(st.sampled_from(["simple", "edge"])),
            prompt=draw(TEXTS),
            model=draw(ANSWERS),
            baseline=draw(ANSWERS),
            answers=f"digest-{number}",
        )
        for number in range(draw(st.integers(1, 5)))
    ]


def files_of(sheets: tuple[Sheet, ...]) -> list[str]:
    """Everything that goes to reviewers."""
    return [
        text for one in sheets for text in (render_page(one, INSTRUCTIONS), csv_text(one), jsonl_text(one))
    ]


def swapped(arm: Arm) -> Arm:
    return Arm.BASELINE if arm is Arm.MODEL else Arm.MODEL


@settings(max_examples=25, deadline=None)
@given(pairs(), st.integers(1, 3), st.text("abc", min_size=1, max_size=3))
def test_nothing_that_reviewers_get_reveals_an_arm(made: list[Pair], per_item: int, seed: str) -> None:
    dealt, sheets, _ = blind(made, per_item=per_item, seed=seed)
    turned = {
        id_: replace(pair, model=pair.baseline, baseline=pair.model, answers="another")
        for id_, pair in dealt.ids.items()
    }
    sides = {place: swapped(arm) for place, arm in dealt.sides.items()}

    again = blinded(replace(dealt, ids=turned, sides=sides), CRITERIA)

    assert files_of(again) == files_of(sheets)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(1, 3),
    st.text("abc", min_size=1, max_size=3),
    st.dictionaries(st.tuples(st.integers(1, 12), st.sampled_from(REVIEWERS)), st.sampled_from(Choice)),
)
def test_what_comes_back_is_unblinded_exactly(
    count: int, per_item: int, seed: str, meant: dict[tuple[int, str], Choice]
) -> None:
    dealt, _, key = dealt_of(record_of(count), per_item=per_item, seed=seed)
    says = {
        (id_, reviewer): said
        for (number, reviewer), said in meant.items()
        for id_ in [f"p{number:03}"]
        if (reviewer, id_) in dealt.sides
    }
    ballots = []
    for reviewer in {by for _, by in says}:
        own = {id_: said for (id_, by), said in says.items() if by == reviewer}
        ballots += parse_votes(votes_text(key, reviewer, own.get), "votes.json")

    joined = join(key, ballots)

    assert not joined.problems
    found = {(one.pair, one.vote.key.reviewer): one.vote for one in joined.votes}
    assert {place: vote.overall for place, vote in found.items()} == says
    assert all(
        vote.case_key == (dealt.ids[id_].suite, dealt.ids[id_].case) for (id_, _), vote in found.items()
    )


def test_every_pair_is_seen_in_both_orders_and_all_have_as_much_to_do() -> None:
    dealt, sheets, _ = dealt_of(record_of(40), ("ada", "ben", "cleo", "dan"), per_item=2)

    assert [len(sheet.items) for sheet in sheets] == [20, 20, 20, 20]
    for id_ in dealt.ids:
        assert {arm for (_, pair), arm in dealt.sides.items() if pair == id_} == {*Arm}


def test_a_reviewer_sees_either_arm_on_the_left_about_half_of_the_time() -> None:
    dealt, _, _ = dealt_of(record_of(200), per_item=1, reviewers=["ada"])

    left = Counter(dealt.sides.values())

    assert 80 <= left[Arm.MODEL] <= 120


def test_reviewers_see_the_pairs_in_orders_of_their_own() -> None:
    _, sheets, _ = dealt_of(record_of(30))

    orders = [[item.id for item in sheet.items] for sheet in sheets]

    assert len({tuple(order) for order in orders}) == 3
    assert len({frozenset(order) for order in orders}) == 1


def test_the_seed_draws_the_same_again_and_another_seed_does_not() -> None:
    made = record_of(20)

    first, again, other = (files_of(dealt_of(made, seed=seed)[1]) for seed in ("s", "s", "t"))

    assert first == again != other


def test_other_answers_are_another_batch_and_other_digests() -> None:
    made = pairs_of(record_of(2)).pairs
    changed = [replace(made[0], model=(Turn(text="Better."),)), made[1]]

    (one, *_), (other, *_) = blind(made)[1], blind(changed)[1]

    assert one.batch != other.batch
    changed_ids = [a.id for a, b in zip(one.items, other.items, strict=True) if a.digest != b.digest]
    assert changed_ids == [next(id_ for id_, pair in blind(made)[0].ids.items() if pair.case == "c000")]

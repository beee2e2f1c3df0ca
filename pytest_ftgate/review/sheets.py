"""Blinding: what each reviewer is given, and the key that says whose answers those are.

A sheet is made of a pair and of which side its arms stand on, and of nothing else that knows an arm: with the
arms swapped and the sides swapped, every sheet is the same to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.cases import Arm, digest
from pytest_ftgate.reports.answers import Answer, answer_json
from pytest_ftgate.review.pairs import Pair, draw
from pytest_ftgate.review.questions import Question

#: Spreadsheets would turn digits with an `e` among them into a number.
_NO_NUMBER = "x"
#: Which arm stands on side A, by reviewer and pair.
Sides = Mapping[tuple[str, str], Arm]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One pair as a reviewer sees it; `digest` covers all that is shown."""

    id: str
    digest: str
    category: str
    prompt: str
    a: Answer
    b: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What one reviewer is given, in this order."""

    batch: str
    reviewer: str
    questions: tuple[Question, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One line of the key: a pair on a reviewer's sheet, and whose answer stood on side A."""

    id: str
    digest: str
    a: Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """Which pairs each reviewer is given, in which order, and which arm stands on side A of each."""

    ids: Mapping[str, Pair]
    order: Mapping[str, Sequence[str]]
    sides: Sides


def deal(pairs: Sequence[Pair], reviewers: Sequence[str], per_item: int, seed: str) -> Dealt:
    """Each pair to so many reviewers, all with about as many; who sees which side first is drawn.

    Half of the reviewers of a pair see it in one order, half in the other, so that a liking for one side
    favours no arm. Ids count in the order of `pairs`.
    """
    width = max(len(str(len(pairs))), 3)
    ids = {f"p{number:0{width}}": pair for number, pair in enumerate(pairs, 1)}
    sides: dict[tuple[str, str], Arm] = {}
    given: dict[str, list[str]] = {reviewer: [] for reviewer in reviewers}
    arms = tuple(Arm)
    for place, (id_, pair) in enumerate(ids.items()):
        first = draw(seed, "side", pair.suite, pair.case)
        for turn in range(per_item):
            reviewer = reviewers[(place * per_item + turn) % len(reviewers)]
            sides[reviewer, id_] = arms[(first + turn) % 2]
            given[reviewer].append(id_)
    order = {
        reviewer: sorted(theirs, key=lambda id_: draw(seed, "order", reviewer, id_))
        for reviewer, theirs in given.items()
    }
    return Dealt(ids=ids, order=order, sides=sides)


def blinded(dealt: Dealt, questions: tuple[Question, ...]) -> tuple[Sheet, ...]:
    """The sheets of all reviewers; the batch's id digests them, and so tells nothing that they do not."""
    items = {
        reviewer: tuple(_item(id_, dealt.ids[id_], dealt.sides[reviewer, id_]) for id_ in ids)
        for reviewer, ids in dealt.order.items()
    }
    content: list[Any] = [[reviewer, *(item.digest for item in own)] for reviewer, own in items.items()]
    batch = f"{_NO_NUMBER}{digest([content, [question.key for question in questions]])}"
    return tuple(
        Sheet(batch=batch, reviewer=reviewer, questions=questions, items=own)
        for reviewer, own in items.items()
    )


def _item(id_: str, pair: Pair, side_a: Arm) -> Item:
    a, b = (pair.model, pair.baseline) if side_a is Arm.MODEL else (pair.baseline, pair.model)
    return Item(
        id=id_,
        digest=f"{_NO_NUMBER}{digest([id_, pair.prompt, answer_json(a), answer_json(b)])}",
        category=pair.category,
        prompt=pair.prompt,
        a=a,
        b=b,
    )

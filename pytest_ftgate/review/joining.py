"""Joins votes with the key of their batch, by id and digest, and unblinds them.

A vote that can't be joined does not count, and is named with what is wrong with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.votes import Choice, Vote, VoteKey
from pytest_ftgate.review.ballots import Ballot, choice_of
from pytest_ftgate.review.key import Key
from pytest_ftgate.review.questions import CHOICES, OVERALL
from pytest_ftgate.review.sheets import Placed

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """One vote, unblinded: the overall choice, those by criterion, and the side that was chosen."""

    vote: Vote
    pair: str
    side: str
    criteria: Mapping[str, Choice] = field(default_factory=dict)
    notes: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """All votes of a batch that count, sorted; `problems` names the others, `missing` those not given."""

    key: Key
    votes: tuple[Reviewed, ...]
    problems: tuple[str, ...]
    missing: tuple[str, ...]


def join(key: Key, ballots: Sequence[Ballot]) -> Joined:
    """The votes that count, and all that is wrong with the others."""
    problems: list[str] = []
    sound: dict[tuple[str, str], list[Ballot]] = defaultdict(list)
    for ballot in ballots:
        if problem := _unplaced(key, ballot) or _impossible(key, ballot):
            problems.append(f"{ballot.where}: {problem}")
        elif ballot.overall:
            sound[ballot.reviewer, ballot.id].append(ballot)
    votes: dict[tuple[str, str], Reviewed] = {}
    for place, told in sound.items():
        if len(told) > 1:
            problems.append(_double(place, told))
        if len(set(map(_said, told))) == 1:
            votes[place] = _unblinded(key, told[0])
    return Joined(
        key=key,
        votes=tuple(votes[place] for place in sorted(votes)),
        problems=tuple(problems),
        missing=tuple(_missing(key, votes)),
    )


def _double(place: tuple[str, str], told: Sequence[Ballot]) -> str:
    reviewer, id_ = place
    if len(set(map(_said, told))) == 1:
        return (
            f"double: {reviewer}'s vote on {id_} is there {len(told)} times, always the same: it counts once"
        )
    named = ", ".join(f"'{ballot.overall}' ({ballot.where})" for ballot in told)
    return f"double: {reviewer} votes on {id_} more than once, and not the same, so none counts: {named}"


def _unplaced(key: Key, ballot: Ballot) -> str | None:
    """Why a ballot is not on anything that this batch gave to its reviewer; None if it is."""
    if ballot.batch != key.batch:
        return f"of another batch: '{ballot.batch}', and this one is '{key.batch}'"
    if ballot.reviewer not in key.placed:
        return f"impossible: this batch has no reviewer '{ballot.reviewer}' ({', '.join(key.placed)})"
    placed = _placed(key, ballot)
    if placed is None:
        return f"impossible: {ballot.reviewer} was not given the pair '{ballot.id}'"
    if placed.digest != ballot.digest:
        return (
            f"edited: this is not the pair {ballot.id} that {ballot.reviewer} was given (its digest differs)"
        )
    return None


def _impossible(key: Key, ballot: Ballot) -> str | None:
    """What in a ballot can't be said; None for a sound or an empty one."""
    for question, said in {OVERALL: ballot.overall, **ballot.criteria}.items():
        if question != OVERALL and question not in key.questions:
            return f"impossible: nobody was asked about '{question}'"
        if said and choice_of(said) is None:
            return f"impossible: {question} is '{said}', and can be one of {', '.join(CHOICES)}"
    if not ballot.overall and ballot.criteria:
        return f"missing: {ballot.reviewer} judges criteria of {ballot.id} and says nothing overall"
    return None


def _placed(key: Key, ballot: Ballot) -> Placed | None:
    return next((one for one in key.placed[ballot.reviewer] if one.id == ballot.id), None)


def _said(ballot: Ballot) -> tuple[object, ...]:
    return choice_of(ballot.overall), *sorted(
        (name, choice_of(said)) for name, said in ballot.criteria.items()
    )


def _unblinded(key: Key, ballot: Ballot) -> Reviewed:
    placed, pair = _placed(key, ballot), key.pairs[ballot.id]
    assert placed is not None
    vote = Vote(
        key=VoteKey(pair.suite, pair.case, key.batch, ballot.reviewer),
        answers=pair.answers,
        overall=_choice(ballot.overall, placed),
    )
    return Reviewed(
        vote=vote,
        pair=ballot.id,
        side=choice_of(ballot.overall) or "",
        criteria={name: _choice(said, placed) for name, said in sorted(ballot.criteria.items())},
        notes=ballot.notes,
        seconds=ballot.seconds,
    )


def _choice(said: str, placed: Placed) -> Choice:
    """Whose answer a side is."""
    meant = choice_of(said)
    if meant in ("A", "B"):
        is_model = (meant == "A") is (placed.a is Arm.MODEL)
        return Choice.MODEL if is_model else Choice.BASELINE
    return Choice(str(meant))


def _missing(key: Key, votes: Iterable[tuple[str, str]]) -> list[str]:
    given = set(votes)
    told = []
    for reviewer, placed in key.placed.items():
        ids = sorted(one.id for one in placed if (reviewer, one.id) not in given)
        if ids:
            more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
            listed = ", ".join(ids[:_NAMED])
            told.append(f"missing: {len(ids)} of {len(placed)} votes of {reviewer}: {listed}{more}")
    return told

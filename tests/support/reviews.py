"""Small batches for tests: records with two different answers to each case, sheets, and votes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.record import Choice, PlannedCase, Record, Trial, Vote, VoteKey, answers_digest
from pytest_ftgate.review.key import Key, key_of
from pytest_ftgate.review.pairs import Pair, pairs_of
from pytest_ftgate.review.questions import CRITERIA, Question
from pytest_ftgate.review.sheets import Dealt, Sheet, blinded, deal
from tests.support.records import case, record, trial

REVIEWERS = ("ada", "ben", "cleo")


def answered(
    planned: PlannedCase, model: str | Completion = "good", baseline: str | Completion = "poor"
) -> list[Trial]:
    """The trials of a case with these answers."""
    given = {
        arm: Completion(text=answer) if isinstance(answer, str) else answer
        for arm, answer in ((Arm.MODEL, model), (Arm.BASELINE, baseline))
    }
    return [trial(key, completion=given[key.arm], expect=planned.expect) for key in planned.trial_keys()]


def record_of(count: int, **run: Any) -> Record:
    """A record of so many cases, each with two answers of its own, in two categories."""
    cases = [
        case(f"c{number:03}", category="edge" if number % 4 == 0 else "simple", prompt=f"Question {number}?")
        for number in range(count)
    ]
    came_in = [
        one
        for number, planned in enumerate(cases)
        for one in answered(planned, f"Good answer {number}.", f"Poor answer {number}.")
    ]
    return record(cases, came_in, **run)


def dealt_of(
    made: Record, reviewers: Sequence[str] = REVIEWERS, per_item: int = 3, seed: str = "s"
) -> tuple[Dealt, tuple[Sheet, ...], Key]:
    """All pairs of a record, dealt and blinded, with their key."""
    return blind(pairs_of(made).pairs, reviewers, per_item, seed)


def blind(
    pairs: Sequence[Pair],
    reviewers: Sequence[str] = REVIEWERS,
    per_item: int = 3,
    seed: str = "s",
    questions: tuple[Question, ...] = CRITERIA,
) -> tuple[Dealt, tuple[Sheet, ...], Key]:
    """The same of any pairs."""
    dealt = deal(pairs, reviewers, per_item, seed)
    sheets = blinded(dealt, questions)
    return dealt, sheets, key_of(dealt, sheets, seed=seed, run_id="run-1")


def side_of(choice: Choice, a: Arm) -> str:
    """What a reviewer says who means this."""
    if choice in (Choice.TIE, Choice.BOTH_BAD):
        return choice.value
    return "A" if choice.value == a.value else "B"


def votes_json(key: Key, reviewer: str, say: Callable[[str], Choice | None], **rest: Any) -> dict[str, Any]:
    """What the page saves; `say` gets the id of a pair."""
    votes = [
        {"id": one.id, "digest": one.digest, "overall": side_of(said, one.a), "criteria": {}, "notes": ""}
        for one in key.placed[reviewer]
        if (said := say(one.id)) is not None
    ]
    return {"schema": "ftgate.votes/1", "batch": key.batch, "reviewer": reviewer, "votes": votes} | rest


def votes_text(key: Key, reviewer: str, say: Callable[[str], Choice | None]) -> str:
    """The same as text."""
    return json.dumps(votes_json(key, reviewer, say))


def vote(made: Record, case_id: str, reviewer: str, said: Choice, **changed: Any) -> Vote:
    """A vote on the answers that a record holds."""
    planned = next(one for one in made.plan.cases if one.id == case_id)
    answers: Mapping[Arm, Completion] = {
        one.key.arm: one.completion
        for one in made.trials
        if one.key.case == case_id and one.completion is not None
    }
    digest = answers_digest(planned.asked, answers[Arm.MODEL], answers[Arm.BASELINE])
    key = VoteKey(planned.suite, case_id, "batch-1", reviewer)
    return Vote(**({"key": key, "answers": digest, "overall": said} | changed))

"""Votes: which of the two answers to a case a person preferred. Plain values; nothing here judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

from pytest_ftgate.cases import Arm, digest
from pytest_ftgate.completions import Completion, turn_answers
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record.plan import CaseKey
from pytest_ftgate.record.trials import Trial

_NAMED = 3


class Choice(StrEnum):
    """What a reviewer says of two answers, once it is known whose they are."""

    MODEL = "model"
    BASELINE = "baseline"
    TIE = "tie"
    BOTH_BAD = "both bad"


class VoteKey(NamedTuple):
    """What makes a vote unique: one reviewer of one batch votes once on a case."""

    suite: str
    case: str
    batch: str
    reviewer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One reviewer's overall choice on one case. `answers` digests what the vote is about."""

    key: VoteKey
    answers: str
    overall: Choice

    @property
    def case_key(self) -> CaseKey:
        """Suite and id of the case."""
        return self.key.suite, self.key.case

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        return {**self.key._asdict(), "answers": self.answers, "overall": self.overall.value}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; other keys are ignored."""
        key = VoteKey(*(str(row[name]) for name in VoteKey._fields))
        return cls(key=key, answers=str(row["answers"]), overall=Choice(row["overall"]))


def merged_votes(votes: Iterable[Vote]) -> tuple[Vote, ...]:
    """All votes, sorted, each once; a `RecordError` names those that are there twice and differ."""
    found: dict[VoteKey, Vote] = {}
    torn: set[VoteKey] = set()
    for vote in votes:
        if found.setdefault(vote.key, vote) != vote:
            torn.add(vote.key)
    if torn:
        named = ", ".join(f"{key.reviewer} on {key.suite}::{key.case}" for key in sorted(torn)[:_NAMED])
        more = f" and {len(torn) - _NAMED} more" if len(torn) > _NAMED else ""
        raise RecordError(
            f"votes of the same reviewer contradict each other: {named}{more}: give one review of each batch"
        )
    return tuple(found[key] for key in sorted(found))


def answers_digest(asked: str, model: Completion, baseline: Completion) -> str:
    """What a vote is about: what was asked and both answers as a person sees them, whoever measured them."""
    return digest([asked, _seen(model), _seen(baseline)])


def answer_digests(asked: str, trials: Sequence[Trial]) -> frozenset[str]:
    """The digests of all pairs of answers that the trials of one case hold: of the same item and repeat."""
    by_arm: dict[Arm, dict[tuple[int, str], Completion]] = {arm: {} for arm in Arm}
    for trial in trials:
        if trial.completion is not None:
            by_arm[trial.key.arm][trial.key.repeat, trial.key.item] = trial.completion
    baselines = by_arm[Arm.BASELINE]
    return frozenset(
        answers_digest(asked, completion, baselines[place])
        for place, completion in by_arm[Arm.MODEL].items()
        if place in baselines
    )


def _seen(completion: Completion) -> list[Any]:
    return [
        [answer.text, answer.refusal, [call.as_json() for call in answer.tool_calls]]
        for answer in turn_answers(completion)
    ]

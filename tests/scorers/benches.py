"""Benches with scripted graders: what a judge would be asked, and what it replies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.completions import Completion
from pytest_ftgate.scorers import BUILTIN, Bench, Need, Question, checks_by_graders, score_case
from pytest_ftgate.scores import Score
from tests.scorers.build import case, check

Reply = str | Completion


@dataclass
class Judge:
    """Replies to each question in turn, or by a rule; keeps what it was asked."""

    replies: Iterable[Reply] | Callable[[Question], Reply]
    asked: list[Question] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._script = None if callable(self.replies) else iter(tuple(self.replies))

    def ask(self, question: Question) -> Completion:
        self.asked.append(question)
        reply = next(self._script) if self._script is not None else self.replies(question)  # type: ignore[operator]
        return Completion(text=reply) if isinstance(reply, str) else reply


def grade(score: object, reason: str = "because") -> str:
    return json.dumps({"reason": reason, "score": score})


def winner(who: str, reason: str = "because") -> str:
    return json.dumps({"reason": reason, "winner": who})


def score_by(
    judge: Judge,
    answer: str | Completion,
    scorer: str,
    /,
    *,
    arm: Arm = Arm.MODEL,
    opponent: str | Completion | None = None,
    **options: Any,
) -> Score:
    """The score of an answer by a scorer that asks this judge."""
    other = Completion(text=opponent) if isinstance(opponent, str) else opponent
    completion = Completion(text=answer) if isinstance(answer, str) else answer
    assert BUILTIN[scorer].check(options) is None
    bench = Bench(arm=arm, opponent=other, ask=judge.ask)
    (found,) = score_case(case(check(scorer, **options)), completion, bench=bench)
    return found


def needs_of(of: EvalCase) -> list[Need]:
    """All that the checks of a case ask of graders for one answer."""
    return [need for _, needs in checks_by_graders(of, BUILTIN) for need in needs]


def given(question: Question, name: str) -> str:
    """The text that a question holds between the marks of this name, which the rules name."""
    mark = mark_of(question)
    user = str(question.messages[1]["content"])
    assert user.count(f"<{name}-{mark}>\n") == user.count(f"\n</{name}-{mark}>") == 1
    return user.split(f"<{name}-{mark}>\n", 1)[1].split(f"\n</{name}-{mark}>", 1)[0]


def mark_of(question: Question) -> str:
    found = re.search(
        r"between marks such as <[A-Za-z-]+-([0-9a-f]{12})>", str(question.messages[0]["content"])
    )
    assert found is not None
    return found[1]

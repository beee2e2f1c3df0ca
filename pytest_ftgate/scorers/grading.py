"""What scorers ask of graders, which are judges and embeddings: plain values. Nobody is asked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, NoReturn

from pytest_ftgate.cases import Expectation, digest
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError

Role = Literal["judge", "embeddings"]


class Need(NamedTuple):
    """That a check asks a grader so many times for one answer, or for one pair of answers.

    `by` is the name that the check gives, None for the run's own grader of this role.
    """

    role: Role
    by: str | None
    calls: int
    of_pair: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to a grader: messages in the form of chat completions, or the text to embed."""

    role: Role
    by: str | None = None
    messages: tuple[Mapping[str, Any], ...]
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Equal questions have equal digests: they are asked once."""
        content = {"role": self.role, "by": self.by, "messages": self.messages, "params": self.params}
        return digest(content)


def check_digest(check: Expectation) -> str:
    """What a grader is asked by, whatever the reference of a single case; a calibration is of one such."""
    options = {name: value for name, value in check.options.items() if name != "reference"}
    return digest([check.scorer, options])


def nobody(question: Question) -> NoReturn:
    """Stands for graders where there are none."""
    raise ScorerError(f"there is no {question.role} to ask outside of a run")


def reply_of(completion: Completion) -> Mapping[str, Any]:
    """What a score keeps of a grader's reply besides its content: who replied, and what that took."""
    usage = completion.usage
    found = {
        "model": completion.model,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost": completion.cost,
    }
    return {key: value for key, value in found.items() if value is not None}

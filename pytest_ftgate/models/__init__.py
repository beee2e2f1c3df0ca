"""Models: whoever answers a case. What a model is and what it is asked; light, nothing is imported here.

The only folder that touches the network. Nothing here judges an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from pytest_ftgate.cases import Arm, EvalCase, last_user_text
from pytest_ftgate.completions import Completion


class RequestKey(NamedTuple):
    """What makes a request unique in a run; `repeat` counts from 1."""

    suite: str
    id: str
    arm: Arm
    repeat: int
    via: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One arm is asked one case, for the n-th time (`repeat` counts from 1).

    `model` replaces the arm's model for this request (a folder's own); `via` then tells it from others.

    `grader` is empty but for what is asked about an answer: then it says of what kind the model is (`judge`,
    `embeddings`), and `via` tells the question from others about the same case.

    A scripted conversation is one request to the engine, and one for each call to its model: `said` is then
    what came after the case's messages so far, `turn` and `round` (from 1) say where in the script it is.
    """

    case: EvalCase
    arm: Arm
    repeat: int = 1
    model: Model | None = None
    via: str = ""
    grader: str = ""
    said: tuple[Mapping[str, Any], ...] = ()
    turn: int = 1
    round: int = 1

    @property
    def messages(self) -> tuple[Mapping[str, Any], ...]:
        """All messages so far."""
        return (*self.case.messages, *self.said)

    @property
    def prompt(self) -> str:
        """The text of the last user message so far."""
        return last_user_text(self.messages)

    @property
    def key(self) -> RequestKey:
        """Equal keys are one request: it is sent once, whoever needs its answer."""
        return RequestKey(self.case.suite, self.case.id, self.arm, self.repeat, self.via)


@runtime_checkable
class Model(Protocol):
    """Whoever answers. Retries, deadlines and latency are the model's own business.

    It is asked one message at a time: the engine leads a scripted conversation.

    A model that never waits may have a method `answer_now(request) -> Completion` besides; it is then called
    in the thread that asks, without a loop. If it also says `is_replay = True`, a request always has the same
    answer, and asking again costs nothing: nobody keeps it then.
    """

    @property
    def name(self) -> str:
        """As it is shown: the entry's name, or what the user wrote."""

    @property
    def concurrency(self) -> int | None:
        """At most so many requests in flight, by all processes of a run; None: as many as the engine allows.

        A model that says `is_limited_by_process = True` means those of one process.
        """

    def describe(self) -> dict[str, Any]:
        """Builtins for header and record: name, kind, host, model, revision; no secrets, nothing empty."""

    def missing(self, requests: Sequence[Request]) -> Sequence[str]:
        """What can't be answered although it will be asked, one line each; called before anything is sent."""

    def remarks(self) -> Sequence[str]:
        """What the verdict should say of the answers, one sentence each; called after the run."""

    async def complete(self, request: Request) -> Completion:
        """The answer. Raises `ModelError`, or `FatalModelError` if no request can succeed."""

    async def aclose(self) -> None:
        """Releases connections; called once, in the loop that called `complete`."""

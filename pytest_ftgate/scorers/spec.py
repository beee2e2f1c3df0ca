"""What a scorer is: a row in the table that drives validation, the JSON Schema, the docs and the scoring."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.completions import Completion
from pytest_ftgate.scorers.grading import Need, Question, nobody
from pytest_ftgate.scores import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What scorers may use besides the answer.

    `arm` gave the answer, and `opponent` is the other arm's answer to the same request; None where that is
    not known or does not exist. In a conversation that answered before as in `opponent_before`. `ask` gives a
    grader's reply, and raises `ScorerError`.
    """

    arm: Arm | None = None
    opponent: Completion | None = None
    opponent_before: Sequence[Completion] = ()
    ask: Callable[[Question], Completion] = nobody


#: Where nothing is to be had but the answer.
BARE = Bench()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is judged: the completion, its case, and the text that the case's `answer:` rule cuts out.

    In a conversation the completion, and the bench's `opponent`, are the answers to one turn; `before` are
    the answers to the turns before it.
    """

    case: EvalCase
    completion: Completion
    text: str
    bench: Bench = BARE
    before: Sequence[Completion] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a scorer.

    `schema` is a JSON Schema fragment for its value. With `text`, scalars are taken as the author typed them
    (`no` stays "no"), else they are YAML 1.2 core. With `file`, a string is the path of a JSON file that
    holds the value.
    """

    schema: Mapping[str, Any]
    doc: str
    text: bool = False
    file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerSpec:
    """One scorer.

    `main` is the option that the short form fills (`contains: Paris` is `contains: {reference: Paris}`); None
    for scorers that take `true`. `check` sees canonical options and says what is wrong with them, or None;
    `check_tools` sees them beside the tools of a case that has some, in OpenAI's form, and says each misfit.
    `score` gets canonical options and returns a `Score` without name and weight; whatever it raises makes the
    trial errored. `own_code` marks scorers that run the repository's own code: never from a data set's row.
    `quick` are those whose time grows no faster than the answer, which is bounded: they need no time limit.

    Of scorers that ask graders, `needs` says how often by the options alone, and `questions` what they are
    going to ask, so that it can be asked ahead; `score` then asks exactly that. They have no time limit.
    """

    name: str
    doc: str
    score: Callable[[Mapping[str, Any], Subject], Score]
    options: Mapping[str, Option] = field(default_factory=dict)
    main: str | None = None
    required: tuple[str, ...] = ()
    check: Callable[[Mapping[str, Any]], str | None] = lambda _: None
    check_tools: Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], Iterable[str]] = lambda *_: ()
    own_code: bool = False
    quick: bool = False
    needs: Callable[[Mapping[str, Any]], Sequence[Need]] = lambda _: ()
    questions: Callable[[Mapping[str, Any], Subject], Sequence[Question]] = lambda *_: ()

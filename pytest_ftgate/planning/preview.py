"""What a run would do, as values: its plan, its gate, and every request that it would send. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.gates import Gate, Metric
from pytest_ftgate.record import Plan

#: `assumed`: no model is named yet. `replaced`: by a conftest, which is known when tests run.
Kind = Literal["openai", "recorded", "python", "assumed", "replaced"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Who would answer: what the user wrote for it, and what is known of it before anything is sent.

    `params` win over those of a case, None takes one away. `price` is per million tokens, input and output;
    `price_source` is the table of public prices that it is from, "" for a price of the user's own.
    """

    name: str
    kind: Kind
    params: Mapping[str, Any] = field(default_factory=dict)
    system: str | None = None
    price: tuple[float, float] | None = None
    price_source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One arm asked one case once; `repeat` counts from 1. What several items ask alike is one of these."""

    case: EvalCase
    arm: Arm
    repeat: int
    answerer: Answerer


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """What a judge or embeddings are asked about the answers: at most so many requests.

    `role` says which of the two, `name` what the user wrote for it. How long answers are is not known yet.
    """

    role: str
    name: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A run before it starts. `cases` are all of the plan, skipped ones included, `asks` those selected.

    `gradings` are asked besides, about the answers.
    `assumed` are arms that nobody named: the plan is made as if somebody had.
    """

    plan: Plan
    gate: Gate
    metrics: Mapping[str, Metric]
    cases: tuple[EvalCase, ...]
    asks: tuple[Ask, ...]
    gradings: tuple[Grading, ...] = ()
    assumed: frozenset[Arm] = frozenset()
    warnings: tuple[str, ...] = ()

    def is_recorded(self, arm: Arm) -> bool:
        """Whether saved answers play this arm, for any case: they have no times."""
        return any(ask.arm is arm and ask.answerer.kind == "recorded" for ask in self.asks)

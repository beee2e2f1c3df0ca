"""How much a run asks for: requests, tokens and cost by arm and answerer. Estimates, and they say so."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.cases import Arm, EvalCase, message_text
from pytest_ftgate.planning.observed import Observed
from pytest_ftgate.planning.preview import Answerer, Ask
from pytest_ftgate.planning.tokens import estimated_tokens

#: What a message or a tool takes beside its text: role and separators.
_FRAME = 4
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one answerer is asked on one arm.

    `requests` are calls: each turn of a conversation is one. `tokens_in` and `tokens_out` are estimates;
    `tokens_out` is None where nothing limits an answer. `observed` of the requests were answered in the run
    that the estimate starts from, `unlimited` have neither such an answer nor a limit, so that `cost` (in the
    currency of the price, None without one) lacks what they answer. Saved answers cost nothing.
    """

    arm: Arm
    answerer: Answerer
    cases: int
    requests: int
    tokens_in: int
    tokens_out: int | None
    observed: int
    unlimited: int
    cost: float | None

    @property
    def sends(self) -> bool:
        """Whether anybody is asked: saved answers are only read."""
        return self.answerer.kind != "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One case asked once, all turns together."""

    requests: int
    tokens_in: float
    tokens_out: float | None
    observed: bool


def demands(asks: Sequence[Ask], observed: Observed | None = None) -> tuple[Demand, ...]:
    """All that is asked, the model's first, in the order in which its answerers turn up."""
    grouped: dict[tuple[Arm, str, str], list[Ask]] = {}
    for ask in asks:
        grouped.setdefault((ask.arm, ask.answerer.kind, ask.answerer.name), []).append(ask)
    ordered = sorted(grouped.values(), key=lambda group: list(Arm).index(group[0].arm))
    return tuple(_demand(group, observed) for group in ordered)


def _demand(asks: Sequence[Ask], observed: Observed | None) -> Demand:
    answerer = asks[0].answerer
    calls = [_call(ask, observed) for ask in asks]
    tokens_in = math.ceil(sum(call.tokens_in for call in calls))
    known_out = math.ceil(sum(call.tokens_out for call in calls if call.tokens_out is not None))
    unlimited = sum(call.requests for call in calls if call.tokens_out is None)
    return Demand(
        arm=asks[0].arm,
        answerer=answerer,
        cases=len({(ask.case.suite, ask.case.id) for ask in asks}),
        requests=sum(call.requests for call in calls),
        tokens_in=tokens_in,
        tokens_out=None if unlimited else known_out,
        observed=sum(call.requests for call in calls if call.observed),
        unlimited=unlimited,
        cost=_cost(answerer, tokens_in, known_out),
    )


def _cost(answerer: Answerer, tokens_in: int, tokens_out: int) -> float | None:
    if answerer.kind == "recorded":
        return 0.0
    if answerer.price is None:
        return None
    return (tokens_in * answerer.price[0] + tokens_out * answerer.price[1]) / 1_000_000


def _call(ask: Ask, observed: Observed | None) -> _Call:
    case, turns = ask.case, max(len(ask.case.turns), 1)
    seen = observed.tokens_out(ask.arm, (case.suite, case.id)) if observed else None
    limit = _limit(_params(ask))
    whole = seen if seen is not None else None if limit is None else float(limit * turns)
    per_turn = (whole or 0.0) / turns
    return _Call(
        requests=turns,
        tokens_in=_tokens_in(case, ask.answerer.system, per_turn),
        tokens_out=whole,
        observed=seen is not None,
    )


def _tokens_in(case: EvalCase, system: str | None, answered: float) -> float:
    """What is sent in all turns: each sends again what was said before it, `answered` tokens an answer."""
    shared = _tokens_of(_messages(case, system)) + sum(
        _FRAME + estimated_tokens(json.dumps(tool, ensure_ascii=False)) for tool in case.tools
    )
    users = [_FRAME + estimated_tokens(message_text(turn.message)) for turn in case.turns]
    if not users:
        return float(shared)
    return sum(
        shared + sum(users[: number + 1]) + number * (answered + _FRAME) for number in range(len(users))
    )


def _messages(case: EvalCase, system: str | None) -> Sequence[Mapping[str, Any]]:
    """The case's messages, under the answerer's own system prompt if it has one."""
    if system is None:
        return case.messages
    rest = [message for message in case.messages if message.get("role") not in ("system", "developer")]
    return [{"role": "system", "content": system}, *rest]


def _tokens_of(messages: Iterable[Mapping[str, Any]]) -> int:
    return sum(_FRAME + estimated_tokens(message_text(message)) for message in messages)


def _params(ask: Ask) -> Mapping[str, Any]:
    """The request's parameters; a None of the answerer takes the case's away."""
    return ask.case.params_of(ask.repeat) | dict(ask.answerer.params)


def _limit(params: Mapping[str, Any]) -> int | None:
    """The most tokens that an answer may have; None where no parameter says."""
    given = [params[name] for name in _LIMITS if isinstance(params.get(name), int)]
    return min(given) if given else None

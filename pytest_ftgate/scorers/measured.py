"""Scorers of what was measured about an answer: perplexity, latency, cost, tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers.explain import number
from pytest_ftgate.scorers.options import check_limit
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

#: What was measured, and its details; None where the answer has nothing that could be: then the check fails.
Measure = Callable[[Completion], tuple[float, Mapping[str, Any]] | None]


def _perplexity(completion: Completion) -> tuple[float, Mapping[str, Any]] | None:
    """The exponential of minus the mean log-probability of the answer's tokens (Jelinek et al. 1977).

    An answer without text, a tool call alone say, has none: the model's doing, and no error.
    """
    logprobs = completion.logprobs
    if not logprobs and not completion.text:
        return None
    if not logprobs:
        raise ScorerError("the endpoint gave no log-probabilities of the answer's tokens")
    total = math.fsum(logprobs)
    if not math.isfinite(total):
        raise ScorerError("the endpoint gave a log-probability that is not finite")
    mean = -total / len(logprobs)
    value = math.exp(mean) if mean < 700 else math.inf  # exp overflows
    return value, {"logprob_sum": total, "tokens": len(logprobs)}


def _latency(completion: Completion) -> tuple[float, Mapping[str, Any]]:
    if completion.latency_s is None:
        raise ScorerError("the latency of this answer was not measured (it is recorded or stored, not live)")
    return completion.latency_s, {"latency_s": completion.latency_s}


def _cost(completion: Completion) -> tuple[float, Mapping[str, Any]]:
    if completion.cost is None:
        raise ScorerError(
            "the cost is unknown; give the model a `price: {input, output}` in ftgate.yaml, "
            "or install pytest-ftgate[cost], which knows public prices"
        )
    return completion.cost, {"cost": completion.cost}


def _tokens(completion: Completion) -> tuple[float, Mapping[str, Any]]:
    """Tokens of the answer: what a model that talks too much spends more of."""
    count = completion.usage.output_tokens
    if count is None:
        raise ScorerError("the endpoint did not say how many tokens the answer has")
    return count, {"tokens": count}


def _measured(name: str, doc: str, unit: str, measure: Measure, limit: Mapping[str, Any]) -> ScorerSpec:
    def score(options: Mapping[str, Any], subject: Subject) -> Score:
        found = measure(subject.completion)
        if found is None:
            nothing = f"{name}: the answer has no text of which it could be measured"
            return Score(scorer=name, value=0.0, passed=False, explanation=nothing)
        value, details = found
        if math.isnan(value) or value < 0:
            raise ScorerError(f"measured {value}, which is no {name}")
        passed = value <= options["at_most"]
        compared = f"{name}: {number(value)}{unit}, at most {number(options['at_most'])}{unit} wanted"
        value = 1.0 if passed else 0.0
        return Score(scorer=name, value=value, passed=passed, explanation=compared, details=details)

    return ScorerSpec(
        name=name,
        doc=doc,
        score=score,
        options={
            "at_most": Option(
                schema=limit, doc=f"Passes with at most this{unit and f' (in{unit})'}; value 1 or 0."
            )
        },
        main="at_most",
        required=("at_most",),
        check=check_limit,
        quick=True,
    )


_NUMBER: Mapping[str, Any] = {"type": "number", "minimum": 0}

SCORERS = (
    _measured(
        "perplexity",
        "exp of minus the mean log-probability of the answer's tokens; log-probabilities are asked for, "
        "and an answer without text fails.",
        "",
        _perplexity,
        {"type": "number", "minimum": 1},
    ),
    _measured("latency", "Seconds from the request written to the last byte read.", " s", _latency, _NUMBER),
    _measured("cost", "What the call cost, in the currency of the model's price.", "", _cost, _NUMBER),
    _measured(
        "tokens",
        "Tokens of the answer, as the endpoint counts them.",
        "",
        _tokens,
        {"type": "integer", "minimum": 0},
    ),
)

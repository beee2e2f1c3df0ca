"""A judge's reply: the schema that it is asked for, and a reading of it that never guesses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pytest_ftgate.cases import canonical
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers.explain import printable, quote
from pytest_ftgate.scorers.json_values import NotJsonError, parse_json

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_REASON_LIMIT = 600
#: The reply as a whole in a fence, as many models write JSON: it is the same reply.
_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_DECIMAL = r"(\d{1,4}(?:\.\d{1,4})?)"
_PAIR = re.compile(rf"\A\s*{_DECIMAL}(?:\s*,\s*|\s+){_DECIMAL}\s*\Z")


def schema(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a reply: a reason, then the value of this name. Strict outputs can hold to it."""
    return {
        "type": "object",
        "properties": {"reason": {"type": "string"}, name: dict(value)},
        "required": ["reason", name],
        "additionalProperties": False,
    }


def pinned(reply_schema: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The parameters of every question: what an entry's own `params` say wins, and null takes one away."""
    form = {"name": "judgement", "strict": True, "schema": dict(reply_schema)}
    return {
        "temperature": 0,
        "seed": seed,
        "response_format": {"type": "json_schema", "json_schema": form},
    }


def read_reply(completion: Completion, reply_schema: Mapping[str, Any]) -> dict[str, Any]:
    """The reply as an object that fits its schema; raises `ScorerError` for anything else."""
    text = _whole_text(completion)
    fenced = _FENCED.match(text)
    try:
        value = parse_json(fenced[1] if fenced else text)
        json.loads(fenced[1] if fenced else text, object_pairs_hook=_each_once)
    except NotJsonError as error:
        raise ScorerError(f"the judge's reply {quote(text)} is not JSON: {error}") from None
    mistakes = list(_validator(canonical(reply_schema)).iter_errors(value))
    if mistakes:
        worst = min(mistakes, key=lambda mistake: mistake.validator != "type")
        said = printable(worst.message)[:200]
        raise ScorerError(f"the judge's reply {quote(text)} is not what was asked for: {said}")
    found: dict[str, Any] = value
    return found | {"reason": short_reason(found["reason"])}


def read_score_pair(completion: Completion) -> tuple[float, float, str]:
    """Two scores on the first line, then the reason: the form of FastChat's pairwise reviews.

    Raises `ScorerError` where the first line is anything else than two numbers.
    """
    text = _whole_text(completion)
    first, _, rest = text.strip().partition("\n")
    pair = _PAIR.match(first)
    if pair is None:
        raise ScorerError(f"the judge's first line {quote(first)} is not two scores")
    return float(pair[1]), float(pair[2]), short_reason(rest)


def short_reason(text: str) -> str:
    """A judge's reason on one line, cut where it would fill a page."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _REASON_LIMIT else f"{line[:_REASON_LIMIT]}…"


def _whole_text(completion: Completion) -> str:
    if completion.refusal or completion.finish_reason == "content_filter":
        raise ScorerError(f"the judge declined to judge: {quote(completion.refusal or 'content filter')}")
    if completion.finish_reason == "length":
        raise ScorerError(
            "the judge's reply was cut off at its token limit; raise max_tokens in the `params` of its entry"
        )
    if not completion.text.strip():
        raise ScorerError("the judge's reply is empty")
    return completion.text


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys all differ: of two scores nobody can say which one was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJsonError("a key stands in it twice")
    return found


@lru_cache(maxsize=32)
def _validator(schema_text: str) -> Validator:
    from pytest_ftgate.scorers.schema_check import validator_for  # noqa: PLC0415 - jsonschema, for judges only

    return validator_for(parse_json(schema_text))

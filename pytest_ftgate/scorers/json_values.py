"""JSON in answers: reading it strictly, finding it in fences and prose, and the scorer that only wants it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from pytest_ftgate.scorers.explain import quote, show, verdict
from pytest_ftgate.scorers.options import EXTRACT
from pytest_ftgate.scorers.spec import ScorerSpec, Subject
from pytest_ftgate.scores import Score

#: Each try of a place in prose reads on from there; a text of nothing but brackets must not cost its square.
_PROSE_TRIES = 200
_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL)
_OPENING = re.compile(r"[{\[]")


class NotJsonError(ValueError):
    """The text is not one JSON value; the message says why, in a few words."""


def parse_json(text: str, *, extract: bool = False) -> Any:
    """The JSON value that the text is, or with `extract` the one that it holds.

    RFC 8259: NaN, infinity and numbers too large for a float are refused. Raises NotJsonError.
    """
    try:
        return _loads(text)
    except NotJsonError:
        if not extract:
            raise
    for found in _embedded(text):
        return found
    raise NotJsonError("no JSON value in a code fence or in the text")


def _loads(text: str) -> Any:
    try:
        return _DECODER.decode(text.strip())
    except RecursionError:
        raise NotJsonError("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at character {error.pos + 1}") from None
    except NotJsonError:
        raise
    except ValueError as error:  # an integer of more digits than Python reads
        raise NotJsonError(str(error)) from None


def _embedded(text: str) -> Iterator[Any]:
    for fence in _FENCE.finditer(text):
        try:
            yield _loads(fence[2])
        except NotJsonError:
            continue
    in_prose = sorted(_values_in(text), key=lambda found: -found[0])
    yield from (value for _, value in in_prose)


def _values_in(text: str) -> Iterator[tuple[int, Any]]:
    """Objects and arrays in prose with the length of their text: the longest is the answer, not a `[1]`."""
    position = 0
    for _ in range(_PROSE_TRIES):
        opening = _OPENING.search(text, position)
        if opening is None:
            return
        try:
            value, end = _DECODER.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            position = opening.end()
        else:
            yield end - opening.start(), value
            position = end


def _refuse_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotJsonError(f"{text[:20]} is too large a number")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _json_valid(options: Mapping[str, Any], subject: Subject) -> Score:
    try:
        value = parse_json(subject.text, extract=options.get("extract", False))
    except NotJsonError as error:
        return verdict("json_valid", False, f"{quote(subject.text)} is not JSON: {error}")
    return verdict("json_valid", True, f"got {show(value)}, which is JSON")


SCORERS = (
    ScorerSpec(
        name="json_valid",
        doc="The answer is one JSON value (RFC 8259: no NaN, no comments, nothing around it).",
        score=_json_valid,
        options={"extract": EXTRACT},
    ),
)

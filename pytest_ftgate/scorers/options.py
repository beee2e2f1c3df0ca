"""Options that several scorers share, and what can be wrong with their values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ftgate.scorers.explain import quote, show
from pytest_ftgate.scorers.spec import Option

TEXTS: Mapping[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}
REFERENCE = Option(schema=TEXTS, text=True, doc="The expected text; a list means any of them.")
IGNORE_CASE = Option(schema={"type": "boolean"}, doc="Compare without regard to case. Default: false.")
AT_LEAST = Option(
    schema={"type": "number", "minimum": 0, "maximum": 1},
    doc="Passes if the value is at least this, from 0 to 1.",
)
EXTRACT = Option(
    schema={"type": "boolean"},
    doc="Take the value out of a code fence or out of prose. Default: false, the answer is the value.",
)


def as_list(value: Any) -> Sequence[Any]:
    """The references of a scorer: one, or the members of a list."""
    return value if isinstance(value, list | tuple) else (value,)


def texts(options: Mapping[str, Any], name: str = "reference") -> tuple[str, ...]:
    """The reference texts of canonical options."""
    return tuple(str(text) for text in as_list(options[name]))


def check_texts(options: Mapping[str, Any], name: str = "reference") -> str | None:
    """What is wrong with the reference texts: none at all, or a blank one, which matches too much."""
    values = as_list(options.get(name))
    if not values:
        return f"'{name}' is an empty list; give at least one text"
    for value in values:
        if not isinstance(value, str):
            return f"'{name}' must be text, not {show(value)}"
        if not value.strip():
            return f"'{name}' is {quote(value)}, which matches everything or nothing; give a text"
    return None


def check_share(options: Mapping[str, Any], name: str = "at_least") -> str | None:
    """What is wrong with a threshold that lies between 0 and 1."""
    value = options.get(name)
    if value is None:
        return None
    if not _is_finite(value) or not 0 <= value <= 1:
        hint = f"; write {value / 100:g} for {value:g} %" if _is_finite(value) and 1 < value <= 100 else ""
        return f"'{name}' is {show(value)}, it must be a number from 0 to 1{hint}"
    return None


def check_limit(options: Mapping[str, Any], name: str = "at_most") -> str | None:
    """What is wrong with an upper limit or a tolerance: a number that is not negative."""
    value = options.get(name)
    if value is None:
        return None
    if not _is_finite(value) or value < 0:
        return f"'{name}' is {show(value)}, it must be a number that is 0 or more"
    return None


def first_problem(*problems: str | None) -> str | None:
    """The first thing that is wrong, or None."""
    return next((problem for problem in problems if problem), None)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

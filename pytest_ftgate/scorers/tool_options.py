"""The options of the tool scorers, and what can be wrong with the calls that a case expects."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pytest_ftgate.scorers.explain import quote, show
from pytest_ftgate.scorers.options import first_problem
from pytest_ftgate.scorers.spec import Option
from pytest_ftgate.scorers.tool_arguments import MATCHER_KEYS, is_matcher

_MATCHER: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "any_of": {"type": "array", "minItems": 1, "description": "Any of these values."},
        "equals": {"description": "Exactly this value, taken literally."},
        "any": {"const": True, "description": "Any value."},
        "optional": {"type": "boolean", "description": "The argument may be left out."},
    },
    "additionalProperties": False,
    "oneOf": [{"required": ["any_of"]}, {"required": ["equals"]}, {"required": ["any"]}],
}
_NO_MATCHER: Mapping[str, Any] = {
    "not": {"type": "object", "anyOf": [{"required": [key]} for key in MATCHER_KEYS]}
}

NAME = Option(schema={"type": "string", "minLength": 1}, text=True, doc="The tool's name.")
ARGUMENTS = Option(
    schema={"type": "object", "additionalProperties": {"anyOf": [_MATCHER, _NO_MATCHER]}},
    doc="Exactly these arguments. A value stands for itself; `{any_of: […]}`, `{any: true}` and "
    "`{equals: …}` (for a value that has such keys itself), each with `optional: true` if it may be left "
    "out, say more, at any depth. Without `arguments` any will do.",
)
ARGUMENTS_ANY_OF = Option(
    schema={"type": "object", "additionalProperties": {"type": "array", "minItems": 1}},
    doc="BFCL's form instead of `arguments`: for each argument the list of allowed values; '' says that "
    "it may be left out. An object among the values lists the allowed values of its keys.",
)
STRINGS = Option(
    schema={"enum": ["normalized", "exact"]},
    doc="How strings are compared: without case, spaces and ,./-_*^ (`normalized`, default), or `exact`.",
)
CALLS = Option(
    schema={
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {
                "name": {**NAME.schema, "description": NAME.doc},
                "arguments": {**ARGUMENTS.schema, "description": ARGUMENTS.doc},
                "arguments_any_of": {**ARGUMENTS_ANY_OF.schema, "description": ARGUMENTS_ANY_OF.doc},
            },
            "required": ["name"],
            "additionalProperties": False,
            "not": {"required": ["arguments", "arguments_any_of"]},
        },
    },
    doc="The expected calls: `{name, arguments}` or `{name, arguments_any_of}` each.",
)
_CALL_KEYS = ("name", "arguments", "arguments_any_of")


def check_call(call: Mapping[str, Any]) -> str | None:
    """What is wrong with one expected call."""
    name = call.get("name")
    if not isinstance(name, str) or not name.strip():
        return f"'name' is {show(name)}, it must be a tool's name"
    if "arguments" in call and "arguments_any_of" in call:
        return f"{name}: give 'arguments' or 'arguments_any_of', not both"
    return first_problem(
        _check_arguments(call["arguments"], name) if "arguments" in call else None,
        _check_any_of(call["arguments_any_of"], name) if "arguments_any_of" in call else None,
    )


def check_calls(options: Mapping[str, Any]) -> str | None:
    """What is wrong with a list of expected calls."""
    calls = options.get("calls")
    if not isinstance(calls, list | tuple) or not calls:
        return "'calls' must be a list of calls; for none at all use `no_tool_call: true`"
    for call in calls:
        if not isinstance(call, Mapping):
            return f"a call is {show(call)}, it must be a mapping such as {{name: get_weather}}"
        unknown = next((key for key in call if key not in _CALL_KEYS), None)
        problem = _unknown(unknown, _CALL_KEYS) if unknown is not None else check_call(call)
        if problem:
            return problem
    return None


def _check_arguments(arguments: Any, place: str) -> str | None:
    if not isinstance(arguments, Mapping):
        return f"{place}: 'arguments' is {show(arguments)}, it must be a mapping of argument names to values"
    return next(
        (p for key, value in arguments.items() if (p := _check_value(value, f"{place}: {key}"))), None
    )


def _check_value(value: Any, place: str) -> str | None:
    if is_matcher(value):
        return _check_matcher(value, place)
    if isinstance(value, Mapping):
        return next((p for key, item in value.items() if (p := _check_value(item, f"{place}.{key}"))), None)
    if isinstance(value, list | tuple):
        return next((p for i, item in enumerate(value) if (p := _check_value(item, f"{place}[{i}]"))), None)
    return None


def _check_matcher(value: Mapping[str, Any], place: str) -> str | None:
    literal = "; if this is the value itself, write it under `equals`"
    unknown = next((key for key in value if key not in MATCHER_KEYS), None)
    if unknown is not None:
        return f"{place}: {_unknown(unknown, MATCHER_KEYS)}{literal}"
    if sum(key in value for key in ("any_of", "equals", "any")) != 1:
        return f"{place}: give exactly one of 'any_of', 'equals', 'any'{literal}"
    if "any_of" in value and (not isinstance(value["any_of"], list | tuple) or not value["any_of"]):
        return f"{place}: 'any_of' must be a list of at least one value{literal}"
    if value.get("any", True) is not True or not isinstance(value.get("optional", False), bool):
        return f"{place}: 'any' and 'optional' take true{literal}"
    return _check_value(list(value["any_of"]), place) if "any_of" in value else None


def _check_any_of(arguments: Any, place: str) -> str | None:
    if not isinstance(arguments, Mapping):
        return f"{place}: 'arguments_any_of' is {show(arguments)}, it must be a mapping of names to lists"
    for name, values in arguments.items():
        if not isinstance(values, list | tuple) or not values:
            return f"{place}: {name} is {show(values)}, it must be a list of the allowed values"
    return None


def _unknown(key: Any, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(str(key), known, n=1)
    return f"unknown key {quote(str(key))}" + (f". Did you mean {quote(near[0])}?" if near else "")

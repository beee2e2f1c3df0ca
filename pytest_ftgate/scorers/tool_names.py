"""Whether the calls that a case expects can be made at all: tools and arguments that the case declares."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pytest_ftgate.scorers.explain import quote

Tools = Sequence[Mapping[str, Any]]


def flat(name: str) -> str:
    """The name that APIs which allow no dots are given: `a_b` for `a.b`."""
    return name.replace(".", "_")


def check_call_tools(options: Mapping[str, Any], tools: Tools) -> Iterator[str]:
    """What the one expected call of `tool_call` names that the tools do not have."""
    yield from _misfits(options, _parameters(tools))


def check_calls_tools(options: Mapping[str, Any], tools: Tools) -> Iterator[str]:
    """The same for all calls of `tool_calls`."""
    parameters = _parameters(tools)
    for call in options["calls"]:
        yield from _misfits(call, parameters)


def _parameters(tools: Tools) -> dict[str, Mapping[str, Any]]:
    """The schema of each tool's arguments; a function that is declared without one takes none."""
    found = {tool["function"]["name"]: tool["function"].get("parameters") for tool in tools}
    return {name: _NO_ARGUMENTS if schema is None else schema for name, schema in found.items()}


_NO_ARGUMENTS: Mapping[str, Any] = {"additionalProperties": False}


def _misfits(call: Mapping[str, Any], parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    name = call["name"]
    declared = (
        name if name in parameters else next((one for one in parameters if flat(one) == flat(name)), None)
    )
    if declared is None:
        yield f"the case has no tool {quote(name)}{_hint(name, parameters, 'its tools are')}"
        return
    schema = parameters[declared]
    known = schema.get("properties") or {}
    for argument in call.get("arguments") or call.get("arguments_any_of") or ():
        if argument not in known and _is_refused(argument, schema, known):
            hint = _hint(argument, known, "its arguments are")
            yield f"the tool {quote(name)} has no argument {quote(argument)}{hint}"


def _is_refused(argument: str, schema: Mapping[str, Any], known: Collection[str]) -> bool:
    """A schema that says nothing of other arguments takes them, so there only a likely typo is refused."""
    if schema.get("patternProperties"):
        return False
    if "additionalProperties" in schema:
        return schema["additionalProperties"] is False
    return bool(difflib.get_close_matches(argument, known, 1, 0.8))


def _hint(name: str, known: Collection[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f". Did you mean {quote(near[0])}?"
    return f": {otherwise} {', '.join(sorted(known))}" if known else ": it takes none"

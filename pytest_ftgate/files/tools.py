"""Tool definitions in the three forms that people have → OpenAI's form. Names stay as written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ftgate.files.wording import quoted

# The Berkeley Function Calling Leaderboard writes Python's names of types; `any` is a schema without a type.
_BFCL_TYPES = {"dict": "object", "float": "number", "tuple": "array"}
_ONE_SCHEMA = ("items", "additionalProperties", "not", "contains", "if", "then", "else")
_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions")


def openai_tools(value: Any) -> tuple[dict[str, Any], ...]:
    """Tools as chat completions take them; raises ValueError with the entry that is none.

    Takes OpenAI's array (nested, or flat as in the Responses API), bare functions, and BFCL's types.
    """
    if not isinstance(value, list | tuple):
        raise ValueError("tools are a list of functions")
    tools = tuple(_tool(entry, number) for number, entry in enumerate(value, 1))
    names = [tool["function"]["name"] for tool in tools]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two tools are named {quoted(twice)}")
    return tools


def _tool(entry: Any, number: int) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise ValueError(f"tool {number} is no mapping with a name and parameters")
    if entry.get("type", "function") != "function":
        raise ValueError(f"tool {number} has the type {quoted(entry['type'])}: only 'function' is supported")
    function = entry.get("function", entry)
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str) or not function["name"]:
        raise ValueError(f"tool {number} has no name")
    body = {key: value for key, value in function.items() if key != "type"}
    if body.get("parameters") is not None:
        if not isinstance(body["parameters"], Mapping):
            raise ValueError(f"the parameters of {quoted(body['name'])} are no JSON Schema")
        body["parameters"] = json_schema(body["parameters"])
    return {"type": "function", "function": body}


def json_schema(schema: Any) -> Any:
    """A schema with BFCL's names of types replaced; a parameter called `type` stays as it is."""
    if not isinstance(schema, Mapping):
        return schema
    converted: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type":
            if value != "any":
                converted[key] = _type(value)
        elif key in _ONE_SCHEMA:
            converted[key] = json_schema(value)
        elif key in _SCHEMAS and isinstance(value, list):
            converted[key] = [json_schema(part) for part in value]
        elif key in _NAMED_SCHEMAS and isinstance(value, Mapping):
            converted[key] = {name: json_schema(part) for name, part in value.items()}
        else:
            converted[key] = value
    return converted


def _type(value: Any) -> Any:
    if isinstance(value, list):
        return [_type(one) for one in value]
    return _BFCL_TYPES.get(value, value) if isinstance(value, str) else value

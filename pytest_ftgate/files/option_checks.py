"""A scorer option's JSON Schema → quick functions that say what is wrong with a value.

The keywords that options usually need are checked here; any other schema goes to jsonschema, imported only
then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.files.wording import quoted

Test = Callable[[Any], bool]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}
_WORDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_BOUNDS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minimum": ("of at least", lambda value, bound: value >= bound),
    "maximum": ("of at most", lambda value, bound: value <= bound),
    "exclusiveMinimum": ("above", lambda value, bound: value > bound),
    "exclusiveMaximum": ("below", lambda value, bound: value < bound),
}
_SIZES = {"minLength": str, "minItems": (list, tuple), "minProperties": dict}
_COMMENTS = {"title", "description", "default", "examples", "$comment"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionCheck:
    """Two tests of one option: `shape` looks at the outermost type alone, `whole` at everything."""

    shape: Test
    whole: Test | None
    wanted: str


def compiled(schema: Mapping[str, Any]) -> OptionCheck:
    """The tests of an option's schema; `whole` is None if `shape` says it all."""
    outermost = _outermost(schema)
    whole = None
    if outermost != {key: value for key, value in schema.items() if key not in _COMMENTS}:
        whole = _acceptor(schema) if _is_quick(schema) else _jsonschema_test(schema)
    return OptionCheck(shape=_acceptor(outermost), whole=whole, wanted=in_words(schema))


def _outermost(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: schema[key] for key in ("type", "enum", "const") if key in schema}
    for key in ("anyOf", "oneOf"):
        if key in schema:
            kept["anyOf"] = [_outermost(part) for part in schema[key]]
    return kept


def _is_quick(schema: Any) -> bool:
    if isinstance(schema, bool):
        return True
    if not isinstance(schema, Mapping) or not schema.keys() <= _MAKERS.keys() | _COMMENTS | {"const"}:
        return False
    below = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("properties", {}).values()]
    below += [schema[key] for key in ("items", "additionalProperties", "not") if key in schema]
    return all(_is_quick(part) for part in below)


def _acceptor(schema: Any) -> Test:
    if isinstance(schema, bool):
        return lambda _: schema
    tests = [_MAKERS[key](schema) for key in schema if key in _MAKERS]
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def _type(schema: Mapping[str, Any]) -> Test:
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    types = frozenset(python_type for name in names for python_type in _TYPES[name])
    if "integer" in names and "number" not in names:
        return lambda value: type(value) in types or (type(value) is float and value.is_integer())
    return lambda value: type(value) in types


def _enum(schema: Mapping[str, Any]) -> Test:
    allowed = schema["enum"] if "enum" in schema else (schema["const"],)
    # To JSON 1.0 is 1, and neither is true.
    return lambda value: any(value == one and (type(value) is bool) == (type(one) is bool) for one in allowed)


def _bound(keyword: str) -> Callable[[Mapping[str, Any]], Test]:
    _, holds = _BOUNDS[keyword]

    def make(schema: Mapping[str, Any]) -> Test:
        bound = schema[keyword]
        return lambda value: type(value) not in (int, float) or holds(value, bound)

    return make


def _size(keyword: str) -> Callable[[Mapping[str, Any]], Test]:
    sized: Any = _SIZES[keyword]

    def make(schema: Mapping[str, Any]) -> Test:
        least = schema[keyword]
        return lambda value: not isinstance(value, sized) or len(value) >= least

    return make


def _pattern(schema: Mapping[str, Any]) -> Test:
    search = re.compile(schema["pattern"]).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _items(schema: Mapping[str, Any]) -> Test:
    accepts = _acceptor(schema["items"])
    return lambda value: not isinstance(value, list | tuple) or all(accepts(item) for item in value)


def _properties(schema: Mapping[str, Any]) -> Test:
    tests = {key: _acceptor(part) for key, part in schema["properties"].items()}
    return lambda value: (
        not isinstance(value, dict) or all(test(value[key]) for key, test in tests.items() if key in value)
    )


def _additional(schema: Mapping[str, Any]) -> Test:
    known, accepts = schema.get("properties", {}), _acceptor(schema["additionalProperties"])
    return lambda value: (
        not isinstance(value, dict) or all(accepts(item) for key, item in value.items() if key not in known)
    )


def _required(schema: Mapping[str, Any]) -> Test:
    return lambda value: not isinstance(value, dict) or all(key in value for key in schema["required"])


def _any_of(schema: Mapping[str, Any]) -> Test:
    tests = [_acceptor(part) for part in schema["anyOf"]]
    return lambda value: any(accepts(value) for accepts in tests)


def _one_of(schema: Mapping[str, Any]) -> Test:
    tests = [_acceptor(part) for part in schema["oneOf"]]
    return lambda value: sum(accepts(value) for accepts in tests) == 1


def _not(schema: Mapping[str, Any]) -> Test:
    accepts = _acceptor(schema["not"])
    return lambda value: not accepts(value)


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Test]] = {
    "type": _type,
    "enum": _enum,
    "const": _enum,
    **{keyword: _bound(keyword) for keyword in _BOUNDS},
    **{keyword: _size(keyword) for keyword in _SIZES},
    "pattern": _pattern,
    "items": _items,
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
}


def in_words(schema: Mapping[str, Any]) -> str:
    """What a schema asks for, as half a sentence: "a number from 0 to 1"."""
    either = schema.get("anyOf") or schema.get("oneOf")
    if either and "type" not in schema:
        return " or ".join(dict.fromkeys(in_words(part) for part in either))
    if "enum" in schema:
        return "one of " + ", ".join(_shown(value) for value in schema["enum"])
    if "const" in schema:
        return _shown(schema["const"])
    return _type_in_words(schema)


def _type_in_words(schema: Mapping[str, Any]) -> str:
    names = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", ())
    words = " or ".join(_WORDS[name] for name in names) or "a value"
    items = schema.get("items", {}).get("type")
    if isinstance(items, str) and "array" in names:
        words = words.replace("a list", f"a list of {_PLURALS[items]}")
    if "minimum" in schema and "maximum" in schema:
        return f"{words} from {schema['minimum']:g} to {schema['maximum']:g}"
    if "pattern" in schema:
        words += f" that matches {schema['pattern']}"
    bounds = [f"{_BOUNDS[keyword][0]} {schema[keyword]:g}" for keyword in _BOUNDS if keyword in schema]
    not_empty = ", not empty" if any(schema.get(keyword) for keyword in _SIZES) else ""
    return words + (" " + " and ".join(bounds) if bounds else "") + not_empty


_PLURALS = {
    "string": "texts",
    "boolean": "booleans",
    "integer": "whole numbers",
    "number": "numbers",
    "array": "lists",
    "object": "mappings",
    "null": "nulls",
}


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _jsonschema_test(schema: Mapping[str, Any]) -> Test:
    validators: list[Any] = []

    def test(value: Any) -> bool:
        if not validators:
            import jsonschema  # noqa: PLC0415 - 0.05 s, and few options need it

            validators.append(jsonschema.Draft202012Validator(dict(schema)))
        return bool(validators[0].is_valid(value))

    return test

"""A scorer option's JSON Schema → a quick function that says what is wrong with a value.

The few keywords that options usually need are checked here; any other schema goes to jsonschema, which is
imported only then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pytest_ftgate.files.wording import quoted

Check = Callable[[Any], str | None]

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
_BOUNDS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "minimum": ("of at least", lambda value, bound: value >= bound),
    "maximum": ("of at most", lambda value, bound: value <= bound),
    "exclusiveMinimum": ("above", lambda value, bound: value > bound),
    "exclusiveMaximum": ("below", lambda value, bound: value < bound),
}
_COMMENTS = {"title", "description", "default", "examples", "$comment"}
_QUICK = {"type", "enum", "const", "items", "minItems", "minLength", "anyOf", "oneOf", *_BOUNDS, *_COMMENTS}


def compiled(schema: Mapping[str, Any]) -> Check:
    """A function that returns None for a valid value, else half a sentence: what the value must be."""
    if not _is_quick(schema):
        return _jsonschema_check(schema)
    accepts = _acceptor(schema)
    wanted = in_words(schema)
    return lambda value: None if accepts(value) else wanted


def _is_quick(schema: Mapping[str, Any]) -> bool:
    if not schema.keys() <= _QUICK:
        return False
    below = [
        *schema.get("anyOf", ()),
        *schema.get("oneOf", ()),
        *([schema["items"]] if "items" in schema else ()),
    ]
    return all(isinstance(part, Mapping) and _is_quick(part) for part in below)


def _acceptor(schema: Mapping[str, Any]) -> Callable[[Any], bool]:
    tests = [test for make in (_type, _values, _bounds, _lengths, _items, _either) for test in make(schema)]
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def _type(schema: Mapping[str, Any]) -> list[Callable[[Any], bool]]:
    if "type" not in schema:
        return []
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    types = frozenset(python_type for name in names for python_type in _TYPES[name])
    if "integer" in names and "number" not in names:
        return [lambda value: type(value) in types or (type(value) is float and value.is_integer())]
    return [lambda value: type(value) in types]


def _values(schema: Mapping[str, Any]) -> list[Callable[[Any], bool]]:
    if "enum" not in schema and "const" not in schema:
        return []
    allowed = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
    return [lambda value: any(type(value) is type(one) and value == one for one in allowed)]


def _bounds(schema: Mapping[str, Any]) -> list[Callable[[Any], bool]]:
    def test(keyword: str) -> Callable[[Any], bool]:
        _, holds = _BOUNDS[keyword]
        bound = schema[keyword]
        return lambda value: type(value) not in (int, float) or holds(value, bound)

    return [test(keyword) for keyword in _BOUNDS if keyword in schema]


def _lengths(schema: Mapping[str, Any]) -> list[Callable[[Any], bool]]:
    tests: list[Callable[[Any], bool]] = []
    if "minLength" in schema:
        tests.append(lambda value: not isinstance(value, str) or len(value) >= schema["minLength"])
    if "minItems" in schema:
        tests.append(lambda value: not isinstance(value, list | tuple) or len(value) >= schema["minItems"])
    return tests


def _items(schema: Mapping[str, Any]) -> list[Callable[[Any], bool]]:
    if "items" not in schema:
        return []
    accepts = _acceptor(schema["items"])
    return [lambda value: not isinstance(value, list | tuple) or all(accepts(item) for item in value)]


def _either(schema: Mapping[str, Any]) -> list[Callable[[Any], bool]]:
    tests: list[Callable[[Any], bool]] = []
    if "anyOf" in schema:
        any_of = [_acceptor(part) for part in schema["anyOf"]]
        tests.append(lambda value: any(accepts(value) for accepts in any_of))
    if "oneOf" in schema:
        one_of = [_acceptor(part) for part in schema["oneOf"]]
        tests.append(lambda value: sum(accepts(value) for accepts in one_of) == 1)
    return tests


def in_words(schema: Mapping[str, Any]) -> str:
    """What a schema asks for, as half a sentence: "a number of at least 0 and of at most 1"."""
    either = schema.get("anyOf") or schema.get("oneOf")
    if either:
        return " or ".join(dict.fromkeys(in_words(part) for part in either))
    if "enum" in schema:
        return "one of " + ", ".join(_shown(value) for value in schema["enum"])
    if "const" in schema:
        return _shown(schema["const"])
    return _type_in_words(schema)


def _type_in_words(schema: Mapping[str, Any]) -> str:
    names = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", ())
    words = " or ".join(_WORDS[name] for name in names) or "a value"
    if "items" in schema and "array" in names:
        words = words.replace("a list", f"a list of {in_words(schema['items'])}")
    if "minimum" in schema and "maximum" in schema:
        return f"{words} from {schema['minimum']:g} to {schema['maximum']:g}"
    bounds = [f"{_BOUNDS[keyword][0]} {schema[keyword]:g}" for keyword in _BOUNDS if keyword in schema]
    not_empty = ", not empty" if schema.get("minLength") or schema.get("minItems") else ""
    return words + (" " + " and ".join(bounds) if bounds else "") + not_empty


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def _jsonschema_check(schema: Mapping[str, Any]) -> Check:
    validators: list[Any] = []

    def check(value: Any) -> str | None:
        if not validators:
            validators.append(_validator(schema))
        best = _best_match(validators[0].iter_errors(value))
        return None if best is None else f"a value that fits its schema ({best.message})"

    return check


def _validator(schema: Mapping[str, Any]) -> Any:
    import jsonschema  # noqa: PLC0415 - 0.05 s, and few options need it

    return jsonschema.Draft202012Validator(dict(schema))


def _best_match(errors: Any) -> Any:
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - as above

    return best_match(errors)

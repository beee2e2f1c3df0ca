"""What a tool call's arguments must be: the two forms in which a case says so, and the first difference.

Both forms, `arguments` with its matchers and BFCL's `arguments_any_of`, become the same values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.scorers.explain import show

MATCHER_KEYS = ("any_of", "equals", "any", "optional")
#: BFCL's normalization (`standardize_string` of its AST checker): these characters go.
_DROPPED = re.compile(r"[ ,./\-_*^]")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one place may hold: any of the alternatives (None: anything), or nothing if it is optional."""

    alternatives: tuple[Any, ...] | None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """An object with exactly these keys."""

    by_name: Mapping[str, Allowed]


@dataclass(frozen=True, slots=True)
class Items:
    """An array of exactly these elements."""

    elements: tuple[Allowed, ...]


def normalized(text: str) -> str:
    """The form in which BFCL compares strings: in lower case, and all quotes are double."""
    return _DROPPED.sub("", text).lower().replace("'", '"')


def from_arguments(arguments: Mapping[str, Any]) -> Fields:
    """`arguments: {location: Tokyo, unit: {any_of: [celsius], optional: true}}`."""
    return Fields({name: _allowed(value) for name, value in arguments.items()})


def _allowed(value: Any) -> Allowed:
    if not is_matcher(value):
        return Allowed((_value(value),))
    optional = bool(value.get("optional", False))
    if "equals" in value:
        return Allowed((_literal(value["equals"]),), optional)
    if "any_of" in value:
        return Allowed(tuple(_value(item) for item in value["any_of"]), optional)
    return Allowed(None, optional)


def is_matcher(value: Any) -> bool:
    """Whether a value says what is allowed instead of being it."""
    return isinstance(value, Mapping) and any(key in value for key in MATCHER_KEYS)


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Fields({str(key): _allowed(item) for key, item in value.items()})
    return Items(tuple(_allowed(item) for item in value)) if isinstance(value, list | tuple) else value


def _literal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Fields({str(key): Allowed((_literal(item),)) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return Items(tuple(Allowed((_literal(item),)) for item in value))
    return value


def from_any_of(arguments: Mapping[str, Sequence[Any]]) -> Fields:
    """`arguments_any_of: {base: [10], unit: [units, '']}`, BFCL's form, where '' says: may be left out.

    An object among the allowed values lists the allowed values of its keys in the same way.
    """
    return Fields({name: _any_of(values) for name, values in arguments.items()})


def _any_of(values: Sequence[Any]) -> Allowed:
    return Allowed(tuple(_bfcl(value) for value in values), "" in values)


def _bfcl(value: Any) -> Any:
    if isinstance(value, Mapping):
        listed = {str(key): _any_of(item) for key, item in value.items() if isinstance(item, list | tuple)}
        single = {
            str(key): Allowed((_literal(item),)) for key, item in value.items() if str(key) not in listed
        }
        return Fields(listed | single)
    return (
        Items(tuple(Allowed((_bfcl(item),)) for item in value)) if isinstance(value, list | tuple) else value
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentRules:
    """Compares arguments by value and by the types that the tool declares."""

    exact_strings: bool = False

    def difference(self, wanted: Fields, got: Mapping[str, Any], parameters: Mapping[str, Any]) -> str | None:
        """The first difference in words; `parameters` is the tool's JSON Schema, {} if it is unknown."""
        return self._fields(wanted, got, parameters, "")

    def _fields(
        self, wanted: Fields, got: Mapping[str, Any], schema: Mapping[str, Any], path: str
    ) -> str | None:
        declared = _mapping(schema.get("properties"))
        for name, allowed in wanted.by_name.items():
            place = f"{path}.{name}" if path else name
            if name in got:
                found = self._place(allowed, got[name], _mapping(declared.get(name)), place)
                if found:
                    return found
            elif not allowed.optional:
                return f"argument {place} is missing, expected {_wanted(allowed)}"
        extra = next((name for name in got if name not in wanted.by_name), None)
        if extra is None:
            return None
        place = f"{path}.{extra}" if path else extra
        return f"argument {place}: got {show(got[extra])}, expected no such argument"

    def _place(self, allowed: Allowed, got: Any, schema: Mapping[str, Any], place: str) -> str | None:
        if allowed.alternatives is None:
            return None
        found = [self._value(value, got, schema, place) for value in allowed.alternatives]
        if None in found:
            return None
        if len(found) == 1:
            return found[0]
        return f"argument {place}: got {show(got)}, expected {_wanted(allowed)}"

    def _value(self, wanted: Any, got: Any, schema: Mapping[str, Any], place: str) -> str | None:
        if isinstance(wanted, Fields) and isinstance(got, Mapping):
            return self._fields(wanted, got, schema, place)
        if isinstance(wanted, Items) and isinstance(got, list | tuple):
            return self._items(wanted, got, schema, place)
        if not self._equal(wanted, got):
            return f"argument {place}: got {show(got)}, expected {show(_plain(wanted))}"
        # A value of another type than declared is right if the case itself asks for that type.
        if type(wanted) is type(got) or _has_type(got, schema.get("type")):
            return None
        return f"argument {place}: got {show(got)}, expected type {schema['type']}"

    def _items(self, wanted: Items, got: Sequence[Any], schema: Mapping[str, Any], place: str) -> str | None:
        if len(wanted.elements) != len(got):
            return f"argument {place}: got {show(got)}, expected {show(_plain(wanted))}"
        declared = _mapping(schema.get("items"))
        pairs = enumerate(zip(wanted.elements, got, strict=True))
        return next((d for i, (w, g) in pairs if (d := self._place(w, g, declared, f"{place}[{i}]"))), None)

    def _equal(self, wanted: Any, got: Any) -> bool:
        if isinstance(wanted, bool) or isinstance(got, bool):
            return wanted is got
        if isinstance(wanted, str) and isinstance(got, str) and not self.exact_strings:
            return normalized(wanted) == normalized(got)
        numbers = isinstance(wanted, int | float) and isinstance(got, int | float)
        return (numbers or type(wanted) is type(got)) and bool(wanted == got)


def _has_type(value: Any, declared: Any) -> bool:
    """Whether a value has a declared type: an int is a number, a bool no int; unknown types allow all."""
    names = declared if isinstance(declared, list | tuple) else [declared]
    if any(name not in _TYPES for name in names):
        return True
    return any(type(value) in _TYPES[name] for name in names)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _wanted(allowed: Allowed) -> str:
    if allowed.alternatives is None:
        return "any value"
    shown = [show(_plain(value), 60) for value in allowed.alternatives]
    if len(shown) == 1:
        return shown[0]
    return "one of " + ", ".join(shown[:6]) + (f", … ({len(shown)})" if len(shown) > 6 else "")


def _plain(value: Any) -> Any:
    """An expected value as one would write it; several alternatives stand in an `any_of`."""
    if isinstance(value, Fields):
        return {name: _plain(allowed) for name, allowed in value.by_name.items()}
    if isinstance(value, Items):
        return [_plain(allowed) for allowed in value.elements]
    if isinstance(value, Allowed):
        if value.alternatives is None:
            return {"any": True}
        plain = [_plain(alternative) for alternative in value.alternatives]
        return plain[0] if len(plain) == 1 else {"any_of": plain}
    return value

"""Raw values of a `gate:` mapping, checked: texts, words, flags, keys. Nothing here knows a criterion."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from pytest_ftgate.gates.criteria import GateError

Where = tuple[str, ...]
_Value = TypeVar("_Value")
_Word = TypeVar("_Word", bound=str)


class Reading:
    """One mapping of a gate while it is read; gathers its mistakes, so that all of them are told at once."""

    def __init__(self, raw: Mapping[str, Any], where: Where, known: Collection[str]) -> None:
        self.raw = raw
        self.where = where
        self.errors = [
            GateError((*where, str(key)), f"unknown key '{key}'{_hint(str(key), known)}")
            for key in raw
            if key not in known
        ]

    def given(self, key: str, parse: Callable[[object, Where], _Value], default: _Value) -> _Value:
        """The value under a key; the default without one, or after a mistake."""
        if key not in self.raw:
            return default
        return self.tried(default, parse, self.raw[key], (*self.where, key))

    def tried(self, default: _Value, parse: Callable[..., _Value], *arguments: object) -> _Value:
        """What `parse` returns; the default after a mistake."""
        try:
            return parse(*arguments)
        except GateError as error:
            self.errors.append(error)
            return default

    def refuse(self) -> None:
        """Raises all mistakes as one error, if there are any."""
        if self.errors:
            first, *others = self.errors
            raise GateError(first.where, first.reason, (*first.others, *others))


def mapping(raw: object, where: Where) -> Mapping[str, Any]:
    """A mapping as it is."""
    if not isinstance(raw, Mapping):
        raise GateError(where, f"a mapping was expected, not {_shown(raw)}")
    return raw


def texts(raw: object, where: Where) -> tuple[str, ...]:
    """A text, or a list of different texts."""
    values: list[Any] = list(raw) if isinstance(raw, list | tuple) else [raw]
    for value in values:
        if not isinstance(value, str) or not value.strip():
            raise GateError(where, f"a text was expected, not {_shown(value)}")
    if not values:
        raise GateError(where, "the list is empty")
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise GateError(where, f"'{twice}' stands twice in the list")
    return tuple(values)


def one_of(raw: object, known: Sequence[_Word], where: Where) -> _Word:
    """The known word that was written."""
    for value in known:
        if raw == value:
            return value
    near = get_close_matches(str(raw), known, 1)
    hint = f". Did you mean '{near[0]}'?" if near else ""
    raise GateError(where, f"{_shown(raw)} is none of {' | '.join(known)}{hint}")


def flag(raw: object, where: Where) -> bool:
    """A boolean, also as text."""
    if isinstance(raw, bool):
        return raw
    if raw in ("true", "false"):
        return raw == "true"
    raise GateError(where, f"write true or false, not {_shown(raw)}")


def _hint(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f". Did you mean '{near[0]}'?" if near else f"; known are {', '.join(known)}"


def _shown(raw: object) -> str:
    if raw is None or raw == "":
        return "nothing"
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, Mapping):
        return "a mapping"
    return "a list" if isinstance(raw, list | tuple) else f"'{raw}'"

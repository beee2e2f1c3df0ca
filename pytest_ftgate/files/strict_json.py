"""JSON as its standard has it: no duplicate keys, NaN, lone surrogates or bottomless nesting."""

from __future__ import annotations

import json
import math
from typing import Any

from pytest_ftgate.files.wording import quoted

MAX_DEPTH = 64


class JsonError(ValueError):
    """Why a text is no JSON; `line` and `column` count from 1."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{reason} in line {line}, column {column}" if (line, column) != (1, 1) else reason)
        self.reason = reason
        self.line = line
        self.column = column


def strict_json(source: bytes | str) -> Any:
    """The value of a JSON text in UTF-8; raises `JsonError`."""
    text = source if isinstance(source, str) else _utf8(source)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonError(f"not valid JSON: {error.msg}", error.lineno, error.colno) from None
    except RecursionError:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels") from None
    if "\\u" in text:
        _refuse_surrogates(value)
    if text.count("[") + text.count("{") > MAX_DEPTH:
        refuse_depth(value)
    return value


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise JsonError(f"byte 0x{raw[error.start]:02x} is not UTF-8", line, column) from None


def _refuse_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise JsonError(f"half of a character, \\u{ord(error.object[error.start]):04x}, is no text") from None
    except RecursionError:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels") from None


def refuse_depth(value: Any) -> None:
    """Raises if lists and mappings are nested too deep to be written and compared safely."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [below for part in level for below in _below(part)]
        if not level:
            return
    raise JsonError(f"nested deeper than {MAX_DEPTH} levels")


def _below(value: Any) -> list[Any]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [part for part in inside if isinstance(part, dict | list | tuple)]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise JsonError(f"the key {quoted(twice)} stands twice in one object")
    return found


def _float(written: str) -> float:
    found = float(written)
    if not math.isfinite(found):
        raise JsonError(f"{quoted(written)} is no finite number")
    return found


def _int(written: str) -> int:
    if len(written) > 300:
        raise JsonError(f"a number of {len(written)} digits")
    return int(written)


def _no_constant(written: str) -> float:
    raise JsonError(f"{written} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_no_constant
)

"""Bytes of a Parquet file → rows, in batches, with the types that JSON has. Only this module loads pyarrow.

Dates and times become ISO text and decimals exact text; a column of anything else that JSON does not know is
a mistake, but only where it is used.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pytest_ftgate.files.rows import Row, broken_row
from pytest_ftgate.files.wording import escaped, quoted

SUFFIXES = (".parquet", ".pq")
NEEDED = "reading Parquet needs pyarrow: pip install 'pytest-ftgate[parquet]'"

_ROWS_AT_ONCE = 1024
_MB = 2**20

#: What makes a value of a column one that JSON has; None where it already is.
Convert = Callable[[Any], Any] | None


class ParquetError(ValueError):
    """Why a file, or a column of it, can't be used."""


def parquet_rows(raw: bytes, names: Collection[str], limit: int) -> Iterator[Row]:
    """All rows with the columns that dotted `names` need; their lines are the numbers of the rows, from 1.

    If a name has no column, all columns are read, so that a message can offer the nearest. `limit` is how
    many bytes the columns may have once unpacked. Where the file itself is wrong, a broken row is the last.
    """
    line = 0
    try:
        for values, converters in _values(raw, names, limit):
            line += 1
            yield _row(line, values, converters)
    except ParquetError as error:
        yield broken_row(line + 1, str(error))


def _values(
    raw: bytes, names: Collection[str], limit: int
) -> Iterator[tuple[dict[str, Any], Mapping[str, Convert]]]:
    """Every row as pyarrow gives it, with what is still to be done to its columns."""
    pyarrow = _pyarrow()
    try:
        file = importlib.import_module("pyarrow.parquet").ParquetFile(pyarrow.BufferReader(raw))
        converters = _converters(pyarrow, file.schema_arrow, names)
        unpacked = 0
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(converters)):
            unpacked += batch.nbytes
            if unpacked > limit:
                raise ParquetError(f"more than {limit / _MB:g} MB once unpacked: split the file")
            yield from ((values, converters) for values in batch.to_pylist())
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = escaped((str(error).splitlines() or [type(error).__name__])[0])
        raise ParquetError(f"not valid Parquet: {reason}") from None


def _row(line: int, values: dict[str, Any], converters: Mapping[str, Convert]) -> Row:
    try:
        return Row(line=line, values=_converted(values, converters))
    except ParquetError as error:
        return broken_row(line, str(error))


def _pyarrow() -> Any:
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        raise ParquetError(NEEDED) from None


def is_installed() -> bool:
    """Whether Parquet files can be read here."""
    try:
        _pyarrow()
    except ParquetError:
        return False
    return True


def _converters(pyarrow: Any, schema: Any, names: Collection[str]) -> dict[str, Convert]:
    """The columns to read, in the file's order."""
    columns = list(schema.names)
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise ParquetError(f"two columns are named {quoted(twice)}")
    needed = {name if name in columns else name.partition(".")[0] for name in names}
    converters: dict[str, Convert] = {}
    for name in columns:
        if name in needed or not needed <= {*columns}:
            try:
                converters[name] = _converter(pyarrow.types, schema.field(name).type)
            except ParquetError as error:
                if name in needed:
                    raise ParquetError(f"column {quoted(name)}: {error}") from None
    return converters


def _converted(values: dict[str, Any], converters: Mapping[str, Convert]) -> dict[str, Any]:
    for name, convert in converters.items():
        if convert is not None and values[name] is not None:
            try:
                values[name] = convert(values[name])
            except ParquetError as error:
                raise ParquetError(f"column {quoted(name)}: {error}") from None
    return values


def _converter(types: Any, of: Any) -> Convert:
    for kinds, make in _MAKERS.items():
        if any(getattr(types, f"is_{kind}")(of) for kind in kinds):
            return make(types, of)
    raise ParquetError(f"it holds {of}, which is nothing that JSON has: store it as text")


def _struct(types: Any, of: Any) -> Convert:
    fields = {field.name: _converter(types, field.type) for field in of}
    return (lambda value: _converted(value, fields)) if any(fields.values()) else None


def _list(types: Any, of: Any) -> Convert:
    convert = _converter(types, of.value_type)
    if convert is None:
        return None
    return lambda values: [None if value is None else convert(value) for value in values]


def _map(types: Any, of: Any) -> Convert:
    """A map becomes a mapping; pyarrow gives it as a list of pairs."""
    if not any(getattr(types, f"is_{kind}")(of.key_type) for kind in _TEXTS):
        raise ParquetError("it holds a map whose keys are no text: store it as a list or as text")
    convert = _converter(types, of.item_type)
    return lambda pairs: {
        key: value if convert is None or value is None else convert(value) for key, value in pairs
    }


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ParquetError(f"{number} is no JSON: store null where there is no number")
    return number


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _digits(value: Any) -> str:
    return format(value, "f")


_TEXTS = ("string", "large_string", "string_view")
_MAKERS: Mapping[tuple[str, ...], Callable[[Any, Any], Convert]] = {
    (*_TEXTS, "boolean", "integer", "null"): lambda *_: None,
    ("floating",): lambda *_: _finite,
    ("date", "time", "timestamp"): lambda *_: _iso,
    ("decimal",): lambda *_: _digits,
    ("dictionary",): lambda types, of: _converter(types, of.value_type),
    ("struct",): _struct,
    ("list", "large_list", "fixed_size_list"): _list,
    ("map",): _map,
}

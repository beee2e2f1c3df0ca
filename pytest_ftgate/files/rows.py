"""Bytes of a data set → rows with their lines, in one pass. Rows are untrusted: strictly decoded."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.files.nodes import NodeError
from pytest_ftgate.files.strict_json import JsonError, strict_json
from pytest_ftgate.files.wording import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: `line` counts from 1 in the data file. A broken row has `problem` instead of values."""

    line: int
    values: Mapping[str, Any]
    problem: NodeError | None = None


def read_rows(raw: bytes, suffix: str) -> Iterator[Row]:
    """All rows, the broken ones too; the file's end is reached whatever is wrong with a row."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield _undecodable(raw, error)
        return
    yield from FORMATS[suffix](text)


def _undecodable(raw: bytes, error: UnicodeDecodeError) -> Row:
    line = raw.count(b"\n", 0, error.start) + 1
    column = error.start - raw.rfind(b"\n", 0, error.start)
    return broken_row(line, f"byte 0x{raw[error.start]:02x} is not UTF-8: save the file as UTF-8", column)


def broken_row(line: int, message: str, column: int = 1) -> Row:
    """A row that can't be used, and why."""
    return Row(line=line, values={}, problem=NodeError((line, column, message)))


def _json_lines(text: str) -> Iterator[Row]:
    for line, source in enumerate(text.split("\n"), 1):
        if not source or source.isspace():
            continue
        try:
            found = strict_json(source)
        except JsonError as error:
            yield broken_row(line, error.reason, error.column)
            continue
        if isinstance(found, dict):
            yield Row(line=line, values=found)
        else:
            yield broken_row(line, "a row is a JSON object, and this is none")


def _csv(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if header is None:
                header = cells
                problem = _header_problem(cells)
                if problem:
                    yield broken_row(1, problem)
                    return
            elif cells:
                yield _csv_row(header, cells, line)
            line = reader.line_num + 1
    except csv.Error as error:
        yield broken_row(line, f"not valid CSV: {error}")


def _header_problem(header: list[str]) -> str | None:
    names = [name.strip() for name in header]
    if "" in names:
        return f"column {names.index('') + 1} has no name: the first line of a CSV file names the columns"
    twice = next((name for name in names if names.count(name) > 1), None)
    return None if twice is None else f"two columns are named {quoted(twice)}"


def _csv_row(header: list[str], cells: list[str], line: int) -> Row:
    if len(cells) != len(header):
        return broken_row(line, f"the row has {len(cells)} cells, and the header {len(header)}")
    return Row(
        line=line, values={name.strip(): _unix(cell) for name, cell in zip(header, cells, strict=True)}
    )


def _unix(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n") if "\r" in cell else cell


FORMATS: Mapping[str, Callable[[str], Iterator[Row]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
}

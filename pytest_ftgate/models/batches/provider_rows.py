"""What the provider says of files and batches, from replies that nobody vouches for. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pytest_ftgate.models.batches.state import Snapshot
from pytest_ftgate.models.boundary import quoted, safe_message
from pytest_ftgate.models.endpoints.bodies import count_or_none, is_number

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=+-]{0,199}")
_SHOWN_ERRORS = 20
_STATUS_LENGTH = 50


class SenselessError(ValueError):
    """A reply that can't be what it should be; the message says what is wrong with it."""


def parse_row(body: bytes, noun: str) -> Mapping[str, Any]:
    """The JSON object that a reply is."""
    try:
        row = json.loads(body)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, Mapping):
        raise SenselessError(f"no {noun}: {quoted(body[:800].decode('utf-8', 'replace'))}")
    return row


def parse_id(row: Mapping[str, Any], name: str, noun: str) -> str:
    """An id that may stand in an address."""
    value = row.get(name)
    if isinstance(value, str) and is_id(value):
        return value
    raise SenselessError(f"no {noun}: its {name} is {quoted(str(value))}")


def is_id(text: str) -> bool:
    """Whether it looks like an id, and like nothing that leads elsewhere in an address."""
    return _ID.fullmatch(text) is not None


def parse_snapshot(row: Mapping[str, Any]) -> Snapshot:
    """What there is to say of a batch."""
    status, counts = row.get("status"), row.get("request_counts")
    if not isinstance(status, str):
        raise SenselessError("no batch: it has no status")
    counts = counts if isinstance(counts, Mapping) else {}
    return Snapshot(
        id=parse_id(row, "id", "batch"),
        status=safe_message(status)[:_STATUS_LENGTH],
        created_at=_time(row.get("created_at")),
        expires_at=_time(row.get("expires_at")),
        total=count_or_none(counts.get("total")),
        completed=count_or_none(counts.get("completed")),
        failed=count_or_none(counts.get("failed")),
        output_file_id=parse_id(row, "output_file_id", "batch") if row.get("output_file_id") else None,
        error_file_id=parse_id(row, "error_file_id", "batch") if row.get("error_file_id") else None,
        errors=tuple(_errors(row.get("errors"))),
    )


def _time(value: object) -> float | None:
    return float(value) if is_number(value) and 0 < value < 1e11 else None


def _errors(errors: object) -> list[str]:
    """Why a batch failed, an entry each: `line 3: code: message`."""
    data = errors.get("data") if isinstance(errors, Mapping) else None
    rows = [row for row in data if isinstance(row, Mapping)] if isinstance(data, list) else []
    return [_error(row) for row in rows[:_SHOWN_ERRORS]]


def _error(row: Mapping[str, Any]) -> str:
    line = count_or_none(row.get("line"))
    parts = [f"line {line}"] if line else []
    parts += [quoted(text)[1:-1] for key in ("code", "message") if isinstance(text := row.get(key), str)]
    return ": ".join(parts) or "no reason given"

"""Votes as they come back: the page's JSON, or a table that was filled in with a spreadsheet.

Nothing is believed here: `joining.py` compares every line with the key.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_ftgate.errors import RecordError
from pytest_ftgate.review.questions import CHOICES, OVERALL

VOTES_SCHEMA = "ftgate.votes/1"
#: What people write in place of the words of `CHOICES`.
_MEANT = {"a": "A", "b": "B", "tie": "tie", "both bad": "both bad", "both_bad": "both bad", "=": "tie"}
_MOST_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """What one line of a file says of one pair; texts as they stand there, "" for nothing.

    `where` is the file and line, or pair, for messages. `seconds` is how long the pair was looked at.
    """

    where: str
    batch: str
    reviewer: str
    id: str
    digest: str
    overall: str
    criteria: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    seconds: float | None = None


def parse_votes(text: str, name: str) -> list[Ballot]:
    """The ballots in the text of a file called `name`, JSON or CSV by what it holds; raises RecordError."""
    text = text.removeprefix("\ufeff")
    found = list(_from_json(text, name) if text.lstrip().startswith("{") else _from_csv(text, name))
    if not found:
        raise RecordError(f"{name} holds no vote")
    return found


def choice_of(written: str) -> str | None:
    """Which of `CHOICES` is meant; None for anything else."""
    return _MEANT.get(" ".join(written.lower().split()), written if written in CHOICES else None)


def _from_json(text: str, name: str) -> Iterator[Ballot]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{name} is not JSON: {error}: was it saved by the page?") from None
    if content.get("schema") != VOTES_SCHEMA or not isinstance(content.get("votes"), list):
        raise RecordError(f"{name} holds no votes of the review page ({VOTES_SCHEMA})")
    for number, row in enumerate(content["votes"], 1):
        if not isinstance(row, dict):
            raise RecordError(f"{name}: vote {number} is damaged: an object was expected")
        yield Ballot(
            where=f"{name}: vote {number}",
            batch=str(content.get("batch", "")),
            reviewer=str(content.get("reviewer", "")),
            id=str(row.get("id", "")),
            digest=str(row.get("digest", "")),
            overall=str(row.get(OVERALL) or ""),
            criteria=_texts(row.get("criteria")),
            notes=str(row.get("notes") or ""),
            seconds=_seconds(row.get("seconds")),
        )


def _from_csv(text: str, name: str) -> Iterator[Ballot]:
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    header = [str(column).strip() for column in reader.fieldnames or ()]
    reader.fieldnames = header
    needed = ("batch", "reviewer", "id", "digest", OVERALL)
    if lacking := [column for column in needed if column not in header]:
        columns = f"column{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}"
        raise RecordError(f"{name} is no table of `ftgate review export`: it lacks the {columns}")
    asked = header[header.index(OVERALL) + 1 :]
    criteria = [column for column in asked if column not in ("notes", "altered", *needed) and column]
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise RecordError(f"{name}:{reader.line_num}: not CSV: {error}") from None
    for line, row in rows:
        cells = {column: str(row.get(column) or "").strip() for column in header}
        if any(cells.values()):
            yield Ballot(
                where=f"{name}:{line}",
                batch=cells["batch"],
                reviewer=cells["reviewer"],
                id=cells["id"],
                digest=cells["digest"],
                overall=cells[OVERALL],
                criteria={column: cells[column] for column in criteria if cells[column]},
                notes=cells.get("notes", ""),
            )


def _texts(row: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in row.items() if value} if isinstance(row, dict) else {}


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= _MOST_SECONDS else None

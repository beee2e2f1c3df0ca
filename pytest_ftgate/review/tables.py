"""Sheets as tables: CSV for spreadsheets, JSON lines without loss."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping

from pytest_ftgate.reports.answers import answer_json, answer_text, visible
from pytest_ftgate.reports.inert import inert_json, inert_text
from pytest_ftgate.review.questions import OVERALL
from pytest_ftgate.review.sheets import Item, Sheet

#: What a spreadsheet holds in one cell, less room for the note about what was cut.
_MOST_IN_A_CELL = 32_000
#: Spreadsheets take a cell that begins so for a formula, full-width too (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BEFORE = ("batch", "reviewer", "id", "digest", "category", "prompt", "answer_a", "answer_b")


def columns(questions: tuple[str, ...]) -> tuple[str, ...]:
    """The header of a reviewer's table; those from `overall` to `notes` are theirs to fill in."""
    return (*_BEFORE, OVERALL, *questions, "notes", "altered")


def csv_text(sheet: Sheet) -> str:
    """One row for each pair, every cell quoted; `altered` names the cells that had to begin with `'`."""
    header = columns(tuple(question.key for question in sheet.questions))
    out = io.StringIO()
    writer = csv.DictWriter(out, header, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    for item in sheet.items:
        cells = dict.fromkeys(header, "") | _cells(sheet, item)
        altered = [name for name, cell in cells.items() if cell.lstrip(" ").startswith(_FORMULA)]
        writer.writerow(
            {**cells, **{name: f"'{cells[name]}" for name in altered}, "altered": " ".join(altered)}
        )
    return "\ufeff" + out.getvalue()  # without the mark Excel takes UTF-8 for another encoding


def jsonl_text(sheet: Sheet) -> str:
    """One line for each pair, texts as they are."""
    return "".join(inert_json(json.dumps(row, ensure_ascii=False)) + "\n" for row in _rows(sheet))


def _rows(sheet: Sheet) -> Iterator[Mapping[str, object]]:
    for item in sheet.items:
        yield {
            "batch": sheet.batch,
            "reviewer": sheet.reviewer,
            "id": item.id,
            "digest": item.digest,
            "category": item.category,
            "prompt": item.prompt,
            "a": answer_json(item.a),
            "b": answer_json(item.b),
        }


def _cells(sheet: Sheet, item: Item) -> dict[str, str]:
    return {
        "batch": sheet.batch,
        "reviewer": sheet.reviewer,
        "id": item.id,
        "digest": item.digest,
        "category": item.category,
        "prompt": _capped(inert_text(item.prompt)),
        "answer_a": _capped(answer_text(visible(item.a))),
        "answer_b": _capped(answer_text(visible(item.b))),
    }


def _capped(text: str) -> str:
    if len(text) <= _MOST_IN_A_CELL:
        return text
    return f"{text[:_MOST_IN_A_CELL]}… ({len(text) - _MOST_IN_A_CELL:,} more characters: see the page)"

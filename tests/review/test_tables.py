"""Sheets as tables: harmless in a spreadsheet, and without loss as JSON lines."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from pytest_ftgate.reports.answers import Turn
from pytest_ftgate.review.pairs import Pair, pairs_of
from pytest_ftgate.review.tables import csv_text, jsonl_text
from tests.support.hostile import HOSTILE
from tests.support.reviews import blind, record_of


def pair_with(text: str) -> Pair:
    (made,) = pairs_of(record_of(1)).pairs
    return replace(made, prompt=text, model=(Turn(text=text),), baseline=(Turn(text="harmless"),))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("text", [*HOSTILE, "@SUM(1)", "-2", "+1", " =1", "\t=1", "\uff1d1", "\n=1"])
def test_no_cell_is_a_formula_or_hides_anything(text: str) -> None:
    (sheet,) = blind([pair_with(text)], ["ada"], 1)[1]

    made = csv_text(sheet)

    (row,) = rows_of(made)
    for name in ("prompt", "answer_a", "answer_b"):
        assert not row[name].lstrip(" ").startswith(("=", "+", "-", "@", "\uff1d", "\t", "\r", "\n"))
        assert "\x1b" not in row[name]
        assert "\x00" not in row[name]
        assert len(row[name]) < 32_767
        assert row[name].startswith("'") is (name in row["altered"].split()) or text.startswith("'")
    assert made.startswith(
        '\ufeff"batch","reviewer","id","digest","category","prompt","answer_a","answer_b",'
    )
    made.encode("utf-8")


@pytest.mark.parametrize("text", HOSTILE)
def test_lines_of_json_hold_the_texts_themselves(text: str) -> None:
    (sheet,) = blind([pair_with(text)], ["ada"], 1)[1]

    (line,) = jsonl_text(sheet).splitlines()

    row = json.loads(line)
    assert row["prompt"] == text
    assert text in (row["a"][0]["text"], row["b"][0]["text"])
    line.encode("utf-8")


def test_ids_and_digests_are_nothing_that_a_spreadsheet_takes_for_a_number() -> None:
    _, sheets, _ = blind(pairs_of(record_of(30)).pairs)

    for row in rows_of(csv_text(sheets[0])):
        assert row["id"].startswith("p")
        assert row["digest"].startswith("x")
        assert row["batch"].startswith("x")

"""The CSV report: a row for each trial, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from pytest_ftgate.gates import Assessment
from pytest_ftgate.reports import write_report
from pytest_ftgate.reports.cells import safe_cell
from pytest_ftgate.reports.table_of_trials import COLUMNS, csv_parts
from tests.reports.samples import Category, assessment, errored, record, score, timed, tuned_suite
from tests.support.hostile import HOSTILE, assert_inert, hostile_texts

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def rows(made: Assessment) -> list[dict[str, str]]:
    text = "".join(csv_parts(made)).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def said(text: str) -> Assessment:
    """Two cases in which every text of an answer, a reason and a prompt is this one."""
    whole = record([Category("simple", both=1, regressed=1)])
    trials = [
        replace(
            one,
            completion=replace(one.completion, text=text) if one.completion else None,
            scores=(score(one.outcome == "passed", text, name=text),),
        )
        for one in whole.trials
    ]
    return assessment(replace(whole, trials=tuple(trials)))


def test_there_is_one_row_for_each_trial_with_what_became_of_it() -> None:
    made = assessment(timed(record([Category("simple", regressed=1)], repeats=2)))

    found = rows(made)

    assert tuple(found[0]) == COLUMNS
    assert [(row["arm"], row["repeat"], row["outcome"]) for row in found] == [
        ("baseline", "1", "passed"),
        ("baseline", "2", "passed"),
        ("model", "1", "failed"),
        ("model", "2", "failed"),
    ]
    first = found[2]
    assert (first["suite"], first["case"], first["category"]) == ("tools", "simple-01", "simple")
    assert (first["flip"], first["score"], first["scorers"]) == ("regression", "0", "exact_match=0")
    assert first["answer"] == "Lyon"
    assert first["reasons"] == "exact_match: exact_match: got 'Lyon', expected 'Paris'"
    assert (first["input_tokens"], first["altered"]) == ("100", "")
    assert float(first["latency_s"]) > 0


def test_what_is_not_known_is_an_empty_cell() -> None:
    whole = record([Category("simple", both=1)])
    lost = errored(case="simple-01", path="evals/tools.evalcase.yaml")
    made = assessment(replace(whole, trials=(whole.trials[0], lost)))

    model = rows(made)[1]

    assert (model["outcome"], model["answer"], model["score"], model["latency_s"]) == ("errored", "", "", "")
    assert model["reasons"] == "timeout: no answer within 60 s from localhost:8000"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Paris", "Paris"),
        ("=1+1", "'=1+1"),
        ("  @SUM(A1)", "  '@SUM(A1)"),
        ("a;=1+1", "a;'=1+1"),
        ('a",=cmd|x', "a\",'=cmd|x"),
        ("one\n+two", "one\n'+two"),
        ("\uff1d1", "'\uff1d1"),
        ("\n\nx", "'\n\nx"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("2-1=1 and 2 - 1", "2-1=1 and 2 - 1"),
        ('"' * 30_000 + "x", '"' * 30_000 + "x"),
    ],
)
def test_whatever_could_begin_a_formula_stands_behind_a_quote(text: str, safe: str) -> None:
    assert safe_cell(text) == safe


@given(hostile_texts)
@settings(deadline=None, max_examples=15)
def test_no_cell_begins_a_formula_whatever_models_write(text: str) -> None:
    for row in rows(said(text)):
        for name, cell in row.items():
            assert not cell.startswith(FORMULA), name
            assert len(cell) < 32_767


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_keep_rows_whole_and_are_named_where_they_were_changed(text: str) -> None:
    found = rows(said(text))

    assert len(found) == 4
    for row in found:
        for cell in row.values():
            assert_inert(cell.replace("::", ""))
        assert ("answer" in row["altered"].split()) == (row["answer"] != text)


def test_the_report_is_written_by_its_suffix(tmp_path: Path) -> None:
    write_report(tmp_path / "run.csv", tuned_suite())

    content = (tmp_path / "run.csv").read_bytes()
    assert content.startswith(b'\xef\xbb\xbf"suite","case","category"')
    assert content.count(b'\r\n"tools"') + content.count(b'\r\n"facts"') == 60

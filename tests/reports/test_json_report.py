from __future__ import annotations

import json
import os
import resource
import stat
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from pytest_ftgate.errors import ConfigError, RecordError
from pytest_ftgate.gates import Status, Word
from pytest_ftgate.record import Record, RunInfo, parse_record
from pytest_ftgate.reports import check_report_path, write_report
from pytest_ftgate.reports.atomic import write_atomic, write_parts
from pytest_ftgate.reports.json_report import incomplete_verdict_json, json_text, report_json, verdict_json
from tests.reports.samples import (
    CRITERIA,
    SUITE,
    Category,
    assessment,
    criterion,
    errored,
    record,
    tuned_suite,
)
from tests.reports.test_terminal import check_golden, without_baseline

KEYS = [
    *("schema", "run_id", "verdict", "sentence", "mode", "complete", "reasons", "warnings", "started"),
    *("finished", "version", "gate", "model", "baseline", "plan", "criteria"),
]


def test_the_report_looks_as_it_did() -> None:
    small = record([Category("simple", both=1, regressed=1)], repeats=2)
    made = assessment(small, Word.ITERATE, "general_regression is NO-GO", criteria=CRITERIA, reasons=["one"])

    check_golden("report.json", json_text(report_json(made)))


def test_the_verdict_file_is_the_report_without_groups_latency_and_cases() -> None:
    report, verdict = report_json(tuned_suite()), verdict_json(tuned_suite())

    assert list(verdict) == KEYS
    assert list(report) == [*KEYS, "groups", "latency", "comparison", "repeats", "cases"]
    assert {key: report[key] for key in verdict} == verdict


def test_equal_assessments_give_equal_bytes_whatever_the_order_of_their_mappings() -> None:
    made = tuned_suite()
    run = made.record.run
    turned = {arm: dict(reversed(list(model.items()))) for arm, model in reversed(list(run.models.items()))}
    other = replace(made, record=replace(made.record, run=replace(run, models=turned)))

    assert json_text(report_json(other)) == json_text(report_json(made))


def test_without_a_baseline_its_places_are_null() -> None:
    report = report_json(without_baseline())

    assert report["baseline"] is None
    assert report["latency"] == {"model": None, "baseline": None}
    assert {group["baseline"] for group in report["groups"]} == {None}
    assert {group["delta"] for group in report["groups"]} == {None}
    assert {case["flip"] for case in report["cases"]} == {"model only"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_null(value: float) -> None:
    made = tuned_suite(criteria=[criterion("c", Status.NOT_MEASURED, observed=value)])

    (found,) = verdict_json(made)["criteria"]

    assert found["observed"] is None


def test_whole_numbers_have_no_decimal_point() -> None:
    results = [criterion("c", Status.GO, observed=value) for value in (1.0, Fraction(1), Fraction(1, 2))]

    found = verdict_json(tuned_suite(criteria=results))["criteria"]

    assert [json.dumps(row["observed"]) for row in found] == ["1", "1", "0.5"]


def test_errors_skips_and_what_was_left_out_are_in_the_report() -> None:
    whole = record(SUITE[:1], left_out=["evals/b.evalcase.yaml::x"])
    first, *cases = whole.plan.cases
    plan = replace(whole.plan, cases=(replace(first, skip="not yet"), *cases))
    trials = [one for one in whole.trials if one.key.case != first.id]
    trials[0] = replace(errored(), key=trials[0].key)
    made = assessment(replace(whole, plan=plan, trials=tuple(trials)), Word.INCOMPLETE, "narrowed")

    report = report_json(made)

    assert report["plan"]["cases"] == 9
    assert report["plan"]["trials"] == 18
    assert report["plan"]["suites"] == ["tools"]
    assert report["plan"]["skipped"] == [{"suite": "tools", "id": "simple-01", "reason": "not yet"}]
    assert report["plan"]["left_out"] == ["evals/b.evalcase.yaml::x"]
    assert report["cases"][1]["trials"][0]["error"] == {
        "kind": "timeout",
        "message": "no answer within 60 s from localhost:8000",
    }
    assert report["cases"][1]["flip"] == "unknown"


def test_a_run_that_has_not_ended_is_incomplete() -> None:
    content = incomplete_verdict_json("r-1", "the run has not finished", "2026-03-02T10:00:00+00:00")

    assert content == {
        "schema": "ftgate.report/1",
        "run_id": "r-1",
        "verdict": "INCOMPLETE",
        "sentence": "the run has not finished",
        "complete": False,
        "reasons": ["the run has not finished"],
        "started": "2026-03-02T10:00:00+00:00",
        "finished": None,
    }


def test_json_and_jsonl_are_written_by_suffix(tmp_path: Path) -> None:
    made = tuned_suite()

    write_report(tmp_path / "deep" / "run.JSON", made)
    write_report(tmp_path / "deep" / "run.jsonl", made)

    assert json.loads((tmp_path / "deep/run.JSON").read_text()) == report_json(made)
    lines = (tmp_path / "deep/run.jsonl").read_text().splitlines()
    assert parse_record(lines, "run.jsonl") == made.record
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["run.JSON", "run.jsonl"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "r.docx",
            "report r.docx: there is no report of suffix '.docx'; "
            "use one of .json, .jsonl, .md, .html, .csv.",
        ),
        (
            "r.jsno",
            "report r.jsno: there is no report of suffix '.jsno'; "
            "use one of .json, .jsonl, .md, .html, .csv. "
            "Did you mean '.json'?",
        ),
        ("report", "report report: the suffix names the report; use one of .json, .jsonl, .md, .html, .csv."),
    ],
)
def test_an_unknown_suffix_names_those_that_exist(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_report_path(Path(name))

    assert str(caught.value) == message


def test_a_file_is_replaced_whole_with_ordinary_permissions(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text("old")
    (plain := tmp_path / "plain").write_text("")

    write_atomic(path, "new \ud800")

    assert path.read_bytes() == b"new \\ud800"
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["plain", "verdict.json"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "verdict.json").symlink_to(target)

    write_atomic(tmp_path / "verdict.json", "new")

    assert target.read_text() == "precious"
    assert (tmp_path / "verdict.json").read_text() == "new"
    assert not (tmp_path / "verdict.json").is_symlink()


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").mkdir()

    with pytest.raises(ConfigError) as caught:
        write_atomic(tmp_path / "verdict.json", "new")

    assert str(caught.value) == f"can't write {tmp_path}/verdict.json: there is a folder of that name"


def test_a_file_in_place_of_a_parent_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")

    with pytest.raises(ConfigError) as caught:
        write_atomic(tmp_path / "reports" / "r.json", "new")

    file = tmp_path / "reports"
    assert str(caught.value) == f"can't write {file}/r.json: {file} is a file, and would have to be a folder"


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250 + ".json")

    write_atomic(path, "new")

    assert path.read_text() == "new"


def test_what_was_there_survives_a_write_that_fails(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))  # a full disk, as far as this process can tell
    try:
        with pytest.raises(ConfigError) as caught:
            write_atomic(path, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert str(caught.value) == f"can't write {path}: File too large"
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["verdict.json"]


def test_what_was_there_survives_a_text_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("old")

    def parts() -> Iterator[str]:
        yield "x" * 100_000
        raise RecordError("this row can't be written")

    with pytest.raises(RecordError):
        write_parts(path, parts())

    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["run.jsonl"]


def test_latencies_of_live_answers_are_in_the_report() -> None:
    whole = record(SUITE[:1])
    trials = [
        replace(one, completion=replace(one.completion, latency_s=0.5)) if one.completion else one
        for one in whole.trials
    ]

    report = report_json(assessment(replace(whole, trials=tuple(trials))))

    assert report["latency"]["model"] == {"n": 10, "p50": 0.5, "p90": 0.5, "p95": 0.5, "p99": 0.5}


def test_models_and_mode_stand_in_the_verdict_file() -> None:
    run = RunInfo(run_id="r-2", mode="recorded", models={"model": {"name": "m", "revision": None}})
    made = tuned_suite()
    bare: Record = replace(made.record, run=run)

    verdict = verdict_json(replace(made, record=bare))

    assert (verdict["mode"], verdict["model"]) == ("recorded", {"name": "m", "revision": None})


def test_of_several_mistakes_the_sentence_has_the_first_and_the_reasons_have_all() -> None:
    content = incomplete_verdict_json("r-1", "a: wrong\nb: wrong\nc: wrong", "2026-03-02T10:00:00+00:00")

    assert content["sentence"] == "a: wrong (and 2 more)"
    assert content["reasons"] == ["a: wrong", "b: wrong", "c: wrong"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    """A device such as /dev/null would else become a file, for the whole machine."""
    pipe = tmp_path / "verdict.json"
    os.mkfifo(pipe)

    with pytest.raises(ConfigError) as caught:
        write_atomic(pipe, "new")

    assert str(caught.value) == f"can't write {pipe}: it is not a file"
    assert pipe.is_fifo()

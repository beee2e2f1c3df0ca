from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.errors import RecordError
from pytest_ftgate.gates import Word
from pytest_ftgate.reports.json_report import incomplete_verdict_json, json_text, verdict_json
from pytest_ftgate.reports.verdict_check import Demand, read_verdict, refusal, span
from tests.reports.samples import SUITE, assessment, record

ENDED = datetime(2026, 3, 2, 10, 4, 10, tzinfo=UTC)
OF_THE_RUN = Demand(run_id="r-1")
TWO_HOURS = Demand(max_age=timedelta(hours=2))


def verdict(**changes: Any) -> Mapping[str, Any]:
    return verdict_json(assessment(record(SUITE))) | changes


def test_a_ship_of_the_run_passes() -> None:
    demand = Demand(run_id="r-1", max_age=timedelta(hours=2), gate_digest="0123456789abcdef")

    assert refusal(verdict(), demand, ENDED + timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"run_id": "r-0"}, "The verdict is of run 'r-0', not of run 'r-1'."),
        ({"run_id": None}, "The verdict is of run None, not of run 'r-1'."),
        ({"verdict": "ITERATE", "sentence": "c is NO-GO."}, "The verdict is ITERATE: c is NO-GO."),
        ({"verdict": "INCONCLUSIVE", "sentence": ""}, "The verdict is INCONCLUSIVE: no reason is given."),
        ({"verdict": "ship"}, "The file says no verdict that is known: 'ship'."),
        ({"verdict": ["SHIP"]}, "The file says no verdict that is known: ['SHIP']."),
        (
            {"complete": 1},
            "The file says SHIP of a run that was not complete, so it was not written by a run.",
        ),
        ({"run_id": "\x1b[2J"}, "The verdict is of run '\\x1b[2J', not of run 'r-1'."),
    ],
)
def test_anything_but_a_ship_of_the_run_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert refusal(verdict(**changes), OF_THE_RUN, ENDED) == reason


def test_an_unfinished_run_is_refused() -> None:
    unfinished = incomplete_verdict_json("r-1", "the run has not finished", "2026-03-02T10:00:00+00:00")

    assert refusal(unfinished, OF_THE_RUN, ENDED) == "The verdict is INCOMPLETE: the run has not finished."


@pytest.mark.parametrize(
    ("finished", "later", "reason"),
    [
        ("2026-03-02T10:04:10+00:00", timedelta(hours=2), None),
        ("2026-03-02T11:04:10+01:00", timedelta(hours=2), None),
        ("2026-03-02T10:04:10", timedelta(hours=2), None),
        ("2026-03-02T10:04:10Z", timedelta(minutes=-1), None),
        (
            "2026-03-02T10:04:10+00:00",
            timedelta(hours=3, minutes=5),
            "The verdict is 3 h 5 min old; at most 2 h is allowed.",
        ),
        (
            "2026-03-02T10:04:10+00:00",
            timedelta(minutes=-3),
            "The verdict is from the future: it was reached at 2026-03-02 10:04:10 UTC.",
        ),
        (
            "yesterday",
            timedelta(),
            "The verdict does not say when it was reached: 'finished' is 'yesterday'.",
        ),
        (None, timedelta(), "The verdict does not say when it was reached: 'finished' is None."),
        (
            "9999-12-31T23:59:59-23:59",
            timedelta(),
            "The verdict does not say when it was reached: 'finished' is '9999-12-31T23:59:59-23:59'.",
        ),
    ],
)
def test_age_is_counted_from_the_end_of_the_run(
    finished: object, later: timedelta, reason: str | None
) -> None:
    assert refusal(verdict(finished=finished), TWO_HOURS, ENDED + later) == reason


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"digest": "0123456789abcdef", "options": []}, "digest '0123456789abcdef', not 'feed'"),
        (
            {"digest": "0123456789abcdef", "options": ["--ftgate-strict"]},
            "digest '0123456789abcdef' (options that touched it: --ftgate-strict), not 'feed'",
        ),
        ("none", "digest None, not 'feed'"),
    ],
)
def test_another_gate_is_refused(gate: object, said: str) -> None:
    demand = Demand(run_id="r-1", gate_digest="feed", gate_name="ftgate.yaml")

    assert refusal(verdict(gate=gate), demand, ENDED) == (
        f"The run was judged by another gate than ftgate.yaml: {said}."
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text(json_text(verdict()), encoding="utf-8")

    assert read_verdict(path) == verdict()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not a verdict file: it holds no sound JSON."),
        (b'{"schema": "ftgate.report/1", "verdict": "SH', "is not a verdict file: it holds no sound JSON."),
        (b"\xff\xfe\x00", "is not a verdict file: it holds no sound JSON."),
        (b"[" * 100_000, "is not a verdict file: it holds no sound JSON."),
        (b'{"verdict": "ITERATE", "verdict": "SHIP"}', "is not a verdict file: it holds no sound JSON."),
        (b"[]", "is not a verdict file: its schema is not 'ftgate.report/1'."),
        (b'{"verdict": "SHIP"}', "is not a verdict file: its schema is not 'ftgate.report/1'."),
        (b'{"schema": "ftgate.report/2"}', "is not a verdict file: its schema is not 'ftgate.report/1'."),
    ],
)
def test_garbage_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "verdict.json"
    path.write_bytes(content)

    with pytest.raises(RecordError) as caught:
        read_verdict(path)

    assert str(caught.value) == f"{path} {problem}"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError) as missing:
        read_verdict(tmp_path / "none.json")
    with pytest.raises(RecordError) as folder:
        read_verdict(tmp_path)

    assert str(missing.value) == (
        f"There is no verdict file {tmp_path}/none.json: the run did not start, or wrote elsewhere."
    )
    assert str(folder.value) == f"{tmp_path} is not a file."


@pytest.mark.parametrize("word", [word for word in Word if word is not Word.SHIP])
def test_no_other_word_passes(word: Word) -> None:
    assert refusal(verdict(verdict=str(word)), OF_THE_RUN, ENDED) is not None


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=1, hours=3, seconds=9), "1 d 3 h"),
    ],
)
def test_spans_are_said_in_two_units(duration: timedelta, said: str) -> None:
    assert span(duration) == said


def test_json_of_the_verdict_parses(tmp_path: Path) -> None:
    assert json.loads(json_text(verdict())) == verdict()

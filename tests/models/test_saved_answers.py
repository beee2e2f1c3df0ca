from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.errors import RecordError
from pytest_ftgate.models.answer_rows import read_answers
from pytest_ftgate.models.boundary import safe_text
from pytest_ftgate.models.recorded import Recorded, answers_of
from pytest_ftgate.models.saved_answers import answer_lines, write_answers
from pytest_ftgate.record.plan import Plan, PlannedCase, TrialKey
from pytest_ftgate.record.runs import Record, RunInfo
from pytest_ftgate.record.trials import Outcome, Trial, TrialError
from tests.support.hostile import assert_inert, hostile_texts
from tests.support.requests import case, request

FULL = Completion(
    text="Paris — \x41 🎉\u2028",
    tool_calls=(ToolCall(name="f", arguments={"a": 1}), ToolCall(name="g", arguments=None, text="{")),
    finish_reason="stop",
    refusal="no",
    usage=Usage(input_tokens=9, output_tokens=3),
    latency_s=0.25,
    logprobs=(-0.5, -0.25),
    cost=0.5,
    model="gpt",
    fingerprint="fp",
    created=5.0,
)


def trial(
    id: str = "capital",
    *,
    arm: Arm = Arm.MODEL,
    repeat: int = 1,
    item: str = "a",
    answer: Completion | None = FULL,
) -> Trial:
    key = TrialKey(suite="facts", case=id, arm=arm, repeat=repeat, item=item)
    error = None if answer else TrialError(kind="timeout", message="late")
    return Trial(
        key=key, outcome=Outcome.PASSED if answer else Outcome.ERRORED, completion=answer, error=error
    )


def record(*trials: Trial) -> Record:
    planned = PlannedCase(
        suite="facts",
        id="capital",
        role=case().role,
        category="default",
        path="x",
        line=1,
        asked=case().asked,
    )
    return Record(run=RunInfo(run_id="r"), plan=Plan(cases=(planned,)), trials=trials)


def rows_of(*trials: Trial) -> list[dict[str, object]]:
    return [json.loads(line) for line in answer_lines(record(*trials))]


def test_a_row_says_who_was_asked_what_and_answered_what() -> None:
    header, row = rows_of(trial())

    assert header == {"schema": "ftgate.answers/1"}
    assert row == {
        "suite": "facts",
        "id": "capital",
        "repeat": 1,
        "turn": 1,
        "arm": "model",
        "asked": case().asked,
        "model": "gpt",
        "text": "Paris — A 🎉\u2028",
        "tool_calls": [{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": None, "text": "{"}],
        "finish_reason": "stop",
        "refusal": "no",
        "usage": {"input_tokens": 9, "output_tokens": 3},
        "latency_s": 0.25,
        "logprobs": [-0.5, -0.25],
        "cost": 0.5,
        "fingerprint": "fp",
        "created": 5.0,
    }


@given(hostile_texts)
@settings(deadline=None)
def test_hostile_texts_are_inert_in_the_file_and_come_back_from_it(text: str) -> None:
    """A reviewer sees what is there: a bidi control in an answer would show another one."""
    said = safe_text(text)
    _, line = answer_lines(record(trial(answer=replace(FULL, text=said, refusal=said))))

    assert_inert(line)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["text"] == json.loads(line)["refusal"] == said


def test_only_what_is_invisible_is_escaped() -> None:
    _, line = answer_lines(
        record(trial(answer=replace(FULL, text="日本 é\u202e\u2066x\u200b## Heading ##[x")))
    )

    assert '"日本 é\\u202e\\u2066x\\u200b## Heading \\u0023#[x"' in line


def test_rows_are_sorted_and_an_answer_of_several_items_is_one_row() -> None:
    trials = [
        trial("b"),
        trial("a", arm=Arm.MODEL, repeat=2),
        trial("a", arm=Arm.BASELINE),
        trial("b", item="z"),
        trial("a"),
    ]

    forward, backward = (list(answer_lines(record(*order))) for order in (trials, trials[::-1]))

    assert forward == backward
    assert [(row["id"], row["arm"], row["repeat"]) for row in map(json.loads, forward[1:])] == [
        ("a", "baseline", 1),
        ("a", "model", 1),
        ("a", "model", 2),
        ("b", "model", 1),
    ]


def test_a_trial_without_an_answer_is_left_out() -> None:
    assert len(rows_of(trial(answer=None))) == 1


def test_what_is_written_is_played_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "prod.jsonl"

    write_answers(path, record(trial()))

    model = Recorded("prod", answers_of(read_answers(path, "p"), Arm.BASELINE, None, "p"), shown="p")
    answer = model.answer_now(request())
    assert model.missing([request()]) == []
    assert answer == replace(FULL, latency_s=None, source="recorded")


def test_a_file_that_can_not_be_written_is_named_and_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "prod.jsonl"
    path.mkdir()

    with pytest.raises(RecordError) as caught:
        write_answers(path, record(trial()))

    assert str(caught.value) == f"{path}: the answers can't be saved: Is a directory"
    assert [one.name for one in tmp_path.iterdir()] == ["prod.jsonl"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    """A device such as /dev/null would else become a file, for the whole machine."""
    pipe = tmp_path / "prod.jsonl"
    os.mkfifo(pipe)

    with pytest.raises(RecordError) as caught:
        write_answers(pipe, record(trial()))

    assert str(caught.value) == f"{pipe}: the answers can't be saved: it is not a file"
    assert pipe.is_fifo()

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import ToolCall, Usage
from pytest_ftgate.errors import ConfigError, FileError, ModelError
from pytest_ftgate.models.answer_rows import read_answers
from pytest_ftgate.models.engine import CompletionEngine
from pytest_ftgate.models.price import Price
from pytest_ftgate.models.recorded import Recorded, answers_of
from tests.support.requests import case, request, requests

FILE = "baselines/prod.jsonl"


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "prod.jsonl"
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8"
    )
    return path


def played(
    folder: Path, *rows: Any, arm: Arm = Arm.BASELINE, wanted: str | None = None, **fields: Any
) -> Recorded:
    answers = answers_of(read_answers(written(folder, *rows), FILE), arm, wanted, FILE)
    return Recorded("prod", answers, shown=FILE, **fields)


def row(**fields: Any) -> dict[str, Any]:
    return {"id": "capital", "text": "Paris", **fields}


def mistakes_of(folder: Path, *rows: Any) -> str:
    with pytest.raises(FileError) as caught:
        played(folder, *rows)
    return str(caught.value)


def test_an_id_and_a_text_are_enough(tmp_path: Path) -> None:
    assert played(tmp_path, row()).answer_now(request()).text == "Paris"


def test_an_id_and_tool_calls_are_enough(tmp_path: Path) -> None:
    ours = {"id": "capital", "tool_calls": [{"name": "f", "arguments": {"a": 1}}]}
    theirs = {
        "id": "capital",
        "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
    }

    answers = [played(tmp_path, one).answer_now(request()) for one in (ours, theirs)]

    assert [answer.tool_calls for answer in answers] == [(ToolCall(name="f", arguments={"a": 1}),)] * 2


def test_an_answer_keeps_all_but_its_latency(tmp_path: Path) -> None:
    full = row(
        **{"suite": "facts", "repeat": 1, "turn": 1, "arm": "model", "asked": case().asked, "model": "gpt"},
        **{"finish_reason": "stop", "refusal": "no", "usage": {"input_tokens": 9, "output_tokens": 3}},
        **{"latency_s": 0.7, "logprobs": [-0.5], "created": 5.0},
    )

    answer = played(tmp_path, {"schema": "ftgate.answers/1"}, full).answer_now(request())

    assert (answer.text, answer.model, answer.finish_reason, answer.refusal) == ("Paris", "gpt", "stop", "no")
    assert answer.usage == Usage(input_tokens=9, output_tokens=3)
    assert (answer.logprobs, answer.created) == ((-0.5,), 5.0)
    assert (answer.latency_s, answer.source) == (None, "recorded")


def test_a_number_is_an_id_too(tmp_path: Path) -> None:
    assert played(tmp_path, row(id=17)).answer_now(request(id="17")).text == "Paris"


def test_each_repeat_has_its_own_answer(tmp_path: Path) -> None:
    model = played(tmp_path, row(), row(repeat=2, text="Lyon"))

    assert [model.answer_now(request(repeat=n)).text for n in (1, 2)] == ["Paris", "Lyon"]


def test_a_suites_own_answer_goes_before_one_without_suite(tmp_path: Path) -> None:
    model = played(tmp_path, row(), row(suite="facts", text="Lyon"))

    assert model.answer_now(request()).text == "Lyon"


def test_it_plays_the_arm_that_it_stands_for(tmp_path: Path) -> None:
    rows = (row(arm="model", text="new"), row(arm="baseline", text="old"))

    assert played(tmp_path, *rows, arm=Arm.BASELINE).answer_now(request()).text == "old"
    assert played(tmp_path, *rows, arm=Arm.MODEL).answer_now(request()).text == "new"


def test_it_plays_the_arm_that_was_named(tmp_path: Path) -> None:
    rows = (row(arm="model", text="new"), row(arm="baseline", text="old"))

    assert played(tmp_path, *rows, arm=Arm.BASELINE, wanted="model").answer_now(request()).text == "new"


def test_it_plays_the_only_arm_there_is(tmp_path: Path) -> None:
    assert played(tmp_path, row(arm="model"), arm=Arm.BASELINE).answer_now(request()).text == "Paris"


def test_an_arm_that_is_not_in_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        played(tmp_path, row(arm="model"), wanted="baseline")

    assert str(caught.value) == "baselines/prod.jsonl: no answers of 'baseline' in it, only of model"


def test_a_record_is_read_too(tmp_path: Path) -> None:
    trial = {"kind": "trial", "suite": "facts", "case": "capital", "arm": "model", "repeat": 1, "item": "a"}
    answered = {
        **trial,
        "outcome": "passed",
        "completion": {"text": "Paris", "source": "live", "latency_s": 1.0},
    }
    record = [
        {"schema": "ftgate.record/1", "run_id": "r"},
        {"kind": "case", "suite": "facts", "id": "capital", "asked": case().asked},
        answered,
        {**answered, "item": "b"},
        {**trial, "repeat": 2, "outcome": "errored", "error": {"kind": "timeout", "message": "late"}},
        {"kind": "end", "cases": 1, "trials": 3},
    ]

    model = played(tmp_path, *record)

    assert model.answer_now(request()).text == "Paris"
    assert model.remarks() == []
    assert model.missing([request("Capital of Spain?"), request(repeat=2)]) == [
        "evals/facts.evalcase.yaml:3: case 'capital': asked something else when the answer was saved "
        "(prompt, tools or params changed): baselines/prod.jsonl:3",
        "evals/facts.evalcase.yaml:3: case 'capital': no answer for repeat 2 in baselines/prod.jsonl",
    ]


def test_missing_and_changed_answers_are_all_listed(tmp_path: Path) -> None:
    model = played(tmp_path, row(asked="0123456789abcdef"), row(id="same", asked=case().asked))

    assert model.missing([request(), request(id="same"), request(id="other", line=9)]) == [
        "evals/facts.evalcase.yaml:3: case 'capital': asked something else when the answer was saved "
        "(prompt, tools or params changed): baselines/prod.jsonl:1",
        "evals/facts.evalcase.yaml:9: case 'other': no answer in baselines/prod.jsonl",
    ]


def test_a_missing_answer_that_is_asked_for_all_the_same_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        played(tmp_path, row()).answer_now(request(id="other"))

    assert str(caught.value) == "evals/facts.evalcase.yaml:3: case 'other': no answer in baselines/prod.jsonl"
    assert caught.value.kind == "recorded"


def test_rows_without_suite_are_refused_for_an_id_of_two_suites(tmp_path: Path) -> None:
    model = played(tmp_path, row())

    assert model.missing([request(suite="a"), request(suite="b")]) == [
        "baselines/prod.jsonl: the rows of 'capital' need a 'suite': there is such a case in a and b"
    ]


def test_unverified_and_surplus_answers_are_remarked(tmp_path: Path) -> None:
    rows = [row(), row(id="verified", asked=case().asked), *(row(id=f"old{n}") for n in range(7))]
    model = played(tmp_path, *rows)
    model.answer_now(request())
    model.answer_now(request(id="verified"))

    assert model.remarks() == [
        "baselines/prod.jsonl: 1 of 2 answers are unverified: the file does not say what was asked",
        "baselines/prod.jsonl: answers that no selected case needs: 7 (old0, old1, old2, old3, old4, …)",
    ]


def test_all_mistakes_of_a_file_are_listed_with_their_lines(tmp_path: Path) -> None:
    said = mistakes_of(
        tmp_path,
        "{not json",
        [1],
        {"text": "x"},
        {"id": "a"},
        row(id=True),
        row(text=5),
        row(repeat=0),
        row(repeat="1"),
        row(tool_calls={"name": "f"}),
        row(tool_calls=[{"arguments": {}}]),
        row(tool_calls=[{"name": "f", "arguments": [1]}]),
        row(usage={"input_tokens": -1}),
        row(usage=[]),
        row(logprobs=["x"]),
        row(created="now"),
        {"schema": "ftgate.answers/2"},
        '{"id": "a", "text": "x", "logprobs": [NaN]}',
    )

    assert said.splitlines() == [
        f"{FILE}:1:1: not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        f"{FILE}:2:1: a row is a JSON object",
        f"{FILE}:3:1: no 'id'",
        f"{FILE}:4:1: \"a\" has neither 'text' nor 'tool_calls'",
        f"{FILE}:5:1: 'id' is True, not text",
        f"{FILE}:6:1: 'text' is 5, not text",
        f"{FILE}:7:1: 'repeat' is 0, not a whole number from 1",
        f"{FILE}:8:1: 'repeat' is \"1\", not a whole number from 1",
        f"{FILE}:9:1: 'tool_calls' is {{'name': 'f'}}, not a list",
        f"{FILE}:10:1: a tool call is {{'arguments': {{}}}}, not a mapping with 'name' and 'arguments'",
        f'{FILE}:11:1: the arguments of "f" are [1], not a mapping',
        f"{FILE}:12:1: 'input_tokens' is -1, not a whole number from 0",
        f"{FILE}:13:1: 'usage' is [], not a mapping",
        f"{FILE}:14:1: 'logprobs' is ['x'], not a list of numbers",
        f"{FILE}:15:1: 'created' is \"now\", not a number from 0",
        f'{FILE}:16:1: schema "ftgate.answers/2"; this version reads ftgate.answers/1 and ftgate.record/1',
        f"{FILE}:17:1: not JSON: NaN is not JSON",
    ]


def test_an_answer_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    assert (
        played(tmp_path, row(created=1.0, latency_s=1), row(created=2.0)).answer_now(request()).text
        == "Paris"
    )


def test_two_different_answers_of_one_case_are_refused(tmp_path: Path) -> None:
    assert mistakes_of(tmp_path, row(), row(id="b"), row(text="Lyon")) == (
        "baselines/prod.jsonl:3:1: another answer of 'capital' than in line 1"
    )


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        read_answers(Path("/nowhere/prod.jsonl"), FILE)

    assert str(caught.value) == (
        "baselines/prod.jsonl: the saved answers can't be read: No such file or directory"
    )


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prod.jsonl"
    path.write_bytes("déjà".encode("latin-1"))

    with pytest.raises(ConfigError) as caught:
        read_answers(path, FILE)

    assert str(caught.value) == "baselines/prod.jsonl: the saved answers are not UTF-8"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        played(tmp_path, {"schema": "ftgate.answers/1"})

    assert str(caught.value) == "baselines/prod.jsonl: no answers in it"


def test_line_separators_of_unicode_do_not_split_a_row(tmp_path: Path) -> None:
    raw = '{"id": "capital", "text": "a\u2028b\u0085c"}'

    assert played(tmp_path, raw).answer_now(request()).text == "a\u2028b\\x85c"


def test_a_price_makes_a_cost_of_the_saved_tokens(tmp_path: Path) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 500}

    answer = played(tmp_path, row(usage=usage), price=Price(input=2, output=8)).answer_now(request())

    assert answer.cost == pytest.approx(0.006)


def test_the_description_names_the_file_and_the_models_served(tmp_path: Path) -> None:
    assert played(tmp_path, row(model="gpt"), row(id="b", model="gpt-old"), revision="r7").describe() == {
        "name": "prod",
        "kind": "recorded",
        "file": "baselines/prod.jsonl",
        "model": "gpt, gpt-old",
        "revision": "r7",
    }


def test_the_engine_plays_answers_without_a_thread(tmp_path: Path) -> None:
    with CompletionEngine({Arm.MODEL: played(tmp_path, row())}) as engine:
        engine.prefetch([[request()], [request(id="other")]])

        assert engine.progress() == (0, 0)  # nothing to wait for
        assert engine.wait(request(), 0)
        assert engine.result(request()).text == "Paris"
        with pytest.raises(ModelError, match="no answer"):
            engine.result(request(id="other"))
        assert engine._thread is None


def test_remarks_speak_of_all_selected_cases_whoever_plays_their_answers(tmp_path: Path) -> None:
    model = played(tmp_path, row(id="0"), row(id="1"), row(id="2"))

    model.missing(requests(2))

    assert model.remarks() == [
        f"{FILE}: 2 of 2 answers are unverified: the file does not say what was asked",
        f"{FILE}: answers that no selected case needs: 1 (2)",
    ]

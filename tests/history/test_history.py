"""The history as values and as a file: what is kept of a run, and what becomes of damaged lines."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from pytest_ftgate.errors import ConfigError, RecordError
from pytest_ftgate.gates import Assessment, Word, assess
from pytest_ftgate.history import (
    HistoryCriterion,
    HistoryGroup,
    HistoryModel,
    HistoryRate,
    HistoryRun,
    add_to_history,
    history_run,
    past_runs,
    read_history,
)
from pytest_ftgate.record import Record
from tests.reports.samples import CRITERIA, SUITE, assessment, record
from tests.support.hostile import HOSTILE, assert_inert
from tests.support.strategies import records


def decided(word: Word = Word.ITERATE) -> Assessment:
    return assessment(record(SUITE), word, criteria=CRITERIA)


def a_run(run_id: str = "r-1", rate: float = 0.8, **changes: object) -> HistoryRun:
    """A run of one category; its interval reaches ten points to both sides."""
    told = HistoryRate(rate=rate, n=20, interval=(round(rate - 0.1, 3), round(rate + 0.1, 3)))
    made = HistoryRun(
        run_id=run_id,
        started=f"2026-03-02T10:00:00+00:00#{run_id}",
        finished="2026-03-02T10:04:10+00:00",
        verdict="ITERATE",
        models={"model": HistoryModel(name="tuned", revision="step-1")},
        gate="gate-1",
        plan="plan-1",
        confidence=0.95,
        groups=(HistoryGroup(by="category", value="simple", n=20, model=told),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # what dataclasses.replace takes is not known


def test_a_run_is_kept_with_its_verdict_its_criteria_and_its_rates() -> None:
    kept = history_run(decided())

    assert kept is not None
    assert (kept.run_id, kept.verdict, kept.gate) == ("r-1", "ITERATE", "0123456789abcdef")
    assert re.fullmatch("[0-9a-f]{16}", kept.plan)
    assert kept.models == {
        "model": HistoryModel(name="acme/support-8b-lora"),
        "baseline": HistoryModel(name="llama-3.1-8b"),
    }
    assert kept.criteria[0] == HistoryCriterion(
        name="target_task_improvement", status="GO", observed=0.16, n=25
    )
    assert kept.criteria[3].observed is None
    names = [(group.by, group.value) for group in kept.groups]
    assert names == [
        ("all", "all"),
        ("role", "general"),
        ("role", "target"),
        *(("category", name) for name in ("adversarial", "capitals", "edge_case", "simple")),
    ]
    capitals = kept.group("category", "capitals")
    assert capitals is not None
    assert capitals.model is not None
    assert capitals.baseline is not None
    assert (capitals.n, capitals.model.rate, capitals.model.n, capitals.baseline.rate) == (5, 0.6, 5, 0.8)
    # Wilson's interval of 3 of 5.
    assert capitals.model.interval == pytest.approx((0.2307, 0.8824), abs=1e-4)


def test_where_a_case_stands_changes_no_digest_and_what_it_asks_does() -> None:
    def kept(**changes: Any) -> str:
        made = decided()
        cases = [replace(case, **changes) for case in made.record.plan.cases]
        run = history_run(
            replace(made, record=replace(made.record, plan=replace(made.record.plan, cases=tuple(cases))))
        )
        assert run is not None
        return run.plan

    assert kept(line=77, path="moved.evalcase.yaml") == kept()
    assert kept(digest="other") != kept()
    assert kept(repeat=2) != kept()


def test_runs_are_read_in_the_order_of_their_starts(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    for run_id, started in (("b", "2026-03-02"), ("a", "2026-03-01")):
        add_to_history(path, a_run(run_id, started=started))

    assert [run.run_id for run in read_history(path).runs] == ["a", "b"]


def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(RecordError, match="it is not a file"):
        read_history(tmp_path / "fifo")
    assert past_runs(tmp_path / "fifo") == past_runs(tmp_path / "none.jsonl") == past_runs(None) == ()


def test_many_lines_that_are_no_run_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    add_to_history(path, a_run())
    with path.open("a") as file:
        file.write("junk\n" * 50)

    problems = read_history(path).problems

    assert len(problems) == 6
    assert problems[-1] == f"{path}: 45 more lines are left out"


def test_a_verdict_that_speaks_of_a_history_is_none(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    path.write_text('{"schema": "ftgate.report/1", "run_id": "ftgate.history/1"}')

    with pytest.raises(ConfigError, match="holds no history and is left as it is"):
        add_to_history(path, a_run())


def test_a_run_that_is_not_whole_is_not_kept() -> None:
    assert history_run(decided(Word.INCOMPLETE)) is None


@settings(deadline=None)
@given(records())
def test_a_run_comes_back_from_its_line_as_it_was(run: Record) -> None:
    kept = history_run(assess(run))
    if kept is not None:
        assert HistoryRun.from_json(json.loads(json.dumps(kept.as_json(), allow_nan=False))) == kept


def test_runs_are_added_line_by_line_and_read_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / ".ftgate" / "history.jsonl"

    for number in range(3):
        add_to_history(path, a_run(f"r-{number}"))

    history = read_history(path)
    assert [run.run_id for run in history.runs] == ["r-0", "r-1", "r-2"]
    assert history.runs[0] == a_run("r-0")
    assert history.problems == ()
    assert json.loads(path.read_text().splitlines()[0])["schema"] == "ftgate.history/1"
    assert (path.parent / ".gitignore").read_text() == "*\n"


def test_a_run_that_is_decided_again_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    add_to_history(path, a_run())
    add_to_history(path, a_run("r-2"))

    add_to_history(path, a_run(verdict="SHIP"))

    assert [(run.run_id, run.verdict) for run in read_history(path).runs] == [
        ("r-1", "SHIP"),
        ("r-2", "ITERATE"),
    ]


def test_a_torn_last_line_is_named_and_swallows_no_other_run(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    add_to_history(path, a_run())
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:50])

    torn = read_history(path)
    add_to_history(path, a_run("r-2"))
    after = read_history(path)

    assert torn.problems == (
        f"{path}:2: the last line was cut off while it was written: that run is left out",
    )
    assert [run.run_id for run in torn.runs] == ["r-1"]
    assert [run.run_id for run in after.runs] == ["r-1", "r-2"]
    assert after.problems[0].startswith(f"{path}:2: left out: not JSON: ")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("[1]", "left out: a JSON object was expected, not list"),
        (
            '{"schema": "ftgate.history/9"}',
            "left out: its schema is 'ftgate.history/9', 'ftgate.history/1' was expected",
        ),
        ('{"schema": "ftgate.history/1"}', "left out: this run has no 'run_id'"),
        (
            json.dumps({"schema": "ftgate.history/1", **a_run(confidence=95.0).as_json()}),
            "left out: 95.0 is not a share from 0 to 1",
        ),
        (
            json.dumps({"schema": "ftgate.history/1", **a_run().as_json(), "verdict": 3}),
            "left out: its verdict is 3, one of SHIP, ITERATE, INCONCLUSIVE was expected",
        ),
        (
            json.dumps({"schema": "ftgate.history/1", **a_run().as_json(), "confidence": 10**400}),
            "left out: int too large to convert to float",
        ),
        ('{"schema": NaN}', "left out: not JSON: NaN is not a JSON number"),
    ],
)
def test_lines_that_are_no_run_are_named(line: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    add_to_history(path, a_run())
    with path.open("a") as file:
        file.write(f"{line}\n")

    assert read_history(path).problems == (f"{path}:2: {problem}",)


def test_a_file_that_is_no_history_is_said_to_be_none_and_never_added_to(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"question": "Capital of France?"}\n')

    with pytest.raises(RecordError) as unread:
        read_history(path)
    with pytest.raises(ConfigError) as unwritten:
        add_to_history(path, a_run())

    reason = f"{path}:1: left out: its schema is None, 'ftgate.history/1' was expected"
    assert str(unread.value) == f"{path} holds no history: {reason}"
    assert (
        str(unwritten.value)
        == f"{path} holds no history and is left as it is: name another file, or delete it first"
    )
    assert path.read_text() == '{"question": "Capital of France?"}\n'


def test_no_file_is_said_with_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(RecordError) as error:
        read_history(tmp_path / "history.jsonl")

    assert str(error.value) == (
        f"{tmp_path}/history.jsonl is not there: each whole run adds itself to it (see --ftgate-history)"
    )


def test_what_can_not_be_written_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError) as folder:
        add_to_history(tmp_path, a_run())
    with pytest.raises(ConfigError) as beneath:
        add_to_history(tmp_path / "file" / "history.jsonl", a_run())

    assert str(folder.value) == f"can't add this run to the history {tmp_path}: it is not a file"
    assert str(beneath.value).startswith(f"can't add this run to the history {tmp_path}/file/history.jsonl: ")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that share a file")
def test_runs_that_end_together_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    children = []
    for child in range(4):
        process = os.fork()
        if not process:
            for number in range(25):
                add_to_history(path, a_run(f"r-{child}-{number}"))
            os._exit(0)
        children.append(process)
    for process in children:
        assert os.waitpid(process, 0)[1] == 0

    history = read_history(path)

    assert len(history.runs) == 100
    assert history.problems == ()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_holds_nothing_that_a_terminal_obeys(text: str, tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"

    add_to_history(path, a_run(models={"model": HistoryModel(name=text)}))

    assert_inert(path.read_text(encoding="utf-8"))
    assert read_history(path).runs[0].models["model"].name == text

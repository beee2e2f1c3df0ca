"""`ftgate history`, and `ftgate decide --history`: the memory of runs from the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pytest_ftgate.cli import main
from pytest_ftgate.history import add_to_history, read_history
from pytest_ftgate.record import Record, in_shard, record_lines
from tests.history.test_history import a_run
from tests.reports.samples import SUITE, record
from tests.support.rows import unwrapped

HISTORY = Path(".ftgate/history.jsonl")
GATE = {"min_cases": "1", "criteria": {"all": {"metric": "pass_rate", "at_least": "80%"}}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args, prog_name="ftgate")


def judged() -> Record:
    made = record(SUITE)
    return replace(made, run=replace(made.run, gate=GATE))


def save(whole: Record, name: str) -> str:
    Path(name).write_text("".join(f"{row}\n" for row in record_lines(whole)), encoding="utf-8")
    return name


def shard(whole: Record, number: int) -> Record:
    trials = tuple(one for one in whole.trials if in_shard(one.key[:2], (number, 2)))
    return replace(whole, run=replace(whole.run, shard=(number, 2)), trials=trials)


def test_the_history_lies_where_runs_put_it() -> None:
    add_to_history(HISTORY, a_run("a", 0.8, verdict="SHIP"))
    add_to_history(HISTORY, a_run("b", 0.75))

    result = run("history")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "simple  ▅▃     75.0%         -  [70%, 90%]  within  2026-03-02 10:00" in result.stdout
    assert "noise band: the 95% interval of the rate in the last SHIP before the last run" in result.stdout


def test_the_history_of_a_folder_is_found_and_one_nearby_is_named() -> None:
    add_to_history(Path("project") / HISTORY, a_run("a", 0.8))

    named, missing = run("history", "project"), run("history")

    assert (named.exit_code, missing.exit_code) == (0, 2)
    assert "simple  ▅" in named.stdout
    assert unwrapped(missing.stderr) == (
        "ftgate: .ftgate/history.jsonl is not there: each whole run adds itself to the one in pytest's "
        "rootdir (INCOMPLETE runs and parts of runs do not); there is project/.ftgate/history.jsonl\n"
    )


def test_another_file_fewer_runs_and_json() -> None:
    for number in range(3):
        add_to_history(Path("kept.jsonl"), a_run(f"r-{number}"))

    result = run("history", "kept.jsonl", "-n", "1", "--json")

    assert result.exit_code == 0
    assert [one["run_id"] for one in json.loads(result.stdout)["runs"]] == ["r-2"]


def test_lines_that_are_left_out_are_named_beside_the_others() -> None:
    add_to_history(HISTORY, a_run())
    with HISTORY.open("a") as file:
        file.write("{")

    result = run("history")

    assert result.exit_code == 0
    assert unwrapped(result.stderr) == (
        "ftgate: .ftgate/history.jsonl:2: the last line was cut off while it was written: "
        "that run is left out\n"
    )
    assert "tuned step-1" in result.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["none.jsonl"],
            "none.jsonl is not there: each whole run adds itself to it (see --ftgate-history)",
        ),
        (["empty.jsonl"], "empty.jsonl holds no run yet"),
        (["x" * 300], f"{'x' * 300} can't be read: File name too long"),
        (
            ["--category", "simpel"],
            "--category simpel: no run has it; there are simple. Did you mean 'simple'?",
        ),
    ],
)
def test_what_can_not_be_shown_is_said(args: list[str], message: str) -> None:
    add_to_history(HISTORY, a_run())
    Path("empty.jsonl").write_text("")

    result = run("history", *args)

    assert (result.exit_code, result.stdout, unwrapped(result.stderr)) == (2, "", f"ftgate: {message}\n")


def test_decided_shards_are_one_run_of_the_history_and_one_shard_is_none() -> None:
    whole = judged()
    names = [save(shard(whole, number), f"{number}.jsonl") for number in (1, 2)]

    result = run("decide", *names, "--history", "kept.jsonl")

    assert result.exit_code == 0
    assert [(one.run_id, one.verdict) for one in read_history(Path("kept.jsonl")).runs] == [("r-1", "SHIP")]


def test_a_run_that_is_not_whole_is_not_added() -> None:
    whole = judged()

    run("decide", save(replace(whole, trials=whole.trials[1:]), "run.jsonl"), "--history", "kept.jsonl")

    assert not Path("kept.jsonl").exists()


def test_a_history_that_can_not_be_written_leaves_the_verdict_of_decide() -> None:
    Path("kept.jsonl").write_text("facts\n")

    result = run("decide", save(judged(), "run.jsonl"), "--history", "kept.jsonl")

    assert result.exit_code == 0
    assert unwrapped(result.stderr) == (
        "ftgate: kept.jsonl holds no history and is left as it is: name another file, or delete it first\n"
    )

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pytest_ftgate import __version__
from pytest_ftgate.cli import main
from pytest_ftgate.gates import assess
from pytest_ftgate.record import Record, in_shard, record_lines
from pytest_ftgate.reports.json_report import incomplete_verdict_json, json_text, report_json, verdict_json
from pytest_ftgate.reports.lines import plain_text
from pytest_ftgate.reports.terminal import render_terminal
from tests.reports.samples import SUITE, Category, assessment, record

# One criterion that SUITE meets (92 % of 25), and one that it misses.
TARGET = {"metric": "pass_rate", "role": "target"}
GENERAL = {"metric": "pass_rate", "role": "general", "at_least": "50%", "min_cases": "1"}
MET = {"criteria": {"target": {**TARGET, "at_least": "90%"}, "general": GENERAL}}
MISSED = {"criteria": {"target": {**TARGET, "at_least": "95%"}, "general": GENERAL}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Result:
    # As in a pipe: where COLUMNS says how wide lines may be, messages are wrapped.
    return CliRunner(env={"COLUMNS": None}).invoke(main, args, prog_name="ftgate")


def judged(gate: Mapping[str, object] = MET, categories: Sequence[Category] = SUITE) -> Record:
    made = record(categories)
    return replace(made, run=replace(made.run, gate=gate))


def save(whole: Record, name: str = "run.jsonl") -> str:
    Path(name).write_text("".join(f"{row}\n" for row in record_lines(whole)), encoding="utf-8")
    return name


def write_verdict(**changes: object) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    content = verdict_json(assessment(record(SUITE))) | {"finished": now} | changes
    Path(".ftgate").mkdir(exist_ok=True)
    Path(".ftgate/verdict.json").write_text(json_text(content), encoding="utf-8")


def ago(**span: int) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat(timespec="seconds")


# --- ftgate


def test_the_version_is_the_packages() -> None:
    result = run("--version")

    assert (result.exit_code, result.stdout) == (0, f"ftgate {__version__}\n")


def test_help_lists_the_commands() -> None:
    result = run("-h")

    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.stdout for name in ("decide", "schema", "verify"))


def test_importing_the_command_line_stays_light() -> None:
    code = "import sys, pytest_ftgate.cli; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ("pytest", "yaml", "openai", "aiohttp", "jsonschema", "numpy", "sacrebleu", "rapidfuzz", "regex")

    found = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"


# --- ftgate verify


def test_verify_wants_to_know_which_run() -> None:
    write_verdict()

    result = run("verify")

    assert result.exit_code == 2
    assert result.stderr.endswith(
        "Error: Say which run is meant: --run-id ID, or --max-age AGE (such as 2h), or both.\n"
    )


@pytest.mark.parametrize("more", [[], ["--max-age", "2h"]])
def test_an_empty_run_id_is_refused_rather_than_demanded_of_nothing(more: list[str]) -> None:
    """`--run-id "$RUN_ID"` with an unset variable must not weaken the check."""
    write_verdict(run_id="")

    result = run("verify", "--run-id", "", *more)

    assert result.exit_code == 2
    assert result.stderr.endswith(
        "Error: --run-id is empty: a variable that is not set? Give the run's id, or leave it out.\n"
    )


def test_verify_lets_a_ship_of_the_run_through() -> None:
    write_verdict(finished="2026-03-02T10:04:10+00:00")

    result = run("verify", "--run-id", "r-1")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "SHIP: run r-1, ended 2026-03-02T10:04:10+00:00\n"


def test_verify_reads_the_path_it_is_given_and_a_json_report_too() -> None:
    Path("report.json").write_text(json_text(report_json(assessment(record(SUITE)))), encoding="utf-8")

    assert run("verify", "report.json", "--run-id", "r-1").exit_code == 0


@pytest.mark.parametrize(
    ("changes", "args", "message"),
    [
        ({}, ["--run-id", "r-2"], "The verdict is of run 'r-1', not of run 'r-2'."),
        (
            {"finished": ago(days=1, hours=3, minutes=5)},
            ["--max-age", "2h"],
            "The verdict is 1 d 3 h old; at most 2 h is allowed.",
        ),
        (
            {"verdict": "ITERATE", "sentence": "c is NO-GO"},
            ["--run-id", "r-1"],
            "The verdict is ITERATE: c is NO-GO.",
        ),
    ],
)
def test_verify_refuses_in_one_sentence(changes: dict[str, object], args: list[str], message: str) -> None:
    write_verdict(**changes)

    result = run("verify", *args)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"ftgate: {message}\n"


def test_verify_refuses_without_a_file_and_with_garbage() -> None:
    missing = run("verify", "--run-id", "r-1")
    Path("broken.json").write_bytes(b"\x00\x1b[2J")
    broken = run("verify", "broken.json", "--run-id", "r-1")

    assert (missing.exit_code, missing.stderr) == (
        1,
        "ftgate: There is no verdict file .ftgate/verdict.json: the run did not start, or wrote elsewhere.\n",
    )
    assert (broken.exit_code, broken.stderr) == (
        1,
        "ftgate: broken.json is not a verdict file: it holds no sound JSON.\n",
    )


def test_verify_refuses_a_run_that_has_not_ended() -> None:
    Path("verdict.json").write_text(
        json_text(incomplete_verdict_json("r-1", "the run has not finished", ago()))
    )

    result = run("verify", "verdict.json", "--run-id", "r-1")

    assert (result.exit_code, result.stderr) == (
        1,
        "ftgate: The verdict is INCOMPLETE: the run has not finished.\n",
    )


@pytest.mark.parametrize("age", ["90m", "2h", "1d", "1h30m", "7200s"])
def test_ages_are_numbers_with_units(age: str) -> None:
    write_verdict()

    assert run("verify", "--max-age", age).exit_code == 0


@pytest.mark.parametrize(
    ("age", "message"),
    [
        ("2", "'2' is not a length of time; write such as 90s, 30m, 2h or 1d"),
        ("2 hours", "'2 hours' is not a length of time; write such as 90s, 30m, 2h or 1d"),
        ("-1h", "'-1h' is not a length of time; write such as 90s, 30m, 2h or 1d"),
        ("9999999999d", "'9999999999d' is not a length of time; write such as 90s, 30m, 2h or 1d"),
        ("0h", "'0h' is no time at all; write such as 90s, 30m, 2h or 1d"),
    ],
)
def test_an_age_that_is_none_is_wrong_use(age: str, message: str) -> None:
    write_verdict()

    result = run("verify", f"--max-age={age}")

    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: Invalid value for '--max-age': {message}\n")


def test_verify_compares_the_gates_digest() -> None:
    Path("ftgate.yaml").write_text("gate: {max_errors: 1}\n")
    Path("other.yaml").write_text("gate: {max_errors: 2}\n")
    ours = replace(judged(), run=replace(judged().run, gate={"max_errors": "1"}))
    digest = assess(ours).gate.digest
    write_verdict(gate={"digest": digest, "options": []})

    same = run("verify", "--run-id", "r-1", "--gate", "ftgate.yaml")
    other = run("verify", "--run-id", "r-1", "--gate", "other.yaml")

    assert (same.exit_code, same.stderr) == (0, "")
    assert other.exit_code == 1
    assert other.stderr.startswith(
        f"ftgate: The run was judged by another gate than other.yaml: digest '{digest}', not '"
    )


def test_a_gate_that_can_not_be_read_is_wrong_use() -> None:
    Path("ftgate.yaml").write_text("gate: {max_erors: 1}\n")
    write_verdict()

    result = run("verify", "--run-id", "r-1", "--gate", "ftgate.yaml")

    assert result.exit_code == 2
    assert "max_errors" in result.stderr


# --- ftgate decide


def test_decide_prints_the_report_of_a_record_that_ships() -> None:
    result = run("decide", save(judged()))

    assert result.exit_code == 0, result.stderr
    assert result.stdout == plain_text(render_terminal(assess(judged()), width=80))
    assert "\nSHIP: " in result.stdout
    assert "\x1b" not in result.stdout


def test_decide_exits_1_for_any_other_verdict() -> None:
    whole = judged()

    missed = run("decide", save(judged(MISSED)))
    incomplete = run("decide", save(replace(whole, trials=whole.trials[1:])))

    assert (missed.exit_code, incomplete.exit_code) == (1, 1)
    assert "\nITERATE: " in missed.stdout
    assert "\nINCOMPLETE: " in incomplete.stdout


def test_decide_judges_by_another_gate_and_says_so() -> None:
    Path("strict.yaml").write_text(json.dumps({"gate": MISSED}))

    result = run("decide", save(judged()), "--ftgate-config", "strict.yaml")

    assert result.exit_code == 1
    assert result.stdout.startswith("Judged by the gate in strict.yaml, not by the one in the record.\n\n")


def test_decide_writes_what_it_is_asked_for() -> None:
    args = ("--verdict", "out/verdict.json", "--report", "out/report.json", "--report", "out/again.jsonl")

    result = run("decide", save(judged()), *args)

    assert result.exit_code == 0, result.stderr
    assert json.loads(Path("out/verdict.json").read_text()) == verdict_json(assess(judged()))
    assert json.loads(Path("out/report.json").read_text()) == report_json(assess(judged()))
    assert Path("out/again.jsonl").read_text() == Path("run.jsonl").read_text()
    assert run("verify", "out/verdict.json", "--run-id", "r-1").exit_code == 0


def test_shards_decide_like_the_whole_run() -> None:
    whole = judged()
    names = []
    for number in (1, 2, 3):
        trials = tuple(trial for trial in whole.trials if in_shard(trial.key[:2], (number, 3)))
        shard = replace(whole, trials=trials, run=replace(whole.run, shard=(number, 3)))
        names.append(save(shard, f"shard-{number}.jsonl"))

    result = run("decide", *reversed(names), "--verdict", "verdict.json")

    assert result.exit_code == 0, result.stderr
    assert json.loads(Path("verdict.json").read_text()) == verdict_json(assess(whole))
    missing = run("decide", *names[:2])
    assert (missing.exit_code, missing.stderr) == (
        2,
        "ftgate: these records can't be judged together: shard 3 of 3 is missing\n",
    )


def unreadable() -> str:
    return "nowhere.jsonl"


def cut_off() -> str:
    name = save(judged())
    Path(name).write_text(Path(name).read_text()[:-200])
    return name


def binary() -> str:
    Path("run.jsonl").write_bytes(b"\xff\x00\x1b[2J")
    return "run.jsonl"


@pytest.mark.parametrize("made", [unreadable, cut_off, binary])
def test_a_record_that_can_not_be_read_is_named_and_leaves_no_ship_behind(made: Callable[[], str]) -> None:
    write_verdict()
    name = made()

    result = run("decide", name, "--verdict", ".ftgate/verdict.json")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"ftgate: {name}")
    assert "\x1b" not in result.stderr
    verdict = json.loads(Path(".ftgate/verdict.json").read_text())
    assert verdict["verdict"] == "INCOMPLETE"
    assert f"ftgate: {verdict['sentence']}\n" == result.stderr
    assert run("verify", "--max-age", "1d").exit_code == 1


def test_records_that_can_not_be_judged_together_leave_no_ship_behind_and_say_why_not() -> None:
    names = [
        save(
            replace(judged(), run=replace(judged().run, shard=(number, 3), run_id=run_id)), f"{number}.jsonl"
        )
        for number, run_id in ((1, "run-1"), (2, "yesterday"))
    ]
    write_verdict()
    Path("old.json").write_text(Path(".ftgate/verdict.json").read_text())

    result = run("decide", *names, "--verdict", ".ftgate/verdict.json", "--report", "old.json")

    assert result.exit_code == 2
    told = [line.removeprefix("ftgate: ") for line in result.stderr.splitlines()]
    assert told[:3] == [
        "these records can't be judged together:",
        "- their run ids differ: run-1 (shard 1), yesterday (shard 2)",
        "- shard 3 of 3 is missing",
    ]
    for path in (".ftgate/verdict.json", "old.json"):
        content = json.loads(Path(path).read_text())
        assert (content["verdict"], content["reasons"]) == ("INCOMPLETE", told)
        assert run("verify", path, "--max-age", "1d").exit_code == 1


def test_all_records_that_can_not_be_read_are_named() -> None:
    result = run("decide", "a.jsonl", save(judged()), "b.jsonl")

    assert result.stderr.splitlines() == [
        "ftgate: a.jsonl can't be read: No such file or directory",
        "ftgate: b.jsonl can't be read: No such file or directory",
    ]


def test_without_a_record_an_older_verdict_does_not_stay() -> None:
    write_verdict()

    assert run("decide", "--verdict", ".ftgate/verdict.json").exit_code == 2
    assert run("verify", "--max-age", "1d").exit_code == 1


def test_a_missing_record_is_said_to_be_missing() -> None:
    assert (
        run("decide", "nowhere.jsonl").stderr
        == "ftgate: nowhere.jsonl can't be read: No such file or directory\n"
    )


def test_a_report_of_an_unknown_suffix_is_refused_before_anything_is_written() -> None:
    result = run("decide", save(judged()), "--verdict", "verdict.json", "--report", "r.docx")

    assert (result.exit_code, result.stderr) == (
        2,
        "ftgate: report r.docx: there is no report of suffix '.docx'; "
        "use one of .json, .jsonl, .md, .html, .csv.\n",
    )
    assert not Path("verdict.json").exists()


def test_a_record_is_never_written_over() -> None:
    name = save(judged())
    before = Path(name).read_text()

    result = run("decide", name, "--report", f"./{name}")

    assert (result.exit_code, result.stderr) == (
        2,
        "ftgate: run.jsonl is named twice: a file can't be read and written, or written twice\n",
    )
    assert Path(name).read_text() == before


def test_decide_without_a_record_is_wrong_use() -> None:
    result = run("decide")

    assert result.exit_code == 2
    assert result.stderr == (
        "ftgate: no record is named: name the .jsonl files that --ftgate-report or --ftgate-shard wrote\n"
    )


def test_quiet_and_verbose_are_heard() -> None:
    name = save(judged(MISSED, [Category("simple", both=20, regressed=7), SUITE[3]]))

    quiet, verbose = run("decide", "-q", name), run("decide", "-v", name)

    assert quiet.stdout.split()[0] == "NO-GO"
    assert quiet.stdout.splitlines()[-1].startswith(("ITERATE: ", "  "))
    assert verbose.stdout.count("::simple-") == 7


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_output_that_lacks_signs_gets_escapes(encoding: str) -> None:
    name = save(judged())
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONIOENCODING": encoding,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }

    found = subprocess.run(
        [sys.executable, "-c", "from pytest_ftgate.cli import main; main()", "decide", name],
        capture_output=True,
        env=env,
        check=False,
    )

    assert (found.returncode, found.stderr) == (0, b"")
    assert b">= 90%" in found.stdout


# --- ftgate schema


def test_the_schema_is_printed_or_written() -> None:
    printed = run("schema")
    written = run("schema", "--output", "deep/ftgate.schema.json")

    assert (printed.exit_code, written.exit_code, written.stdout) == (0, 0, "")
    assert "suite" in json.loads(printed.stdout)["properties"]
    assert Path("deep/ftgate.schema.json").read_text(encoding="utf-8") == printed.stdout

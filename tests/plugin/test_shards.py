"""Shards over CI jobs: each runs its cases, and together they are judged as one run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pytest_ftgate.cli import main
from pytest_ftgate.record import Record, parse_record
from tests.plugin.conftest import GATE, Project
from tests.support.shards import settled, write_project

GOOD, BAD = "--model=python:bots:good", "--model=python:bots:bad"
RUN = "--ftgate-run-id=ci-7"
SAVED = ("--model=recorded:answers.jsonl", "--baseline=recorded:answers.jsonl")


@pytest.fixture
def saved(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with answers of both arms, and all that a verdict may hold."""
    write_project(pytester.path)
    monkeypatch.chdir(pytester.path)
    return Project(pytester)


def record_of(project: Project, number: int, of: int) -> Record:
    path = project.pytester.path / f"ftgate-shard-{number}-of-{of}.jsonl"
    return parse_record(path.read_text(encoding="utf-8").splitlines(), path.name)


def decide(project: Project, *args: str) -> Result:
    records = sorted(str(path) for path in project.pytester.path.glob("ftgate-shard-*.jsonl"))
    return CliRunner(env={"COLUMNS": None}).invoke(
        main, ["decide", *(args or records), *OUTPUT], prog_name="ftgate"
    )


OUTPUT = ("--verdict=.ftgate/verdict.json", "--report=decided.json")


def shard(number: int, of: int) -> str:
    return f"--ftgate-shard={number}/{of}"


# --- like one machine


def compare(project: Project, *args: str, of: int, workers: tuple[int, ...] = ()) -> dict[str, Any]:
    """Runs all at once and in shards, and asserts that verdict and report have the same bytes."""
    whole = project.run(*args, RUN, "--ftgate-report=whole.json")
    one = settled(project.pytester.path / ".ftgate" / "verdict.json")
    ended = []
    for number in range(1, of + 1):
        spread = ("-n2",) if number in workers else ()
        run = project.run_apart if spread else project.run
        ended.append(run(*args, RUN, shard(number, of), *spread))

    result = decide(project)

    assert [each.ret for each in ended] == [0] * of
    assert (result.exit_code, result.stderr) == (int(whole.ret), "")
    assert settled(project.pytester.path / ".ftgate" / "verdict.json") == one
    assert settled(project.pytester.path / "decided.json") == settled(project.pytester.path / "whole.json")
    return project.verdict


def test_five_shards_give_the_bytes_of_one_machine(saved: Project) -> None:
    verdict = compare(saved, *SAVED, of=5)

    assert verdict["verdict"] == "SHIP"
    assert verdict["plan"]["skipped"][0]["id"] == "peru"
    assert verdict["warnings"] == [
        "answers.jsonl: 13 of 13 answers are unverified: the file does not say what was asked",
        "answers.jsonl: answers that no selected case needs: 2 (atlantis, zembla)",
        "model and baseline are both 'recorded:answers.jsonl': an A/A run, "
        "which compares a model with itself",
        "2 errored trials within max_errors: 2, counted as failed by the model and passed by the baseline",
    ]


def test_workers_in_some_shards_make_no_difference(saved: Project) -> None:
    assert compare(saved, *SAVED, of=3, workers=(1, 3))["verdict"] == "SHIP"


def test_shards_without_a_case_make_no_difference(saved: Project) -> None:
    assert compare(saved, *SAVED, of=9)["mode"] == "recorded"
    assert not all(record_of(saved, number, 9).trials for number in range(1, 10))


def test_a_gate_that_is_not_met_is_not_met_in_shards(saved: Project) -> None:
    path = saved.pytester.path / "ftgate.yaml"
    path.write_text(path.read_text().replace("60%", "95%"))

    assert compare(saved, *SAVED, of=3)["verdict"] == "ITERATE"


def test_more_errors_than_allowed_in_all_shards_together_are_incomplete(saved: Project) -> None:
    path = saved.pytester.path / "ftgate.yaml"
    path.write_text(path.read_text().replace("max_errors: 2", "max_errors: 1"))
    for number in (1, 2):
        saved.run(*SAVED, RUN, shard(number, 2))

    assert decide(saved).exit_code == 1
    assert saved.verdict["verdict"] == "INCOMPLETE"


def test_balanced_shards_give_the_bytes_of_one_machine(saved: Project) -> None:
    saved.write(
        "bots.py",
        "def slow(prompt):\n    return {'text': 'Rome', 'latency_s': 9.0 if 'Italy' in prompt else 0.1}\n",
    )
    saved.run("--model=python:bots:slow", "--ftgate-report=before/run.jsonl")
    durations = "--ftgate-shard-durations=before/run.jsonl"
    whole = saved.run(*SAVED, RUN, "--ftgate-report=whole.json")
    one = settled(saved.pytester.path / ".ftgate" / "verdict.json")

    first = saved.run(*SAVED, RUN, shard(1, 2), durations)
    second = saved.run_apart(*SAVED, RUN, shard(2, 2), durations, "-n2")

    assert (whole.ret, first.ret, second.ret) == (0, 0, 0)
    first.stdout.fnmatch_lines(["ftgate: shard 1 of 2 has 1 of 12 cases, balanced by run.jsonl"])
    assert {trial.key.case for trial in record_of(saved, 1, 2).trials} == {"italy"}
    assert decide(saved).exit_code == 0
    assert settled(saved.pytester.path / ".ftgate" / "verdict.json") == one
    assert settled(saved.pytester.path / "decided.json") == settled(saved.pytester.path / "whole.json")


# --- one shard


def test_a_shard_runs_its_cases_and_says_what_to_do_next(project: Project) -> None:
    result = project.run(GOOD, RUN, shard(1, 2))

    assert result.ret == 0
    result.assert_outcomes(passed=2, deselected=2)
    result.stdout.fnmatch_lines(
        [
            "ftgate: model python:bots:good (python)",
            "ftgate: shard 1 of 2 of run ci-7",
            "ftgate: shard 1 of 2 has 2 of 4 cases, by their names",
            "model python:bots:good; shard 1 of 2",
            "INCOMPLETE: shard 1 of 2: `ftgate decide` judges the shards together",
            "ftgate: this shard's record is ftgate-shard-1-of-2.jsonl; with those of all 2:",
            "  ftgate decide ftgate-shard-*-of-2.jsonl",
        ]
    )
    assert "all 2:\n  ftgate decide" in result.stdout.str()
    assert "right" not in result.stdout.str()
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert project.verdict["reasons"] == ["shard 1 of 2: `ftgate decide` judges the shards together"]
    assert project.verdict["plan"]["cases"] == 4


def test_a_miss_in_a_whole_shard_does_not_fail_its_job(project: Project) -> None:
    results = [project.run(BAD, RUN, shard(number, 2), "--junitxml=junit.xml") for number in (1, 2)]

    assert [result.ret for result in results] == [0, 0]
    assert sum(result.parseoutcomes().get("missed", 0) for result in results) == 1
    assert "ftgate" not in re.findall(r'classname="(\w+)"', (project.pytester.path / "junit.xml").read_text())


def test_a_required_verdict_is_not_asked_of_a_whole_shard(project: Project) -> None:
    result = project.run(GOOD, RUN, shard(1, 2), "--ftgate-require-verdict")

    assert result.ret == 0
    assert "ftgate::verdict" not in result.stdout.str()


def test_only_decide_adds_to_the_step_summary(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.chdir(project.pytester.path)
    for number in (1, 2):
        project.run(GOOD, RUN, shard(number, 2))
    assert not summary.exists()

    assert decide(project).exit_code == 0
    assert summary.read_text().startswith("\n## ✅ SHIP\n")


def test_an_ordinary_failure_fails_every_shard_since_every_shard_runs_it(project: Project) -> None:
    project.write("test_plain.py", "def test_plain(): assert False\n")

    results = [project.run(GOOD, RUN, shard(number, 2)) for number in (1, 2)]

    assert [result.ret for result in results] == [1, 1]
    assert [result.parseoutcomes()["failed"] for result in results] == [1, 1]
    assert project.run(GOOD, RUN, shard(1, 2), "-m", "eval_case").ret == 0
    assert not project.verdict["plan"]["left_out"]


def test_all_items_of_a_case_stay_together(saved: Project) -> None:
    for number in range(1, 6):
        saved.run(*SAVED, RUN, shard(number, 5))

    records = [record_of(saved, number, 5) for number in range(1, 6)]
    keys = [{trial.key[:2] for trial in record.trials} for record in records]

    assert len({record.plan.digest for record in records}) == 1
    assert sum(map(len, keys)) == len(set().union(*keys)) == 11
    assert (
        max(
            len({trial.key.item for trial in record.trials if trial.key.case == "italy"})
            for record in records
        )
        == 4
    )


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_shard_without_a_case_ends_well_and_ships_nothing(
    project: Project, workers: tuple[str, ...]
) -> None:
    result = project.run_apart(GOOD, RUN, shard(2, 5), *workers)

    assert result.ret == 0
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert record_of(project, 2, 5).trials == ()
    if not workers:
        result.stdout.fnmatch_lines(["ftgate: shard 2 of 5 has 0 of 4 cases, by their names"])


def test_a_shard_of_a_run_without_any_case_fails(empty_project: Project) -> None:
    result = empty_project.run(GOOD, RUN, shard(2, 5))

    assert result.ret == 1
    assert empty_project.verdict["reasons"][0] == "nothing was planned: no eval case was found"


def test_a_selection_that_leaves_a_shard_nothing_is_no_success(project: Project) -> None:
    result = project.run(GOOD, RUN, shard(1, 2), "-k", "nowhere")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "narrowed" in project.verdict["sentence"]


def test_a_selection_narrows_every_shard(project: Project) -> None:
    results = [
        project.run(GOOD, RUN, shard(number, 2), "-k", "france or spain or italy") for number in (1, 2)
    ]

    assert sum(result.parseoutcomes().get("passed", 0) for result in results) == 3
    assert all(record_of(project, number, 2).plan.left_out for number in (1, 2))
    assert decide(project).exit_code == 1
    assert project.verdict["sentence"].startswith("narrowed: left out before the start: evals/capitals")


def test_last_failed_runs_what_failed_in_this_shard(project: Project) -> None:
    of_france = next(n for n in (1, 2) if "france" in project.run(GOOD, RUN, shard(n, 2), "-v").stdout.str())
    project.pytester.runpytest(BAD, RUN, shard(of_france, 2))

    result = project.pytester.runpytest(BAD, RUN, shard(of_france, 2), "--lf")

    result.assert_outcomes(failed=1)
    assert "narrowed" in project.verdict["sentence"]


def test_collect_only_shows_the_cases_of_the_shard_and_needs_no_run_id(project: Project) -> None:
    shown = [project.run(GOOD, shard(number, 2), "--collect-only", "-q").stdout.str() for number in (1, 2)]

    assert sorted(re.findall(r"yaml::(\w+)", "".join(shown))) == ["france", "italy", "japan", "spain"]
    assert not (project.pytester.path / ".ftgate").exists()


def test_a_shard_of_one_is_judged_by_decide_too(project: Project) -> None:
    project.run(GOOD, RUN, shard(1, 1))

    assert project.verdict["verdict"] == "INCOMPLETE"
    assert (
        CliRunner(env={"COLUMNS": None})
        .invoke(main, ["decide", str(project.pytester.path / "ftgate-shard-1-of-1.jsonl")])
        .exit_code
        == 0
    )


def test_a_report_of_its_own_name_is_the_record(project: Project) -> None:
    result = project.run(
        GOOD, RUN, shard(1, 2), "--ftgate-report=out/part.jsonl", "--ftgate-report=part.json"
    )

    result.stdout.fnmatch_lines(
        [
            "ftgate: this shard's record is out/part.jsonl; with those of all 2:",
            "  ftgate decide RECORD...",
        ]
    )
    assert not list(project.pytester.path.glob("ftgate-shard-*"))


def test_without_a_model_a_shard_is_not_gated(project: Project) -> None:
    result = project.run(RUN, shard(1, 2))

    result.assert_outcomes(skipped=2, deselected=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["ftgate: not gated: 4 eval cases and no model; name one with --model=NAME"])


def test_shards_of_one_folder_are_gone_on_with_one_by_one(project: Project) -> None:
    project.write(
        "asked.py",
        "def count(prompt):\n    open('asked.txt', 'a').write(prompt + '\\n')\n    return 'x'\n",
    )
    project.write("ftgate.yaml", GATE + "models: {m: {python: 'asked:count', revision: one}}\n")
    for number in (1, 2, 2):
        project.run("--model=m", RUN, shard(number, 2))

    assert len((project.pytester.path / "asked.txt").read_text().splitlines()) == 6


# --- wrong use


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("0/5", "of 5 shards the first is 1 and the last 5"),
        ("6/5", "of 5 shards the first is 1 and the last 5"),
        ("2", "write which shard, and of how many, as in 2/5"),
        ("", "write which shard, and of how many, as in 2/5"),
        ("/", "write which shard, and of how many, as in 2/5"),
        ("a/b", "write which shard, and of how many, as in 2/5"),
        ("-1/5", "write which shard, and of how many, as in 2/5"),
        ("1/5/5", "write which shard, and of how many, as in 2/5"),
        ("²/5", "write which shard, and of how many, as in 2/5"),
        ("2/0", "the number of shards is from 1 to 1000"),
        ("1/1001", "the number of shards is from 1 to 1000"),
        ("1/9999999999999999", "write which shard, and of how many, as in 2/5"),
    ],
)
def test_a_shard_that_is_none_is_refused(project: Project, text: str, wrong: str) -> None:
    result = project.run(GOOD, RUN, f"--ftgate-shard={text}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --ftgate-shard={text}: {wrong}"])
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_shard_without_a_run_id_is_refused_before_anything_is_asked(project: Project) -> None:
    result = project.run(GOOD, shard(2, 5))

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --ftgate-shard=2/5: all shards need one --ftgate-run-id or $FTGATE_RUN_ID",
        ]
    )


def test_the_environment_may_name_the_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTGATE_RUN_ID", "from-ci")

    assert project.run(GOOD, shard(2, 2)).ret == 0
    assert record_of(project, 2, 2).run.run_id == "from-ci"


def test_durations_without_a_shard_are_refused(project: Project) -> None:
    result = project.run(GOOD, "--ftgate-shard-durations=run.jsonl")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --ftgate-shard-durations=run.jsonl is for shards: add --ftgate-shard=N/M, or leave it out"]
    )


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_durations_that_can_not_be_read_are_refused(project: Project, workers: tuple[str, ...]) -> None:
    project.write("run.jsonl", '{"schema": "other/1"}\n')

    damaged = project.run_apart(GOOD, RUN, shard(1, 2), "--ftgate-shard-durations=run.jsonl", *workers)
    missing = project.run_apart(GOOD, RUN, shard(1, 2), "--ftgate-shard-durations=nowhere.jsonl", *workers)

    assert (damaged.ret, missing.ret) == (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.USAGE_ERROR)
    damaged.stderr.fnmatch_lines(
        ["ERROR: --ftgate-shard-durations: run.jsonl:1: not a record that this version reads: *"]
    )
    missing.stderr.fnmatch_lines(
        ["ERROR: --ftgate-shard-durations: nowhere.jsonl can't be read: No such file or directory"]
    )


def test_durations_that_measured_nothing_are_said_and_passed_over(saved: Project) -> None:
    saved.run(*SAVED, "--ftgate-report=before.jsonl")

    results = [
        saved.run(*SAVED, RUN, shard(number, 2), "--ftgate-shard-durations=before.jsonl") for number in (1, 2)
    ]

    results[0].stdout.fnmatch_lines(
        ["ftgate: shard 1 of 2 has * of 12 cases, by their names: before.jsonl has no times of them"]
    )
    assert decide(saved).exit_code == 0


# --- saved answers


def test_a_shard_misses_only_the_answers_to_its_own_cases(project: Project) -> None:
    project.run(GOOD, RUN, shard(1, 2))
    ours = {trial.key.case for trial in record_of(project, 1, 2).trials}
    project.write("answers.jsonl", "".join(f'{{"id": "{case}", "text": "x"}}\n' for case in ours))

    results = [project.run("--model=recorded:answers.jsonl", RUN, shard(number, 2)) for number in (1, 2)]

    assert [result.ret for result in results] == [0, pytest.ExitCode.USAGE_ERROR]
    assert results[1].stderr.str().count("no answer in answers.jsonl") == 2


def test_rows_that_stand_for_cases_of_two_shards_are_refused_in_both(project: Project) -> None:
    project.write(
        "evals/more.evalcase.yaml", "suite: zoo\ncases:\n- {id: france, prompt: Hi?, expect: Paris}\n"
    )
    names = ("france", "italy", "spain", "japan")
    project.write("answers.jsonl", "".join(f'{{"id": "{name}", "text": "Paris"}}\n' for name in names))

    results = [project.run("--model=recorded:answers.jsonl", RUN, shard(number, 5)) for number in range(1, 6)]

    refused = [
        number for number, result in enumerate(results, 1) if result.ret == pytest.ExitCode.USAGE_ERROR
    ]
    assert len(refused) == 2
    results[refused[0] - 1].stderr.fnmatch_lines(
        [
            "ERROR: answers.jsonl: the rows of 'france' need a 'suite': "
            "there is such a case in capitals and zoo"
        ]
    )


def test_the_json_of_a_shards_report_has_its_cases_only(project: Project) -> None:
    project.run(GOOD, RUN, shard(1, 2), "--ftgate-report=part.json")

    content = json.loads((project.pytester.path / "part.json").read_text())

    assert len(content["cases"]) == 2
    assert (content["verdict"], content["plan"]["cases"]) == ("INCOMPLETE", 4)


def test_all_paths_of_a_record_fit_another_folder(project: Project) -> None:
    project.run(GOOD, RUN, shard(1, 2))

    assert str(project.pytester.path) not in Path("ftgate-shard-1-of-2.jsonl").read_text()

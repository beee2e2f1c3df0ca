"""Whole runs add themselves to the history, once, and nothing that goes wrong there changes a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_ftgate.history import HistoryRun, read_history
from tests.plugin.conftest import Project

GOOD = ("--model=python:bots:good", "--baseline=python:bots:bad")


def runs(project: Project, name: str = ".ftgate/history.jsonl") -> list[HistoryRun]:
    return list(read_history(project.pytester.path / name).runs)


def test_each_whole_run_is_a_line(project: Project) -> None:
    project.run(*GOOD, "--ftgate-run-id=one")
    project.run("--model=python:bots:bad", "--ftgate-run-id=two")

    first, second = runs(project)

    assert (first.run_id, first.verdict, first.models["baseline"].name) == ("one", "SHIP", "python:bots:bad")
    assert first.gate == second.gate
    assert first.is_comparable(second)  # the second had no baseline, but the model's cases are the same
    everything = second.group("all", "all")
    assert everything is not None
    assert everything.model is not None
    assert (everything.model.rate, everything.baseline) == (0.75, None)


@pytest.mark.parametrize(
    "args",
    [
        ("-k", "italy", *GOOD),
        ("--model=python:bots:broken",),
        ("--ftgate-shard=1/2", "--ftgate-run-id=x", *GOOD),
        ("--ftgate-history=off", *GOOD),
        ("-o", "ftgate_history=off", *GOOD),
        (),
    ],
)
def test_narrowed_broken_and_sharded_runs_are_not_kept_nor_any_with_off(
    project: Project, args: tuple[str, ...]
) -> None:
    project.run(*args)

    assert not (project.pytester.path / ".ftgate/history.jsonl").exists()


def test_another_path_by_option_and_ini(project: Project) -> None:
    project.run(*GOOD, "--ftgate-history=kept/a.jsonl")
    project.run(*GOOD, "-o", "ftgate_history=kept/b.jsonl")

    assert len(runs(project, "kept/a.jsonl")) == len(runs(project, "kept/b.jsonl")) == 1
    assert not (project.pytester.path / ".ftgate/history.jsonl").exists()


def test_workers_add_one_line_together(project: Project) -> None:
    pytest.importorskip("xdist")

    result = project.run_apart("-n2", *GOOD)

    assert result.ret == 0
    assert [run.verdict for run in runs(project)] == ["SHIP"]


def test_a_history_that_can_not_be_written_is_one_warning(project: Project) -> None:
    project.write("kept.jsonl", "facts\n")

    result = project.run(*GOOD, "--ftgate-history=kept.jsonl")

    path = project.pytester.path / "kept.jsonl"
    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"
    assert path.read_text() == "facts\n"
    assert result.stdout.str().count("kept.jsonl") == 1
    assert (
        f"ftgate: {path} holds no history and is left as it is: name another file, or delete it first "
        "(--ftgate-history=PATH or off)"
    ) in " ".join(result.stdout.str().split())


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write into every folder"
)
def test_a_read_only_folder_does_not_change_the_run(project: Project) -> None:
    folder: Path = project.pytester.path / "kept"
    folder.mkdir()
    folder.chmod(0o500)

    result = project.run(*GOOD, "--ftgate-history=kept/history.jsonl")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["ftgate: can't add this run to the history *: Permission denied*"])


def test_the_record_of_an_earlier_run_is_a_baseline_that_needs_no_call(project: Project) -> None:
    counted = "import pathlib\ndef bot(prompt):\n    open('asked', 'a').write('.')\n    return 'Paris'\n"
    project.write("count.py", counted)
    project.run("--model=python:count:bot", "--ftgate-report=run.jsonl")
    asked = (project.pytester.path / "asked").read_text()

    result = project.run(
        "--model=python:bots:good", "--baseline=recorded:run.jsonl", "--ftgate-report=new.json"
    )

    assert result.ret == 0
    assert asked == (project.pytester.path / "asked").read_text() == "...."
    result.stdout.fnmatch_lines(["all * 4 * 100.0% * 25.0% * +75.0 *"])


@pytest.mark.parametrize(
    "args",
    [
        ("--ftgate-verdict=.ftgate/history.jsonl",),
        ("--ftgate-report=.ftgate/history.jsonl",),
        ("--ftgate-history=run.html", "--ftgate-report=run.html"),
    ],
)
def test_no_other_file_takes_the_place_of_the_history(project: Project, args: tuple[str, ...]) -> None:
    project.run(*GOOD)
    kept = (project.pytester.path / ".ftgate/history.jsonl").read_bytes()

    result = project.run(*GOOD, *args)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (project.pytester.path / ".ftgate/history.jsonl").read_bytes() == kept


def test_a_damaged_history_takes_nothing_from_a_run(project: Project) -> None:
    project.write(
        ".ftgate/history.jsonl", '{"schema": "ftgate.history/1", "confidence": 1' + "0" * 400 + "}\n"
    )

    result = project.run(*GOOD, "--ftgate-report=run.html")

    assert result.ret == 0
    assert (project.pytester.path / "run.html").exists()


def test_a_pipe_in_the_verdicts_place_is_refused_and_not_waited_for(project: Project) -> None:
    os.mkfifo(project.pytester.path / "pipe")

    result = project.run(*GOOD, "--ftgate-verdict=pipe")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "it is not a file" in " ".join(result.stderr.str().split())

"""When a run adds its report to GitHub's step summary, and what happens if it can't."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_ftgate.cli import main
from tests.plugin.catalogue import GOOD, SOUND, Catalogue, catalogue_of
from tests.plugin.conftest import Project
from tests.support.rows import unwrapped


@pytest.fixture
def catalogue(empty_project: Project) -> Catalogue:
    return catalogue_of(empty_project)


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the runner would want it."""
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_a_run_adds_the_text_of_its_markdown_report(catalogue: Catalogue, summary: Path) -> None:
    result = catalogue.run(GOOD, "--ftgate-report=out.md")

    report = (catalogue.path / "out.md").read_text(encoding="utf-8")
    assert result.ret == 0
    assert report.startswith("## ✅ SHIP\n\n`the one deciding criterion is met: ")
    assert summary.read_text(encoding="utf-8") == f"\n{report}\n"


def test_with_workers_it_is_added_once(catalogue: Catalogue, summary: Path) -> None:
    pytest.importorskip("xdist")

    catalogue.project.run_apart(GOOD, "-n2")

    assert summary.read_text(encoding="utf-8").count("## ✅ SHIP") == 1


def test_a_run_that_could_not_start_says_so(catalogue: Catalogue, summary: Path) -> None:
    catalogue.run("--model=python:bots:nobody")

    assert summary.read_text(encoding="utf-8").startswith("\n## ⚠️ INCOMPLETE\n\n`python:bots:nobody: ")


@pytest.mark.parametrize("args", [(GOOD, "--collect-only"), ()], ids=["collect only", "no model"])
def test_a_run_without_a_verdict_adds_nothing(
    catalogue: Catalogue, summary: Path, args: tuple[str, ...]
) -> None:
    catalogue.project.run(*args)

    assert not summary.exists()


def test_tests_that_are_not_ours_add_nothing(empty_project: Project, summary: Path) -> None:
    empty_project.write("test_plain.py", "def test_plain(): pass\n")

    assert empty_project.run().ret == 0
    assert not summary.exists()


def test_a_summary_that_can_not_be_written_is_told_and_changes_nothing(
    catalogue: Catalogue, summary: Path
) -> None:
    summary.mkdir()

    result = catalogue.run(GOOD)

    assert result.ret == 0
    assert catalogue.verdict["verdict"] == "SHIP"
    said = f"ftgate: can't add to the step summary {summary}: it is not a file\n"
    assert said in unwrapped(result.stdout.str())


def test_decide_adds_its_verdict(
    catalogue: Catalogue, summary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.run(GOOD, "--ftgate-report=run.jsonl")
    summary.unlink()
    catalogue.put("other.yaml", "gate:\n  min_cases: 99\n")
    monkeypatch.chdir(catalogue.path)

    result = CliRunner().invoke(main, ["decide", "run.jsonl", "--ftgate-config", "other.yaml"])

    assert result.exit_code == 1
    assert summary.read_text(encoding="utf-8").startswith("\n## ❔ INCONCLUSIVE\n")


def test_what_an_import_raises_is_harmless_in_a_usage_error(catalogue: Catalogue) -> None:
    catalogue.put("bots.py", 'raise ValueError("one\\n::error::two\\x1b[31m\\u202e ##[error]x")\n')
    catalogue.write(sound=SOUND)

    result = catalogue.run(GOOD)

    path = catalogue.path / "bots.py"
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        "ERROR: python:bots:good: importing bots raised ValueError: one",
        f"\\x3a:error::two\\x1b[31m\\u202e \\x23#[error]x ({path}:1)",
    ]
    assert json.loads((catalogue.path / ".ftgate/verdict.json").read_text())["verdict"] == "INCOMPLETE"

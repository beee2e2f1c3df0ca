"""The page on reviews is true: its commands run, its files are there, its gate is read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ftgate.cli.review_export import export
from pytest_ftgate.record import Choice
from pytest_ftgate.review.key import parse_key
from tests.support.pages import blocks
from tests.support.reviews import votes_json

PAGE = (Path(__file__).parents[1] / "docs" / "review.md").read_text(encoding="utf-8")
COMMANDS = next(text for kind, text in blocks(PAGE) if not kind)
MODELS = """
models:
  tuned: {python: 'bots:tuned'}
  prod: {python: 'bots:prod'}
"""
BOTS = """
def tuned(prompt):
    return prompt.upper()

def prod(prompt):
    return prompt.lower()
"""


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_C", "FTGATE", "CI", "GITHUB"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env=kept | {"PATH": path, "COLUMNS": "80", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Forty cases, two models, and the gate of the page."""
    gate = next(text for kind, text in blocks(PAGE) if kind == "yaml")
    (tmp_path / "ftgate.yaml").write_text(MODELS + gate, encoding="utf-8")
    (tmp_path / "bots.py").write_text(BOTS, encoding="utf-8")
    cases = "".join(f"- {{id: c{number}, prompt: Question {number}, expect: none}}\n" for number in range(40))
    (tmp_path / "evals.evalcase.yaml").write_text(f"cases:\n{cases}", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return tmp_path


def test_the_commands_of_the_page_lead_from_a_run_to_a_verdict_of_people(project: Path) -> None:
    play, export_it, apply, decide = COMMANDS.splitlines()
    first = run(play, project)
    assert first.returncode == 1, first.stdout
    assert run(export_it, project).returncode == 0
    key = parse_key((project / "batch" / "key.json").read_text(encoding="utf-8"), "key.json")
    for reviewer in key.placed:
        made = votes_json(key, reviewer, lambda id_: Choice.MODEL if int(id_[1:]) % 4 else Choice.BASELINE)
        (project / f"votes-{reviewer}.json").write_text(json.dumps(made), encoding="utf-8")

    applied, decided = run(apply, project), run(decide, project)

    assert applied.returncode == 0, applied.stderr
    assert decided.returncode == 0, decided.stdout + decided.stderr
    assert "SHIP: all 2 deciding criteria are met: human_preference (75% on 40 reviewed" in decided.stdout


def test_the_files_of_the_page_are_those_of_a_batch(project: Path) -> None:
    run(COMMANDS.splitlines()[0], project)
    run("ftgate review export run.jsonl --per-item 1 --reviewer ada -o batch", project)

    listed = next(text for kind, text in blocks(PAGE) if not kind and "for-reviewers" in text)

    found = {
        path.relative_to(project).as_posix() for path in (project / "batch").rglob("*") if path.is_file()
    }
    assert {line.split()[0] for line in listed.splitlines()} == found


def test_the_page_names_every_option() -> None:
    written = set(re.findall(r"^\| `(--?[a-z-]+)", PAGE, re.MULTILINE))

    known = {option for parameter in export.params for option in parameter.opts if option.startswith("-")}
    assert written == known - {"--output"}

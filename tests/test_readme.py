"""The README is true: its files and commands are taken from it, its transcripts are what really comes out."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from pytest_ftgate.files.config_file import read_config
from tests.support.pages import blocks, write_files
from tests.support.server import ChatServer
from tests.support.transcripts import ELISION, missing_pieces, run

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = blocks(README)
TRANSCRIPTS = {text.partition("\n")[0].removeprefix("$ "): text for kind, text in BLOCKS if kind == "text"}
EXAMPLE = ".venv/bin/pytest example_project --model=tuned-v2 --baseline=base"
FUNCTION = "pytest --model=python:bot:answer evals/"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What of a clone the first command reads."""
    ignored = shutil.ignore_patterns(".ftgate", ".pytest_cache", "__pycache__")
    shutil.copytree(ROOT / "example_project", tmp_path / "example_project", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def weather(tmp_path: Path) -> Path:
    """The folder that a reader has after writing the README's files."""
    write_files(README, tmp_path)
    return tmp_path


def test_the_first_transcript_is_real(clone: Path) -> None:
    done = run(EXAMPLE, clone)

    assert done.returncode == 0, done.stdout
    assert not missing_pieces(TRANSCRIPTS[EXAMPLE], done.stdout), done.stdout


def test_the_transcript_of_the_function_is_real(weather: Path) -> None:
    done = run(FUNCTION, weather)

    assert done.returncode == 1, done.stdout
    assert not missing_pieces(TRANSCRIPTS[FUNCTION], done.stdout), done.stdout


@pytest.mark.parametrize("workers", ["", "-n 2"])
def test_the_test_in_python_counts_beside_the_cases(weather: Path, workers: str) -> None:
    if workers:
        pytest.importorskip("xdist")

    done = run(f"pytest -v --model=python:bot:answer {workers} evals tests", weather)

    assert done.returncode == 1, done.stdout
    assert "tests/test_weather.py::test_refusals_are_brief[poem]" in done.stdout
    assert "66.7% on 3 cases" in done.stdout
    assert " 2 failed, 2 passed, 2 missed in " in done.stdout


def test_every_transcript_is_checked() -> None:
    assert set(TRANSCRIPTS) == {EXAMPLE, FUNCTION}


def test_a_changed_transcript_is_noticed() -> None:
    output = "a\n=== 1 passed in 0.10s ===\nb\nc\nd\n"

    assert not missing_pieces(f"$ x\na\n=== 1 passed in 3.20s ===\n{ELISION}\nd\n", output)
    assert missing_pieces(f"$ x\nd\n{ELISION}\na\n", output) == ["a"]
    assert missing_pieces("$ x\na\nc\n", output) == ["a\nc"]


def test_the_command_for_a_server_asks_both_models(weather: Path) -> None:
    command = next(text for _, text in BLOCKS if "--model=openai:my-model" in text)
    with ChatServer(answer=lambda _: "Which city? I can't help with poems.") as server:
        command = command.replace("http://localhost:8000/v1", server.url).replace("...", "some-key")

        done = run(command, weather)

    assert done.returncode == 1, done.stdout
    asked = sorted(str(request.body["model"]) for request in server.requests)
    assert asked == ["llama-3.1-8b"] * 3 + ["my-model"] * 3
    assert "ITERATE: " in done.stdout


def test_the_command_for_saved_answers_plays_them(weather: Path) -> None:
    call = {"name": "get_weather", "arguments": {"city": "Tokyo"}}
    rows = [
        {"id": "tokyo", "tool_calls": [call]},
        {"id": "no_city", "text": "For which city?"},
        {"id": "poem", "text": "I can't help with that."},
    ]
    (weather / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = next(text for _, text in BLOCKS if "--model=recorded:answers.jsonl" in text)

    done = run(command, weather)

    assert done.returncode == 0, done.stdout
    assert "SHIP: " in done.stdout


def test_the_commands_for_a_frozen_baseline_work(clone: Path) -> None:
    commands = next(text for _, text in BLOCKS if "--ftgate-save-answers" in text)

    done = run(commands.replace("--model=tuned ", "--model=tuned-v2 "), clone / "example_project")

    assert done.returncode == 0, done.stdout
    assert done.stdout.count("\nSHIP: ") == 2


def test_the_commands_for_a_record_work(clone: Path) -> None:
    decide = re.search(r"`(ftgate decide run\.jsonl) --ftgate-config other\.yaml`", README)
    assert decide
    assert f"{EXAMPLE}" in README

    done = run(
        f"pytest -q --model=tuned-v2 --baseline=base --ftgate-report=run.jsonl; {decide[1]}; {decide[1]} "
        "--ftgate-config ftgate.yaml",
        clone / "example_project",
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nSHIP: ") == 3


def test_the_steps_for_ci_are_those_of_the_example() -> None:
    steps = next(yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml" and "ftgate verify" in text)
    workflow = yaml.safe_load(
        (ROOT / "example_project/.github/workflows/test.yml").read_text(encoding="utf-8")
    )
    real = [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step]

    run_here = ("--model=tuned --baseline=prod", "--model=tuned-v2 --baseline=base")
    written = [step["run"].replace(*run_here) for step in steps]

    assert written == real[-2:]


def test_the_models_are_read(tmp_path: Path) -> None:
    written = next(text for kind, text in BLOCKS if kind == "yaml" and text.startswith("models:"))
    (tmp_path / "ftgate.yaml").write_text(written, encoding="utf-8")

    config = read_config(tmp_path / "ftgate.yaml", tmp_path)

    assert (config.model, config.baseline, sorted(config.models)) == (
        "tuned",
        "base",
        ["base", "prod", "tuned"],
    )


def test_the_two_commands_that_ci_runs_are_there_once() -> None:
    commands = re.findall(r"^python3 -m venv \.venv && .*$", README, re.MULTILINE)

    assert [command.rpartition(" && ")[2] for command in commands] == [EXAMPLE, ".venv/bin/pytest -n auto"]

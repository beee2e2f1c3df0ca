"""The page on judges is true: its files make a project, and its commands print what it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pytest_ftgate.cli import main
from pytest_ftgate.reports.judges import judge_sentences
from pytest_ftgate.summary import JudgedPairs
from tests.plugin.conftest import Project
from tests.support.pages import blocks, write_files
from tests.support.server import ChatServer

PAGE = (Path(__file__).parents[1] / "docs" / "judges.md").read_text(encoding="utf-8")


def answer(body: dict[str, Any]) -> str:
    if body["model"] != "gpt-5-mini":
        return "Sorry! 5 days." if body["model"] == "acme/support-8b" else "No."
    assert "temperature" not in body
    rules, user = (str(message["content"]) for message in body["messages"])
    if "winner" in rules:
        return json.dumps({"reason": "Kind.", "winner": "A" if "Sorry" in user.split("answer-B")[0] else "B"})
    good = "5 days" in user.split("<answer-")[1]
    scale = 5 if "from 1 to 5" in rules else 1
    return json.dumps({"reason": "5 days." if good else "No 5 days.", "score": scale if good else scale // 5})


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    with ChatServer(answer=answer) as server:
        monkeypatch.setenv("MODELS_URL", server.url)
        monkeypatch.setenv("COLUMNS", "80")
        pytester.makeini("[pytest]\n")
        assert write_files(PAGE, pytester.path) == ["evals/support.evalcase.yaml", "ftgate.yaml"]
        yield Project(pytester)


def test_the_suite_of_the_page_ships(project: Project) -> None:
    result = project.run("--model=tuned", "--baseline=prod")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["prefer: of 1 pairs 1 wins*", "SHIP*"])


def test_the_calibration_of_the_page_prints_what_it_shows(project: Project) -> None:
    rows = [
        {
            "id": "refund",
            "answer": f"5 days. {number}" if number > 3 and number % 2 else f"No. {number}",
            "label": "fail",
        }
        for number in range(40)
    ]
    rows = [row | {"label": "pass" if number % 2 == 0 else "fail"} for number, row in enumerate(rows, 1)]
    shown = next(text for _, text in blocks(PAGE) if text.startswith("$ ftgate judge calibrate"))
    project.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    command, _, output = shown.partition("\n")

    told = CliRunner().invoke(main, command.removeprefix("$ ftgate ").split())

    assert told.output == output


def test_the_labels_of_the_page_are_labels(project: Project) -> None:
    labels = next(text for language, text in blocks(PAGE) if language == "json")
    project.write("labels.jsonl", labels)

    told = CliRunner().invoke(
        main, ["judge", "calibrate", "labels.jsonl", "--check=evals/support.evalcase.yaml::refund"]
    )

    assert told.exit_code == 0, told.output
    assert "2 labelled answers" in told.output


def test_the_lines_on_position_bias_are_those_of_the_report() -> None:
    pairs = JudgedPairs(wins=12, losses=3, ties=5, alike=0, votes=20, turned=4, to_first=4, to_second=0)
    shown = next(text for _, text in blocks(PAGE) if text.startswith("prefer: of 20"))

    assert " ".join(shown.split()) == " ".join(" ".join(judge_sentences(pairs)).split())


def test_the_criteria_of_the_page_are_a_gate(project: Project) -> None:
    gate = [text for language, text in blocks(PAGE) if language == "yaml"][-1]
    text = (project.pytester.path / "ftgate.yaml").read_text()
    project.write("ftgate.yaml", re.sub(r"^gate:.*", gate, text, flags=re.DOTALL | re.MULTILINE))

    result = project.run("--model=tuned", "--baseline=prod")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["NOT MEASURED  trusted*"])

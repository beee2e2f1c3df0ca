"""Votes of people in a run of pytest: read before anything is sent, counted, kept in the record."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_ftgate.cli import main
from pytest_ftgate.record import Choice
from pytest_ftgate.review.key import parse_key
from tests.plugin.conftest import Project
from tests.support.reviews import votes_json

ARMS = ("--model=python:bots:good", "--baseline=python:bots:bad2")
GATE = """
gate:
  min_cases: 1
  criteria:
    people: {metric: human_preference, at_least: 60%}
    agreement: {metric: agreement, at_least: 0.6, optional: true}
"""


@pytest.fixture
def reviewed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose answers were compared by three people, in review.json."""
    bots = (project.pytester.path / "bots.py").read_text(encoding="utf-8")
    project.write("bots.py", bots + "\ndef bad2(prompt):\n    return 'It is ' + good(prompt)\n")
    project.write("ftgate.yaml", GATE)
    monkeypatch.chdir(project.pytester.path)
    project.run(*ARMS, "--ftgate-report=run.jsonl")
    ftgate("review", "export", "run.jsonl", "-o", "batch")
    key = parse_key(Path("batch/key.json").read_text(encoding="utf-8"), "key.json")
    for reviewer in key.placed:
        made = votes_json(key, reviewer, lambda id_: Choice.BASELINE if id_ == "p001" else Choice.MODEL)
        project.write(f"votes/{reviewer}.json", json.dumps(made))
    votes = [f"votes/{reviewer}.json" for reviewer in key.placed]
    ftgate("review", "apply", "batch", *votes, "-o", "review.json")
    return project


def ftgate(*args: str) -> int:
    return CliRunner().invoke(main, args, catch_exceptions=False).exit_code


def criteria(project: Project) -> dict[str, tuple[str, float | None, int]]:
    return {one["name"]: (one["status"], one["observed"], one["n"]) for one in project.verdict["criteria"]}


def bare(verdict: Path) -> str:
    """A verdict without what differs between any two runs."""
    text = verdict.read_text(encoding="utf-8")
    return re.sub(r'"(run_id|started|finished)": ".*?"', r'"\1": ""', text)


@pytest.mark.parametrize("workers", ["", "-n2"])
def test_a_run_counts_the_votes_on_its_answers(reviewed: Project, workers: str) -> None:
    if workers:
        pytest.importorskip("xdist")
    options = [*ARMS, "--ftgate-review=review.json", *filter(None, [workers])]

    result = (reviewed.run_apart if workers else reviewed.run)(*options)

    assert result.ret == 0
    assert criteria(reviewed)["people"] == ("GO", 0.75, 4)
    assert criteria(reviewed)["agreement"] == ("GO", 1.0, 4)
    result.stdout.fnmatch_lines(
        ["12 votes of 3 reviewers on 4 cases: 3 won, 1 lost, 0 tied; 75.0% preferred;", "  alpha 1.00"]
    )


def test_the_ini_file_may_name_the_review(reviewed: Project) -> None:
    reviewed.write("pytest.ini", "[pytest]\nftgate_review = review.json\n")

    reviewed.run(*ARMS)

    assert criteria(reviewed)["people"] == ("GO", 0.75, 4)


def test_decide_gives_the_verdict_of_the_run_that_held_the_votes(reviewed: Project) -> None:
    reviewed.run(*ARMS, "--ftgate-review=review.json", "--ftgate-report=with.jsonl")

    status = ftgate("decide", "with.jsonl", "--verdict", "again.json")

    assert status == 0
    assert Path("again.json").read_bytes() == Path(".ftgate/verdict.json").read_bytes()


def test_votes_given_to_decide_count_as_those_given_to_the_run(reviewed: Project) -> None:
    reviewed.run(*ARMS, "--ftgate-review=review.json", "--ftgate-report=with.jsonl")

    ftgate("decide", "run.jsonl", "--review", "review.json", "--verdict", "later.json")

    assert bare(Path("later.json")) == bare(Path(".ftgate/verdict.json"))


@pytest.mark.parametrize("where", ["shards", "decide", "both"])
def test_shards_hold_the_votes_or_decide_is_given_them(reviewed: Project, where: str) -> None:
    given = ["--ftgate-review=review.json"] if where != "decide" else []
    for number in (1, 2):
        shard = f"--ftgate-shard={number}/2"
        reviewed.run(*ARMS, shard, "--ftgate-run-id=r1", f"--ftgate-report=s{number}.jsonl", *given)
    review = ["--review", "review.json"] if where != "shards" else []

    status = ftgate("decide", "s1.jsonl", "s2.jsonl", *review, "--verdict", "all.json")

    assert status == 0
    verdict = json.loads(Path("all.json").read_text(encoding="utf-8"))
    assert {one["name"]: one["n"] for one in verdict["criteria"]}["people"] == 4
    assert verdict["warnings"] == []


def test_votes_on_other_answers_count_nowhere_and_are_named(reviewed: Project) -> None:
    result = reviewed.run("--model=python:bots:bad", ARMS[1], "--ftgate-review=review.json")

    assert result.ret == 1
    assert criteria(reviewed)["people"][2] == 3
    assert (
        "3 votes are on other answers than this run's and do not count: capitals::france"
        in (reviewed.verdict["warnings"])
    )


@pytest.mark.parametrize("workers", ["", "-n2"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "review {path} can't be read: No such file or directory"),
        ("{}", "{path} is not a review that `ftgate review apply` wrote (ftgate.review/1)"),
    ],
)
def test_a_review_that_can_not_be_used_stops_the_run_before_anything_is_asked(
    project: Project, text: str | None, message: str, workers: str
) -> None:
    if workers:
        pytest.importorskip("xdist")
    path = project.pytester.path / "review.json"
    if text is not None:
        project.write("review.json", text)

    options = ["--model=python:bots:broken", "--ftgate-review=review.json", *filter(None, [workers])]

    result = (project.run_apart if workers else project.run)(*options)

    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {message.format(path=path)}"])
    assert project.verdict["verdict"] == "INCOMPLETE"

"""Our hooks, implemented by a conftest and by an installed plugin."""

from __future__ import annotations

import json
import sys

import pytest

from tests.plugin.conftest import Project

PLUGIN = """
from pytest_ftgate import Metric, Score, ScorerSpec

def short(options, subject):
    return Score(scorer="short", value=1.0, passed=len(subject.text) < 9, explanation="counted")

def pytest_ftgate_scorers(config):
    return {"short": ScorerSpec(name="short", doc="A short answer.", score=short)}

def polite(trial):
    return trial.completion is not None and "Lyon" not in trial.completion.text

def pytest_ftgate_metrics(config):
    return {
        "polite": Metric(
            name="polite", doc="Answers without Lyon.", unit="rate", compares=("value", "delta"),
            nothing="no answer", passed=polite,
        )
    }
"""

GATE = "gate: {min_cases: 1, criteria: {manners: {metric: polite, at_least: 80%}}}\n"


def test_a_hook_makes_models(project: Project) -> None:
    project.write(
        "conftest.py",
        "def pytest_ftgate_make_model(config, spec):\n"
        "    if spec == 'app':\n        import bots\n        return bots.good\n",
    )

    result = project.run("--model=app")

    assert result.ret == 0
    result.assert_outcomes(passed=4)


def test_a_hook_adds_scorers(project: Project) -> None:
    project.write(
        "conftest.py",
        "from pytest_ftgate.scorers.spec import ScorerSpec\n"
        "from pytest_ftgate.scores import Score\n"
        "def short(options, subject):\n"
        "    return Score(scorer='short', value=1.0, passed=len(subject.text) < 9, explanation='counted')\n"
        "def pytest_ftgate_scorers(config):\n"
        "    return {'short': ScorerSpec(name='short', doc='A short answer.', score=short)}\n",
    )
    cases = "suite: capitals\ncases:\n  - {id: italy, prompt: Capital of Italy?, expect: {short: true}}\n"
    project.write("evals/capitals.evalcase.yaml", cases)

    result = project.run("--model=python:bots:good")

    result.assert_outcomes(passed=1)


def test_a_hook_may_not_replace_a_scorer(project: Project) -> None:
    project.write("conftest.py", "def pytest_ftgate_scorers(config):\n    return {'contains': None}\n")

    result = project.run("--model=python:bots:good")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*there already is a scorer 'contains'*"])


def test_the_decision_is_told_once(project: Project) -> None:
    project.write(
        "conftest.py",
        "def pytest_ftgate_decided(assessment):\n"
        "    with open('decided', 'a') as file:\n        file.write(assessment.verdict.word)\n",
    )

    project.run("--model=python:bots:good")

    assert (project.pytester.path / "decided").read_text() == "SHIP"


def test_metrics_of_a_conftest_decide(project: Project) -> None:
    project.write("conftest.py", PLUGIN)
    project.write("ftgate.yaml", GATE)

    result = project.run("--model=python:bots:bad", "--baseline=python:bots:good")

    assert result.ret == 1
    manners = next(each for each in project.verdict["criteria"] if each["name"] == "manners")
    assert (manners["status"], manners["observed"]) == ("NO-GO", 0.75)


def test_a_metric_that_is_taken_is_refused_by_name(project: Project) -> None:
    project.write("conftest.py", "def pytest_ftgate_metrics(config):\n    return {'pass_rate': None}\n")

    result = project.run("--model=python:bots:good")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*pytest_ftgate_metrics: there already is a metric 'pass_rate'*"])


def test_an_installed_plugin_adds_scorers_and_metrics(project: Project) -> None:
    project.write("tiny_plugin.py", PLUGIN)
    project.write(
        "tiny_plugin-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-plugin\nVersion: 1.0\n"
    )
    project.write("tiny_plugin-1.0.dist-info/entry_points.txt", "[pytest11]\ntiny = tiny_plugin\n")
    project.write("ftgate.yaml", GATE)
    cases = "suite: capitals\ncases:\n  - {id: italy, prompt: Capital of Italy?, expect: {short: true}}\n"
    project.write("evals/capitals.evalcase.yaml", cases)

    result = project.run_as_installed("--model=python:bots:good")

    result.stdout.fnmatch_lines(["plugins:*tiny-plugin-1.0*"])
    result.assert_outcomes(passed=1)
    assert project.verdict["verdict"] == "SHIP"


def test_error_hints_know_the_scorers_of_a_plugin(project: Project) -> None:
    project.write("conftest.py", PLUGIN)
    cases = "suite: capitals\ncases:\n  - {id: italy, prompt: Capital of Italy?, expect: {shrt: true}}\n"
    project.write("evals/capitals.evalcase.yaml", cases)

    result = project.run("--collect-only")

    result.stdout.fnmatch_lines(["*unknown scorer 'shrt'. Did you mean 'short'?*"])


def test_the_schema_knows_the_scorers_of_a_conftest(project: Project) -> None:
    project.write("conftest.py", PLUGIN)

    command = "from pytest_ftgate.cli import main; main(['schema'])"
    result = project.pytester.run(sys.executable, "-c", command)

    assert result.ret == 0
    assert json.loads(result.stdout.str())
    assert "A short answer." in result.stdout.str()


WORDY = """
from fractions import Fraction
from pytest_ftgate import Metric

def words(trials):
    return [(Fraction(len(trial.completion.text.split())),) for trial in trials if trial.completion]

def pytest_ftgate_metrics(config):
    return {"words": Metric(name="words", doc="Mean words of an answer.", nothing="no answer", take=words)}
"""


def test_the_console_script_judges_by_the_metrics_of_a_conftest(project: Project) -> None:
    project.write("conftest.py", WORDY)
    project.write("ftgate.yaml", "gate: {min_cases: 1, criteria: {brief: {metric: words, at_most: 20}}}\n")
    project.run_apart("--model=python:bots:good", "--ftgate-report=run.jsonl")
    assert project.verdict["verdict"] == "SHIP"

    commands = (
        ["decide", "run.jsonl"],
        ["decide", "run.jsonl", "--ftgate-config", "ftgate.yaml"],
        ["verify", "--max-age", "1h", "--gate", "ftgate.yaml"],
    )
    for command in commands:
        result = project.pytester.run(
            sys.executable, "-c", f"from pytest_ftgate.cli import main; main({command})"
        )

        assert result.ret == 0, command

"""Another model for the suites of one role."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project

GENERAL = """
role: general
cases:
  - {id: france, prompt: Capital of France?, expect: Paris}
"""

ROLES = """
model: python:bots:good
baseline: python:bots:good
roles: {general: {baseline: python:bots:bad}}
gate: {min_cases: 1, criteria: {better: {metric: pass_rate, role: general, compare: delta, at_least: 100%}}}
"""


@pytest.fixture
def roles(project: Project) -> Project:
    project.write("evals/general.evalcase.yaml", GENERAL)
    project.write("ftgate.yaml", ROLES)
    return project


def test_a_role_has_its_own_baseline(roles: Project) -> None:
    result = roles.run()

    assert result.ret == 0
    assert roles.verdict["verdict"] == "SHIP"
    assert roles.verdict["baseline"]["roles"]["general"]["name"] == "python:bots:bad"
    result.stdout.fnmatch_lines(
        ["ftgate: model python:bots:good*, baseline for general python:bots:bad (python)"]
    )


def test_a_baseline_on_the_command_line_replaces_that_of_a_role(roles: Project) -> None:
    result = roles.run("--baseline=python:bots:good")

    assert result.ret == 1
    assert roles.verdict["verdict"] == "ITERATE"
    assert "roles" not in roles.verdict["baseline"]


def test_cases_of_a_role_without_a_model_are_refused(roles: Project) -> None:
    roles.write("ftgate.yaml", "roles: {general: {model: python:bots:good}}\n")

    result = roles.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: suite 'capitals' has the role target, and no model answers it: "
            "name one with `model:` in ftgate.yaml, or under `roles:`"
        ]
    )

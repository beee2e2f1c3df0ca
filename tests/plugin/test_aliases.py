"""`--model` and `--baseline` are promised, and never taken from a project that has its own."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project

OWN_OPTION = "def pytest_addoption(parser):\n    parser.addoption('--model', help='ours')\n"
OWN_TEST = "def test_own(request):\n    assert request.config.getoption('--model') == 'car'\n"


@pytest.mark.parametrize(
    "spelling",
    [["--model=python:bots:good"], ["--model", "python:bots:good"], ["--ftgate-model=python:bots:good"]],
)
def test_every_spelling_names_the_model(project: Project, spelling: list[str]) -> None:
    result = project.run(*spelling)

    result.assert_outcomes(passed=4)


def test_the_alias_works_in_addopts(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\naddopts = --model=python:bots:good\n")

    result = project.run()

    result.assert_outcomes(passed=4)


def test_behind_two_dashes_an_alias_is_a_path(project: Project) -> None:
    result = project.run("--", "--model=python:bots:good")

    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("option", ["--model=", "--baseline=", "--ftgate-model= "])
def test_an_empty_value_is_a_usage_error(project: Project, option: str) -> None:
    result = project.run("--model=python:bots:good", option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    name = "baseline" if "baseline" in option else "model"
    result.stderr.fnmatch_lines([f"*--ftgate-{name} is empty: give it a value, or leave it out"])
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_project_keeps_its_own_option(project: Project) -> None:
    project.write("conftest.py", OWN_OPTION)
    project.write("test_own.py", OWN_TEST)

    result = project.run("--model=car", "--ftgate-model=python:bots:good")

    result.assert_outcomes(passed=5)


def test_the_not_gated_line_names_the_option_that_works(project: Project) -> None:
    project.write("conftest.py", OWN_OPTION)

    result = project.run("--model=car")

    result.stdout.fnmatch_lines(
        ["ftgate: not gated: 4 eval cases and no model; name one with --ftgate-model=NAME"]
    )


def test_the_header_says_that_the_alias_is_taken(project: Project) -> None:
    project.write("conftest.py", OWN_OPTION)

    result = project.run("--ftgate-model=python:bots:good")

    result.stdout.fnmatch_lines(["ftgate: --model is this project's own option; --ftgate-model is ours"])


def test_a_nested_conftest_keeps_its_own_option(project: Project) -> None:
    project.write("sub/conftest.py", OWN_OPTION)
    project.write("sub/test_own.py", "def test_own(): pass\n")

    result = project.run("--model=python:bots:good")

    result.assert_outcomes(passed=5)


def test_the_model_is_a_path_to_nobody(project: Project) -> None:
    project.write("tuned/test_x.py", "def test_x(): pass\n")

    result = project.run("--model", "python:bots:good", "evals")

    result.assert_outcomes(passed=4)

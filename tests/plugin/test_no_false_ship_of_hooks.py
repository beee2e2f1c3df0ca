"""Attacks by selections, hooks, workers and odd answers: none may ship, or exit 0 where it must not."""

from __future__ import annotations

import json
import os

import pytest

from tests.plugin.conftest import GATE, MODELS, Project

GOOD, BAD = "--model=python:bots:good", "--model=python:bots:bad"
OLD = '{"schema": "ftgate.report/1", "run_id": "old", "verdict": "SHIP", "complete": true}'
MARKED = """
import pytest
class TestA:
    @pytest.mark.eval_case(id="a", prompt="Capital of Italy?", expect="Rome")
    def test_a(self, eval_case, model): eval_case.check(model(eval_case))
class TestB:
    @pytest.mark.eval_case(id="b", prompt="Capital of France?", expect="Paris", must_pass=True)
    def test_b(self, eval_case, model): eval_case.check(model(eval_case))
"""
DYING = """
import os
def pytest_collection_finish(session):
    if hasattr(session.config, "workerinput"): os._exit(0)
"""


@pytest.mark.parametrize("config", ["ini", "ftgate.yaml"])
def test_workers_that_all_die_before_the_first_item_leave_no_green_run(project: Project, config: str) -> None:
    project.write(".ftgate/verdict.json", OLD)
    project.write("conftest.py", DYING)
    if config == "ini":
        project.write("pytest.ini", "[pytest]\nftgate_model = python:bots:good\n")
    else:
        project.write("ftgate.yaml", "model: python:bots:good\n" + GATE)
    result = project.run_apart("-n2", "--max-worker-restart=0")
    assert result.ret != 0
    assert project.verdict["verdict"] == "INCOMPLETE"


@pytest.mark.parametrize("option", ["--ignore=tests", "--ignore=tests/test_m.py", "--ignore-glob=*test_m*"])
def test_an_ignored_module_of_eval_tests_narrows(project: Project, option: str) -> None:
    project.write("tests/test_m.py", MARKED)
    project.run(BAD, option)
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_node_id_of_a_class_leaves_out_the_eval_tests_of_the_others(project: Project) -> None:
    project.write("tests/test_m.py", MARKED)
    project.run(BAD, "tests/test_m.py::TestA", "evals")
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_node_id_does_not_hide_the_mistaken_case_beside_it(project: Project) -> None:
    project.write(
        "evals/x.evalcase.yaml",
        "cases:\n  - {id: a, prompt: Hi, expct: x}\n  - {id: b, prompt: Capital of Italy?, expect: Rome}\n",
    )
    project.run(GOOD, "evals/x.evalcase.yaml::b", "evals/capitals.evalcase.yaml")
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_two_case_files_outside_the_rootdir_are_not_taken_for_one(project: Project) -> None:
    for name, text in {"ftgate.yaml": GATE, "bots.py": MODELS, "pytest.ini": "[pytest]\n"}.items():
        project.write(f"sub/{name}", text)
    project.write("o1/x.evalcase.yaml", "cases:\n  - {id: a, prompt: Capital of Italy?, expect: Rome}\n")
    project.write("o2/y.evalcase.yaml", "cases:\n  - {id: a, prompt: Capital of Italy?, expect: Lima}\n")
    os.chdir(project.pytester.path / "sub")
    result = project.run(GOOD, "-c", "pytest.ini", "../o1/x.evalcase.yaml", "../o2/y.evalcase.yaml")
    assert result.ret != 0
    verdict = json.loads((project.pytester.path / "sub/.ftgate/verdict.json").read_text())
    assert verdict["verdict"] != "SHIP"


@pytest.mark.parametrize("pattern", ["evals/**", "evals"])
def test_the_globs_of_the_documentation_find_case_files(project: Project, pattern: str) -> None:
    project.write("ftgate.yaml", GATE.replace("  min_cases", f"  suites: ['{pattern}']\n  min_cases"))
    project.run(GOOD)
    assert project.verdict["verdict"] == "SHIP"


@pytest.mark.parametrize("pattern", ["nowhere/*", "/tmp/*"])
def test_a_glob_without_any_file_is_no_selection_that_may_exit_0(project: Project, pattern: str) -> None:
    project.write("ftgate.yaml", GATE.replace("  min_cases", f"  suites: ['{pattern}']\n  min_cases"))
    result = project.run(GOOD)
    assert result.ret in (1, 4)
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_failing_test_of_the_baseline_alone_is_no_miss_that_a_ship_excuses(project: Project) -> None:
    project.write(
        "tests/test_m.py",
        'import pytest\n@pytest.mark.eval_case("evals/capitals.evalcase.yaml")\n'
        "def test_b(eval_case, baseline): assert False\n",
    )
    result = project.run(GOOD, "--baseline=python:bots:good")
    assert result.ret == 1


def test_a_marker_without_its_fixture_is_told(project: Project) -> None:
    project.write(
        "tests/test_m.py",
        'import pytest\n@pytest.mark.eval_case("evals/capitals.evalcase.yaml")\ndef test_b(model): pass\n',
    )
    assert project.run(GOOD).ret != 0


def test_a_skip_after_setup_is_a_missing_trial(project: Project) -> None:
    project.write(
        "conftest.py",
        "import pytest\n@pytest.hookimpl(trylast=True)\ndef pytest_runtest_setup(item):\n"
        "    if 'france' in item.nodeid: pytest.skip('x')\n",
    )
    project.run(GOOD)
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_status_that_somebody_else_set_is_not_lowered(project: Project) -> None:
    project.write(
        "conftest.py",
        "import pytest\n@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_sessionfinish(session):\n    session.exitstatus = 1\n    return (yield)\n",
    )
    assert project.run(GOOD).ret == 1


@pytest.mark.parametrize(
    "hook",
    [
        "pytest_sessionfinish(session): session.exitstatus = 0",
        "pytest_sessionfinish(session): pytest.exit('x', returncode=0)",
        "pytest_sessionstart(session): pytest.exit('x', returncode=0)",
        "pytest_configure(config): pytest.exit('x', returncode=0)",
    ],
)
def test_an_exit_with_status_0_in_a_hook_is_no_green_run(project: Project, hook: str) -> None:
    project.write(".ftgate/verdict.json", OLD)
    project.write("conftest.py", f"import pytest\ndef {hook}\n")
    result = project.run_apart("--model=python:bots:broken")
    assert result.ret != 0
    assert project.verdict["verdict"] == "INCOMPLETE"


@pytest.mark.parametrize("option", ["--setup-only", "--setup-plan"])
def test_a_run_that_only_sets_up_leaves_no_older_ship(project: Project, option: str) -> None:
    project.write(".ftgate/verdict.json", OLD)
    result = project.run(BAD, option)
    assert (project.verdict["verdict"], result.ret) == ("INCOMPLETE", 1)


@pytest.mark.parametrize(
    "answer",
    [
        "{'text': 'Paris', 'tool_calls': [{'name': 'f', 'arguments': {'x': float('nan')}}]}",
        "{'text': 'Paris', 'tool_calls': [{'name': 'f', 'arguments': {'x': object()}}]}",
        "{'text': 'Paris', 'usage': {'input_tokens': 1, 'output_tokens': 10**400}}",
        "Completion(text='Paris', latency_s=float('nan'))",
    ],
)
def test_an_answer_that_json_can_not_hold_is_one_errored_trial(project: Project, answer: str) -> None:
    project.write(
        "odd.py",
        "from pytest_ftgate.completions import Completion\n"
        f"def odd(prompt): return {answer} if 'France' in prompt else 'Rome'\n",
    )
    result = project.run("--model=python:odd:odd")
    assert result.ret == 1
    assert "1 of 4 trials errored" in project.verdict["sentence"]


def test_with_workers_an_older_ship_is_gone_once_collection_is_over(project: Project) -> None:
    """The run is killed while the first answers are awaited; the ids of collection show that it is ours."""
    project.write(".ftgate/verdict.json", OLD)
    project.write("pytest.ini", "[pytest]\nftgate_model = python:bots:good\n")
    project.write(
        "bots.py", MODELS + "\nimport os, signal\ndef good(prompt): os.kill(os.getppid(), signal.SIGKILL)\n"
    )
    project.run_apart("-n2")
    assert project.verdict["verdict"] == "INCOMPLETE"

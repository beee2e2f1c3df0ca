"""Tests written in Python: fixtures, the marker, check, judge, and overrides by folder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plugin.conftest import Project

GOOD, BAD = "--model=python:bots:good", "--model=python:bots:bad"
BASELINE = "--baseline=python:bots:good"

CHECKED = """
import pytest
@pytest.mark.eval_case("evals/capitals.evalcase.yaml")
def test_capital(eval_case, model):
    eval_case.check(model(eval_case))
"""

BOTH = """
import pytest
@pytest.mark.eval_case("evals/capitals.evalcase.yaml")
def test_capital(eval_case, model, baseline):
    eval_case.check(model(eval_case))
    eval_case.check(baseline(eval_case))
"""

INLINE = """
import pytest
@pytest.mark.eval_case(id="capital", prompt="Capital of France?", expect="Paris", category="facts")
def test_inline(eval_case, model, baseline):
    answer = model(eval_case)
    eval_case.check(answer)
    eval_case.check(baseline(eval_case))
    with eval_case.judge(answer):
        assert "s" in answer.text
"""


@pytest.fixture
def python(project: Project) -> Project:
    """The capitals only through markers."""
    cases = project.pytester.path / "evals/capitals.evalcase.yaml"
    project.write("evals/capitals.evalcase.yaml", "collect: false\n" + cases.read_text())
    return project


def report(project: Project) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project.pytester.path / "report.json").read_text())
    return content


def test_a_marked_test_runs_for_every_case_of_the_file(python: Project) -> None:
    python.write("tests/test_eval.py", CHECKED)

    result = python.run("--collect-only", "-q")

    names = [line for line in result.outlines if "::" in line]
    assert names == [
        f"tests/test_eval.py::test_capital[{name}]" for name in ("france", "italy", "spain", "japan")
    ]


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ("category='south'", ["italy", "spain"]),
        ("category=['west', 'east']", ["france", "japan"]),
        ("tag='boot'", ["italy"]),
        ("id='spain'", ["spain"]),
        ("id='italy', category='south'", ["italy"]),
    ],
)
def test_a_marker_selects(python: Project, selection: str, names: list[str]) -> None:
    python.write("tests/test_eval.py", CHECKED.replace('yaml")', f'yaml", {selection})'))

    result = python.run("--collect-only", "-q")

    found = [line.partition("[")[2].rstrip("]") for line in result.outlines if "::" in line]
    assert found == names


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("'evals/nowhere.evalcase.yaml'", "*evals/nowhere.evalcase.yaml:1:1: the file does not exist*"),
        (
            "'evals/capitals.evalcase.yaml', category='sout'",
            "*no case of evals/capitals.evalcase.yaml has category='sout'. Did you mean 'south'?*",
        ),
        (
            "'evals/capitals.evalcase.yaml', categry='south'",
            "*cases of a file can't be selected by 'categry'. Did you mean 'category'?*",
        ),
        ("id='x', promt='Hi'", "*tests/test_eval.py:3:1: *unknown key 'promt'. Did you mean 'prompt'?*"),
        ("7", "*eval_case takes paths of case files, not 7*"),
    ],
)
def test_a_mistake_in_a_marker_is_a_collection_error(python: Project, marker: str, message: str) -> None:
    python.write("tests/test_eval.py", CHECKED.replace('"evals/capitals.evalcase.yaml"', marker))

    result = python.run(GOOD)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([message])
    assert "Traceback" not in result.stdout.str()


def test_python_tests_ship_like_cases(python: Project) -> None:
    python.write("tests/test_eval.py", BOTH)

    result = python.run(GOOD, BASELINE, "--ftgate-report=report.json")

    result.assert_outcomes(passed=4)
    assert result.ret == 0
    assert python.verdict["verdict"] == "SHIP"
    assert python.verdict["plan"]["trials"] == 8
    assert {case["suite"] for case in report(python)["cases"]} == {"capitals"}


def test_a_miss_in_python_is_a_miss(python: Project) -> None:
    python.write("tests/test_eval.py", BOTH)

    result = python.run(BAD, BASELINE)

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*= MISSED =*", "*test_eval.py::test_capital?france?*", "regression: exact_match*"]
    )
    assert python.verdict["verdict"] == "SHIP"


def test_an_inline_case(project: Project) -> None:
    project.write("tests/test_inline.py", INLINE)

    result = project.run(GOOD, BASELINE, "tests", "--ftgate-report=report.json")

    result.assert_outcomes(passed=1)
    (case,) = report(project)["cases"]
    assert (case["suite"], case["id"], case["category"]) == ("tests/test_inline.py", "capital", "facts")
    assert [trial["arm"] for trial in case["trials"]] == ["baseline", "model"] or len(case["trials"]) == 2


def test_a_case_judged_by_a_file_item_and_a_test_counts_once_and_passes_only_if_both_do(
    project: Project,
) -> None:
    project.write(
        "tests/test_eval.py",
        "import pytest\n@pytest.mark.eval_case('evals/capitals.evalcase.yaml', id='italy')\n"
        "def test_strict(eval_case, model):\n"
        "    answer = model(eval_case)\n    eval_case.check(answer)\n"
        "    with eval_case.judge(answer):\n        assert answer.text.endswith('!')\n",
    )
    project.write(
        "ftgate.yaml", "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 80%}}}\n"
    )

    result = project.run(GOOD)

    assert result.ret == 1
    (criterion,) = (each for each in project.verdict["criteria"] if each["name"] == "right")
    assert (criterion["observed"], criterion["n"]) == (0.75, 4)


def test_equal_requests_of_several_items_are_sent_once(project: Project) -> None:
    project.write(
        "counted.py",
        "import bots\ndef answer(prompt):\n"
        "    with open('asked', 'a') as file:\n        file.write(prompt + '\\n')\n"
        "    return bots.good(prompt)\n",
    )
    project.write("tests/test_eval.py", CHECKED)

    result = project.run("--model=python:counted:answer")

    result.assert_outcomes(passed=8)
    assert len((project.pytester.path / "asked").read_text().splitlines()) == 4


def test_a_bare_assert_fails_the_models_trial_and_cannot_hide_the_baselines(python: Project) -> None:
    python.write(
        "tests/test_eval.py",
        "import pytest\n@pytest.mark.eval_case('evals/capitals.evalcase.yaml', id='italy')\n"
        "def test_bare(eval_case, model, baseline):\n"
        "    assert model(eval_case).text == 'Milan'\n    eval_case.check(baseline(eval_case))\n",
    )

    result = python.run(GOOD, BASELINE, "tests", "--ftgate-report=report.json")

    assert result.ret == 1
    (case,) = report(python)["cases"]
    assert {trial["arm"]: trial["outcome"] for trial in case["trials"]} == {
        "model": "failed",
        "baseline": "passed",
    }
    assert case["flip"] == "regression"
    result.stdout.fnmatch_lines(["*assert outside judge: *"])


def test_any_other_exception_makes_the_trials_errored(python: Project) -> None:
    python.write(
        "tests/test_eval.py",
        CHECKED.replace("eval_case.check", "raise OSError('no disk')\n    eval_case.check"),
    )

    result = python.run(GOOD)

    assert result.ret == 1
    assert python.verdict["verdict"] == "INCOMPLETE"
    result.stdout.fnmatch_lines(["*OSError: no disk*"])


def test_a_model_never_checked_takes_the_tests_outcome(python: Project) -> None:
    python.write(
        "tests/test_eval.py", CHECKED.replace("eval_case.check(model(eval_case))", "model(eval_case)")
    )

    result = python.run(BAD, "--ftgate-report=report.json")

    assert result.ret == 0
    assert {case["trials"][0]["outcome"] for case in report(python)["cases"]} == {"passed"}


def test_a_baseline_requested_and_never_judged_is_a_missing_trial_that_is_named(python: Project) -> None:
    python.write("tests/test_eval.py", BOTH.replace("    eval_case.check(baseline(eval_case))\n", ""))

    result = python.run(GOOD, BASELINE)

    assert result.ret == 1
    assert python.verdict["verdict"] == "INCOMPLETE"
    assert "test_capital[france]" in " ".join(python.verdict["reasons"])


def test_without_a_baseline_a_test_that_asks_for_one_is_skipped_not_planned_and_named(
    project: Project,
) -> None:
    project.write("tests/test_eval.py", BOTH)

    result = project.run(GOOD)

    result.assert_outcomes(passed=4, skipped=4)
    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"
    assert "tests/test_eval.py::test_capital[italy]" in " ".join(project.verdict["warnings"])


def test_many_tests_without_a_baseline_are_one_remark(python: Project) -> None:
    python.write("tests/test_eval.py", BOTH)
    python.write("tests/test_more.py", BOTH.replace("test_capital", "test_again"))

    python.run(GOOD, "--ftgate-report=report.json", "evals", "tests")

    remarks = [text for text in report(python)["warnings"] if "baseline" in text]
    assert remarks == [
        "8 tests ask for a baseline and there is none: not run: tests/test_eval.py::test_capital[france], "
        "tests/test_eval.py::test_capital[italy], tests/test_eval.py::test_capital[japan] …"
    ]


def test_repeats_run_as_tests_of_their_own(project: Project) -> None:
    project.write(
        "tests/test_eval.py", CHECKED.replace("\ndef", ", id='italy')\ndef").replace('yaml")', 'yaml"')
    )
    cases = (project.pytester.path / "evals/capitals.evalcase.yaml").read_text()
    project.write(
        "evals/capitals.evalcase.yaml", "collect: false\n" + cases.replace("tags: [boot]", "repeat: 3")
    )

    result = project.run(GOOD, "-v")

    result.stdout.fnmatch_lines(["*test_capital?italy? PASSED*", "*?italy#2? PASSED*", "*?italy#3? PASSED*"])
    assert project.verdict["plan"]["trials"] == 3


def test_a_prompt_of_its_own_is_asked_and_never_scored(python: Project) -> None:
    python.write(
        "tests/test_eval.py",
        CHECKED + "    assert model('Capital of Japan, please?').text == 'Tokyo'\n",
    )

    result = python.run(GOOD, "--ftgate-report=record.jsonl")

    assert result.ret == 0
    assert python.verdict["plan"]["trials"] == 4
    assert (python.pytester.path / "record.jsonl").read_text().count('"asides"') == 4


def test_an_ordinary_test_may_ask_the_model_too(project: Project) -> None:
    project.write(
        "tests/test_ask.py", "def test_ask(model):\n    assert model('Capital of Italy?').text == 'Rome'\n"
    )

    result = project.run(GOOD)

    result.assert_outcomes(passed=5)


def test_without_a_model_a_test_that_asks_is_skipped(project: Project) -> None:
    project.write("tests/test_ask.py", "def test_ask(model):\n    assert 0\n")

    result = project.run("-rs")

    result.assert_outcomes(skipped=5)
    result.stdout.fnmatch_lines(["*no model: name one with --model=NAME*"])


def test_check_wants_what_a_model_returned(python: Project) -> None:
    python.write("tests/test_eval.py", CHECKED.replace("model(eval_case)", "model(eval_case).text"))

    result = python.run(GOOD)

    result.stdout.fnmatch_lines(
        ["*TypeError: give this what model(...) or baseline(...) returned, not 'Paris'*"]
    )


def test_a_folder_may_replace_the_model_and_nothing_goes_to_the_replaced_one(project: Project) -> None:
    override = (
        "import pytest\nfrom pytest_ftgate import as_model\nimport bots\n"
        "@pytest.fixture\ndef model(request):\n    return as_model(request, bots.good)\n"
    )
    project.write(
        "counted.py", "def answer(prompt):\n    open('asked', 'a').write(prompt)\n    return 'Nowhere'\n"
    )
    project.write("pytest.ini", "[pytest]\npythonpath = .\n")
    project.write("evals/conftest.py", override)
    project.write("tests/conftest.py", override)
    project.write("tests/test_eval.py", CHECKED)

    result = project.run("--model=python:counted:answer")

    result.assert_outcomes(passed=8)
    assert not (project.pytester.path / "asked").exists()
    assert project.verdict["verdict"] == "SHIP"


def test_a_folder_may_bring_its_own_baseline(project: Project) -> None:
    project.write(
        "evals/conftest.py",
        "import pytest\nfrom pytest_ftgate import as_model\n"
        "@pytest.fixture\ndef baseline(request):\n    return as_model(request, 'python:bots:bad')\n",
    )

    project.run(GOOD, "--ftgate-report=report.json")

    flips = {case["id"]: case["flip"] for case in report(project)["cases"]}
    assert flips == {
        "france": "fixed",
        "italy": "both passed",
        "spain": "both passed",
        "japan": "both passed",
    }


def test_an_override_that_returns_something_else_is_an_error_that_says_what_to_return(
    project: Project,
) -> None:
    project.write("evals/conftest.py", "import pytest\n@pytest.fixture\ndef model():\n    return 'mine'\n")

    result = project.run(GOOD)

    result.assert_outcomes(errors=4, failed=2)
    result.stdout.fnmatch_lines(
        ["*the fixture 'model' that replaces ftgate's must return as_model(request, model), not str*"]
    )


def test_a_project_with_a_model_fixture_of_its_own_is_left_alone(empty_project: Project) -> None:
    empty_project.write("conftest.py", "import pytest\n@pytest.fixture\ndef model():\n    return 'car'\n")
    empty_project.write("test_own.py", "def test_own(model):\n    assert model == 'car'\n")

    result = empty_project.run()

    result.assert_outcomes(passed=1)
    assert not [line for line in result.outlines if line.startswith("ftgate")]


@pytest.mark.parametrize("selection", [["-k", "italy"], ["tests/test_eval.py::test_capital[italy]"]])
def test_a_selected_python_test_narrows(python: Project, selection: list[str]) -> None:
    python.write("tests/test_eval.py", CHECKED)

    result = python.run(GOOD, *selection)

    result.assert_outcomes(passed=1, deselected=3 if "-k" in selection else 0)
    assert "narrowed" in python.verdict["sentence"]


def test_last_failed_that_passes_over_a_module_narrows(python: Project) -> None:
    python.write("tests/test_eval.py", CHECKED)
    python.write("tests/test_plain.py", "def test_plain():\n    assert 0\n")
    python.pytester.runpytest(GOOD)

    python.pytester.runpytest(GOOD, "--lf")

    assert python.verdict["verdict"] == "INCOMPLETE"


def test_workers_judge_python_tests_alike(python: Project) -> None:
    pytest.importorskip("xdist")
    python.write("tests/test_eval.py", BOTH)
    alone = python.run_apart(BAD, BASELINE)
    verdict = python.verdict["criteria"]

    spread = python.run_apart(BAD, BASELINE, "-n2")

    assert (spread.ret, spread.parseoutcomes()) == (alone.ret, alone.parseoutcomes())
    assert python.verdict["criteria"] == verdict


def test_a_comparison_of_tests_that_ask_no_baseline_says_which_fixture_they_lack(python: Project) -> None:
    python.write("tests/test_eval.py", CHECKED)
    python.write(
        "ftgate.yaml",
        "gate: {min_cases: 1, criteria: {better: {metric: pass_rate, compare: delta, at_least: 0%}}}\n",
    )

    python.run(GOOD, BASELINE)

    (better,) = (each for each in python.verdict["criteria"] if each["name"] == "better")
    assert (better["status"], better["reason"]) == (
        "NOT MEASURED",
        "no test asks a baseline: add the fixture `baseline` to the tests, and --baseline=NAME",
    )

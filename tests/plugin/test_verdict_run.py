"""Whole runs, narrowed runs, runs cut short: verdict file, exit status, and what pytest counts."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tests.plugin.conftest import Project
from tests.support.rows import unwrapped

GOOD, BAD = "--model=python:bots:good", "--model=python:bots:bad"


def test_a_gate_that_is_met_ships_and_exits_0(project: Project) -> None:
    result = project.run(GOOD)

    result.assert_outcomes(passed=4)
    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"


def test_a_miss_within_the_gate_is_shown_but_excused(project: Project) -> None:
    result = project.run(BAD)

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*= MISSED =*", "*evals/capitals.evalcase.yaml::france*", "*3 passed, 1 missed*"]
    )
    assert project.verdict["verdict"] == "SHIP"


def test_a_gate_that_is_not_met_iterates_and_exits_1(project: Project) -> None:
    project.write(
        "ftgate.yaml", "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 80%}}}\n"
    )

    result = project.run(BAD)

    assert result.ret == 1
    assert project.verdict["verdict"] == "ITERATE"
    result.stdout.fnmatch_lines(
        ["FAILED ftgate::right*", "FAILED ftgate::verdict*", "*2 failed, 3 passed, 1 missed*"]
    )


def test_an_ordinary_failure_beside_a_ship_still_fails(project: Project) -> None:
    project.write("test_plain.py", "def test_plain(): assert False\n")

    result = project.run(BAD)

    assert result.ret == 1
    assert project.verdict["verdict"] == "SHIP"
    result.stdout.fnmatch_lines(["SHIP; 1 other test failed"])


@pytest.mark.parametrize(
    "selection",
    [["-k", "italy"], ["-m", "not eval_case"], ["--deselect", "evals/capitals.evalcase.yaml::spain"]],
)
def test_a_narrowed_run_has_no_verdict_and_pytest_decides(project: Project, selection: list[str]) -> None:
    project.write("test_plain.py", "def test_plain(): pass\n")
    project.write("pytest.ini", "[pytest]\nftgate_model = python:bots:good\n")

    result = project.run(*selection)

    assert result.ret == 0
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "ftgate::verdict" not in result.stdout.str()


def test_in_a_narrowed_run_a_miss_is_an_ordinary_failure(project: Project) -> None:
    result = project.run(BAD, "-k", "france or italy")

    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1, deselected=2)


def test_a_node_id_narrows(project: Project) -> None:
    result = project.run(GOOD, "evals/capitals.evalcase.yaml::italy")

    assert result.ret == 0
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "narrowed" in project.verdict["sentence"]


def test_ignoring_a_case_file_narrows(project: Project) -> None:
    project.write(
        "evals/more.evalcase.yaml", "cases:\n  - {id: x, prompt: Capital of Italy?, expect: Rome}\n"
    )

    project.run(GOOD, "--ignore=evals/more.evalcase.yaml")

    assert project.verdict["verdict"] == "INCOMPLETE"


def test_last_failed_narrows(project: Project) -> None:
    project.write(
        "evals/more.evalcase.yaml", "cases:\n  - {id: x, prompt: Capital of Italy?, expect: Rome}\n"
    )
    project.pytester.runpytest(BAD)

    result = project.pytester.runpytest(BAD, "--lf")

    result.assert_outcomes(failed=1)
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_required_verdict_fails_a_narrowed_run(project: Project) -> None:
    result = project.run(GOOD, "-k", "italy", "--ftgate-require-verdict")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED ftgate::verdict*"])


def test_maxfail_cuts_the_run_short(project: Project) -> None:
    result = project.run(BAD, "-x")

    assert result.ret == 1
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "did not finish" in project.verdict["reasons"][0]


def test_maxfail_that_stops_behind_the_last_test_cuts_nothing_short(project: Project) -> None:
    cases = "suite: capitals\ncases:\n  - {id: italy, prompt: Capital of Italy?, expect: Rome}\n"
    project.write(
        "evals/capitals.evalcase.yaml", cases + "  - {id: france, prompt: France?, expect: Paris}\n"
    )
    project.write(
        "ftgate.yaml", "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 50%}}}\n"
    )

    result = project.run(BAD, "-x")

    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"


def test_without_a_model_cases_are_skipped_and_nothing_is_gated(project: Project) -> None:
    result = project.run()

    assert result.ret == 0
    result.assert_outcomes(skipped=4)
    result.stdout.fnmatch_lines(["ftgate: not gated: 4 eval cases and no model; name one with --model=NAME"])
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_model_on_the_command_line_and_no_case_fails(project: Project) -> None:
    project.write("tests/test_plain.py", "def test_plain(): pass\n")
    project.write("tests/tools.evalcases.yaml", "cases: []\n")

    result = project.run(GOOD, "tests")

    assert result.ret == 1
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "tests/tools.evalcases.yaml" in " ".join(project.verdict["reasons"])


def test_a_model_in_the_ini_file_and_no_case_changes_nothing(project: Project) -> None:
    project.write("tests/test_plain.py", "def test_plain(): pass\n")
    project.write("pytest.ini", "[pytest]\nftgate_model = python:bots:good\n")

    result = project.run("tests")

    assert result.ret == 0
    assert not (project.pytester.path / ".ftgate").exists()
    assert "ftgate" not in "\n".join(
        line for line in result.outlines if not line.startswith(("plugins:", "ftgate: model"))
    )


def test_an_errored_trial_is_an_error_and_the_run_incomplete(project: Project) -> None:
    result = project.run("--model=python:bots:shaky")

    assert result.ret == 1
    result.assert_outcomes(passed=3, errors=1, failed=2)
    result.stdout.fnmatch_lines(["*RuntimeError: out of memory*"])
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_an_error_within_the_budget_is_shown_and_excused(project: Project) -> None:
    project.write(
        "ftgate.yaml",
        "gate: {min_cases: 1, max_errors: 1, criteria: {right: {metric: pass_rate, at_least: 75%}}}\n",
    )

    result = project.run("--model=python:bots:shaky")

    result.assert_outcomes(passed=3, errors=1)
    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"


def test_a_fixture_that_breaks_makes_the_trial_errored(project: Project) -> None:
    project.write(
        "evals/conftest.py",
        "import pytest\n@pytest.fixture(autouse=True)\n"
        "def broken(request):\n    assert request.node.name != 'italy', 'no bus'\n",
    )

    result = project.run(GOOD)

    assert result.ret == 1
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "errored" in project.verdict["sentence"]


def test_skip_leaves_the_plan_and_any_other_skip_is_a_missing_trial(project: Project) -> None:
    cases = "suite: capitals\ncases:\n  - {id: italy, prompt: Capital of Italy?, expect: Rome}\n"
    project.write(
        "evals/capitals.evalcase.yaml", cases + "  - {id: later, prompt: Hi, expect: Ho, skip: not yet}\n"
    )
    first = project.run(GOOD)
    project.write(
        "evals/conftest.py", "import pytest\n@pytest.fixture(autouse=True)\ndef away(): pytest.skip('away')\n"
    )

    second = project.run(GOOD)

    first.assert_outcomes(passed=1, skipped=1)
    assert first.ret == 0
    assert second.ret == 1
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_xfail_changes_what_pytest_shows_and_no_number(project: Project) -> None:
    cases = project.pytester.path.joinpath("evals/capitals.evalcase.yaml").read_text()
    project.write(
        "evals/capitals.evalcase.yaml", cases.replace("expect: Paris", "expect: Paris, xfail: known")
    )
    project.write(
        "ftgate.yaml", "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 80%}}}\n"
    )

    result = project.run(BAD)

    result.assert_outcomes(passed=3, xfailed=1, failed=2)
    assert project.verdict["verdict"] == "ITERATE"


def test_strict_makes_every_case_count(project: Project) -> None:
    result = project.run(BAD, "--ftgate-strict")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED ftgate::every_case*"])


def test_the_baseline_never_fails_a_test(project: Project) -> None:
    result = project.run(GOOD, "--baseline=python:bots:bad")

    result.assert_outcomes(passed=4)
    assert result.ret == 0


def test_a_regression_says_so(project: Project) -> None:
    result = project.run(BAD, "--baseline=python:bots:good")

    result.stdout.fnmatch_lines(["*regression*"])


def test_criteria_and_cases_stand_in_the_junit_file(project: Project) -> None:
    project.write(
        "ftgate.yaml", "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 80%}}}\n"
    )

    project.run(BAD, "--junitxml=out.xml")

    root = ElementTree.parse(project.pytester.path / "out.xml").getroot()
    cases = {case.get("classname", "") + "::" + case.get("name", ""): case for case in root.iter("testcase")}
    france = next(case for name, case in cases.items() if name.endswith("france"))
    properties = {each.get("name"): each.get("value") for each in france.iter("property")}
    assert france.find("failure") is not None
    assert properties["ftgate_outcome"] == "failed"
    assert properties["ftgate_category"] == "west"
    assert cases["ftgate::right"].find("failure") is not None
    assert cases["ftgate::verdict"].find("failure") is not None


def test_junit_properties_can_be_switched_off(project: Project) -> None:
    project.write("pytest.ini", "[pytest]\nftgate_junit_properties = false\n")

    project.run(GOOD, "--junitxml=out.xml")

    assert "ftgate_outcome" not in (project.pytester.path / "out.xml").read_text()


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "two workers"])
def test_junit_properties_are_only_made_where_a_junit_file_is_asked_for(
    project: Project, workers: tuple[str, ...]
) -> None:
    project.write(
        "conftest.py",
        "def pytest_runtest_logreport(report):\n"
        "    open('seen', 'a').write(' '.join(name for name, _ in report.user_properties))\n",
    )
    seen = project.pytester.path / "seen"

    project.run_apart(GOOD, *workers)
    without = seen.read_text()
    project.run_apart(GOOD, *workers, "--junitxml=out.xml")

    assert "ftgate_outcome" not in without
    assert "ftgate_outcome" in seen.read_text()
    assert "ftgate_outcome" in (project.pytester.path / "out.xml").read_text()


def test_an_unwritable_report_fails_the_run_and_is_named(project: Project) -> None:
    result = project.run(GOOD, "--ftgate-report=bots.py/out.json")

    assert result.ret == 1
    assert re.search(
        r"^ftgate: can't write \S+/bots\.py/out\.json: ", unwrapped(result.stdout.str()), re.MULTILINE
    )


def test_an_unknown_report_suffix_is_a_usage_error(project: Project) -> None:
    result = project.run(GOOD, "--ftgate-report=out.doc")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*out.doc*.json*"])


def test_an_answer_cut_off_is_no_exact_match_for_the_gate_either(project: Project) -> None:
    project.write(
        "cut.py", "def answer(prompt):\n    return {'text': 'Rome', 'finish_reason': 'length', 'usage': {}}\n"
    )
    cases = "suite: capitals\ncases:\n  - {id: italy, prompt: Capital of Italy?, expect: Rome}\n"
    project.write("evals/capitals.evalcase.yaml", cases)
    project.write(
        "ftgate.yaml", "gate: {min_cases: 1, criteria: {right: {metric: exact_match, at_least: 85%}}}\n"
    )

    result = project.run("--model=python:cut:answer")

    assert result.ret == 1
    assert project.verdict["verdict"] == "ITERATE"


def test_what_no_answer_can_mend_is_said_before_anything_is_asked(project: Project) -> None:
    project.write(
        "ftgate.yaml",
        "gate: {min_cases: 1, criteria: {hard: {metric: pass_rate, category: sout, at_least: 90%}}}\n",
    )

    result = project.run(GOOD)

    said = (
        "ftgate: this run can't end in SHIP: hard: no case has the category 'sout'. Did you mean 'south'?\n"
    )
    before, _, after = unwrapped(result.stdout.str()).partition(said)
    assert "collected 4 items" in before
    assert after.lstrip().startswith("evals/capitals.evalcase.yaml ....")
    assert project.verdict["verdict"] == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("option", "name", "holds"),
    [
        ("--ftgate-report", "evals/rows.jsonl", "record"),
        ("--ftgate-report", "tools.json", "report"),
        ("--ftgate-save-answers", "evals/rows.jsonl", "saved answers"),
        ("--ftgate-save-answers", "evals/capitals.evalcase.yaml", "saved answers"),
    ],
)
def test_a_file_of_another_kind_is_never_written_over(
    project: Project, option: str, name: str, holds: str
) -> None:
    path = project.pytester.path / name
    if not path.exists():
        project.write(name, '{"id": "a"}\n')
    before = path.read_text()

    result = project.run("--model=python:bots:good", f"{option}={name}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"*{name} holds no {holds} and is left as it is: name another file, or delete it first"]
    )
    assert path.read_text() == before

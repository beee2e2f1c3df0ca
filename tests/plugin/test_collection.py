"""Case files become pytest items, and mistakes become collection errors of their own."""

from __future__ import annotations

import re

import pytest

from tests.plugin.conftest import Project


def collected(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line and not line.startswith(("ERROR", "FAILED"))]


def test_cases_are_items_with_stable_ids(project: Project) -> None:
    result = project.run("--collect-only", "-q")

    assert collected(result) == [
        f"evals/capitals.evalcase.yaml::{name}" for name in ("france", "italy", "spain", "japan")
    ]


def test_collect_only_leaves_the_verdict_alone(project: Project) -> None:
    project.run("--collect-only", "--model=python:bots:good")

    assert not (project.pytester.path / ".ftgate").exists()


@pytest.mark.parametrize(
    ("keyword", "names"),
    [
        ("south", ["italy", "spain"]),
        ("boot", ["italy"]),
        ("capitals and japan", ["japan"]),
        ("target and west", ["france"]),
    ],
)
def test_suite_role_category_and_tags_are_keywords(project: Project, keyword: str, names: list[str]) -> None:
    result = project.run("--collect-only", "-q", "-k", keyword)

    assert collected(result) == [f"evals/capitals.evalcase.yaml::{name}" for name in names]


def test_items_carry_the_mark(project: Project) -> None:
    project.write("test_plain.py", "def test_plain(): pass\n")

    result = project.run("--collect-only", "-q", "--strict-markers", "-m", "eval_case")

    assert len(collected(result)) == 4


def test_a_case_is_where_it_stands_in_the_file(project: Project) -> None:
    items, _ = project.pytester.inline_genitems()

    assert [item.location for item in items] == [
        ("evals/capitals.evalcase.yaml", line, name)
        for line, name in enumerate(("france", "italy", "spain", "japan"), 3)
    ]


@pytest.mark.parametrize(
    ("scope", "expected"), [("function", 5), ("class", 5), ("module", 2), ("package", 1), ("session", 1)]
)
def test_autouse_fixtures_of_the_folder_apply(project: Project, scope: str, expected: int) -> None:
    project.write(
        "evals/conftest.py",
        f"import pytest\n@pytest.fixture(autouse=True, scope='{scope}')\n"
        "def noted(request):\n    print('noted up')\n    yield\n    print('noted down')\n",
    )
    one_more = "cases: [{id: cuba, prompt: Capital of Cuba?, expect: {not: {exact_match: Rome}}}]\n"
    project.write("evals/more.evalcase.yaml", one_more)

    result = project.run("--model=python:bots:good", "-s")

    result.assert_outcomes(passed=5)
    told = re.findall("noted (up|down)", result.stdout.str())
    assert told == ["up", "down"] * expected


def test_mistakes_are_nodes_of_their_own_and_all_are_reported(project: Project) -> None:
    project.write(
        "evals/wrong.evalcase.yaml",
        "cases:\n"
        "  - id: one\n    prompt: Hi\n    expcted: Paris\n"
        "  - id: two\n    prompt: Hi\n    expect: {exat_match: Paris}\n"
        "  - id: sound\n    prompt: Hi\n    expect: Paris\n",
    )

    result = project.run("--model=python:bots:good")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "evals/wrong.evalcase.yaml:4:5: case 'one': unknown key 'expcted'. Did you mean 'expect'?",
            "evals/wrong.evalcase.yaml:7:14: case 'two': unknown scorer 'exat_match'. "
            "Did you mean 'exact_match'?",
            "ERROR evals/wrong.evalcase.yaml::one*",
            "ERROR evals/wrong.evalcase.yaml::two*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_sound_cases_run_when_pytest_is_told_to_go_on_but_nothing_ships(project: Project) -> None:
    project.write("evals/wrong.evalcase.yaml", "cases:\n  - {id: one, prompt: Hi, expcted: Paris}\n")

    result = project.run("--model=python:bots:good", "--continue-on-collection-errors")

    result.assert_outcomes(passed=4, errors=1, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert (project.verdict["verdict"], project.verdict["reasons"]) == (
        "INCOMPLETE",
        ["cut short: 1 collection error"],
    )


def test_two_files_of_one_suite_name_are_refused(project: Project) -> None:
    project.write(
        "evals/more.evalcase.yaml", "suite: capitals\ncases:\n  - {id: x, prompt: Hi, expect: Ho}\n"
    )

    result = project.run("--collect-only")

    result.stdout.fnmatch_lines(
        ["*suite 'capitals' is also the name of evals/capitals.evalcase.yaml: give one another `suite:`*"]
    )


def test_a_broken_ftgate_yaml_is_a_usage_error(project: Project) -> None:
    project.write("ftgate.yaml", "gate:\n  min_case: 1\n")

    result = project.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*ftgate.yaml:2:3: *min_case*min_cases*"])

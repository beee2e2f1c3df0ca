"""The pages on Python tests and hooks are true: their files, put into one project, do what the pages say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pytest_ftgate import plugin
from pytest_ftgate.plugin import hookspecs
from tests.plugin.conftest import Project
from tests.support.pages import blocks, write_files

DOCS = Path(__file__).parents[1] / "docs"
PYTHON_TESTS = (DOCS / "python-tests.md").read_text(encoding="utf-8")
HOOKS = (DOCS / "hooks.md").read_text(encoding="utf-8")

#: A shop that knows its rules, and one that does not; what the pages leave to the reader.
APP = """
RULES = {"shoes": "Within 30 days.", "money": "After 5 days.", "Hello": "How may I help?"}

def answer(prompt):
    return next((rule for word, rule in RULES.items() if word in prompt), "No idea.")

def clueless(prompt):
    return "No idea."
"""
GATE = "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, compare: delta, at_least: 50%}}}\n"
MORE = "cases:\n- {id: shoes, prompt: How long for shoes?, expect: {contains: 30}}\n"
MODELS = ("--model=python:my_app:answer", "--baseline=python:my_app:clueless")


@pytest.fixture
def shop(pytester: pytest.Pytester) -> Project:
    """The project of docs/python-tests.md."""
    project = Project(pytester)
    project.write("pytest.ini", "[pytest]\npythonpath = .\n")
    project.write("my_app.py", APP)
    project.write("ftgate.yaml", GATE)
    project.write("evals/more.evalcase.yaml", MORE)
    write_files(PYTHON_TESTS, pytester.path)
    return project


def test_all_files_of_the_pages_are_tried(tmp_path: Path) -> None:
    assert write_files(PYTHON_TESTS, tmp_path) == [
        "evals/refunds.evalcase.yaml",
        "tests/test_refunds.py",
        "tests/test_marker.py",
        "tests/test_async.py",
        "app_tests/conftest.py",
    ]
    assert write_files(HOOKS, tmp_path) == [
        "conftest.py",
        "shop_bot.py",
        "polite_checks.py",
        "tests/conftest.py",
    ]


def test_the_first_test_of_the_page_compares_two_models(shop: Project) -> None:
    result = shop.run(*MODELS, "tests/test_refunds.py")

    result.assert_outcomes(passed=2)
    assert shop.verdict["verdict"] == "SHIP"
    assert shop.verdict["plan"]["trials"] == 4


def test_the_marks_of_the_page_add_up(shop: Project) -> None:
    result = shop.run(*MODELS, "tests/test_marker.py", "-v")

    passed = re.findall(r"test_all\[(\S+)\] PASSED", result.stdout.str())
    assert passed == ["late_return", "shoes", "hello"]


def test_the_async_test_of_the_page_runs(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pytest_asyncio")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    result = shop.run_apart(
        "-p", "pytest_ftgate.plugin", "-p", "pytest_asyncio.plugin", *MODELS, "tests/test_async.py"
    )

    assert result.parseoutcomes()["passed"] == 2


def test_the_folder_of_the_page_asks_its_own_model(shop: Project) -> None:
    shop.write("app_tests/own.evalcase.yaml", MORE)

    result = shop.run("--model=python:my_app:clueless", "app_tests")

    assert result.parseoutcomes()["passed"] == 1
    (trial,) = (line for line in result.outlines if line.startswith("all"))
    assert "100.0%" in trial


def test_a_model_fixture_of_another_kind_is_kept_and_ftgate_model_asks(shop: Project) -> None:
    shop.write("own/conftest.py", "import pytest\n@pytest.fixture\ndef model():\n    return 'car'\n")
    shop.write(
        "own/test_own.py",
        "import pytest\n"
        "@pytest.mark.eval_case(id='shoes', prompt='shoes?', expect={'contains': '30'})\n"
        "def test_case(eval_case, ftgate_model):\n    eval_case.check(ftgate_model(eval_case))\n"
        "def test_car(model):\n    assert model == 'car'\n",
    )

    result = shop.run(*MODELS, "own", "--ftgate-report=report.json")

    assert result.parseoutcomes()["passed"] == 2
    (case,) = json.loads((shop.pytester.path / "report.json").read_text(encoding="utf-8"))["cases"]
    assert [trial["outcome"] for trial in case["trials"] if trial["arm"] == "model"] == ["passed"]


def test_the_page_names_every_fixture() -> None:
    assert plugin.__all__
    assert not [name for name in plugin.__all__ if f"`{name}`" not in PYTHON_TESTS]


def test_the_page_names_every_hook_with_its_arguments() -> None:
    written = set(re.findall(r"^\| `(\w+)\(([\w, ]+)\)`", HOOKS, re.MULTILINE))

    specs = {name: value for name, value in vars(hookspecs).items() if name.startswith("pytest_ftgate_")}
    assert written == {
        (name, ", ".join(spec.__code__.co_varnames[: spec.__code__.co_argcount]))
        for name, spec in specs.items()
    }


@pytest.fixture
def hooked(pytester: pytest.Pytester) -> Project:
    """The project of docs/hooks.md, its plugin installed."""
    project = Project(pytester)
    project.write("pytest.ini", "[pytest]\n")
    write_files(HOOKS, pytester.path)
    about = "polite_checks-1.0.dist-info"
    project.write(f"{about}/METADATA", "Metadata-Version: 2.1\nName: polite-checks\nVersion: 1.0\n")
    entry = next(text for kind, text in blocks(HOOKS) if kind == "toml")
    assert entry.splitlines()[1:] == ["[project.entry-points.pytest11]", 'polite_checks = "polite_checks"']
    project.write(f"{about}/entry_points.txt", "[pytest11]\npolite_checks = polite_checks\n")
    project.write(
        "ftgate.yaml",
        "gate: {min_cases: 1, criteria: {manners: {metric: polite, at_least: 0%},"
        " short: {metric: words, at_least: 100%}}}\n",
    )
    cases = "cases:\n- {id: a, prompt: How long?, expect: {words: 20}}\n"
    project.write("tests/brief.evalcase.yaml", cases)
    return project


def test_the_models_checks_metrics_and_last_hook_of_the_page_work_together(hooked: Project) -> None:
    result = hooked.run_as_installed("--model=shop:eu", "--baseline=shop:us")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["plugins:*polite-checks-1.0*"])
    criteria = {each["name"]: (each["status"], each["observed"]) for each in hooked.verdict["criteria"]}
    assert criteria == {"manners": ("GO", 0.0), "short": ("GO", 1.0)}
    said = json.loads((hooked.pytester.path / "said.json").read_text(encoding="utf-8"))
    assert said == {"verdict": "SHIP", "why": hooked.verdict["sentence"]}


def test_the_command_of_the_page_on_hooks_is_the_one_that_was_tried() -> None:
    assert "pytest --model=shop:eu --baseline=shop:us\n" in [text for kind, text in blocks(HOOKS) if not kind]

"""Attacks by tests written in Python: whatever a test does with answers, a miss or an error stays one."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project

ANY = "gate: {min_cases: 1, criteria: {all: {metric: pass_rate, at_least: 1}}}\n"
GOOD, BAD = "--model=python:bots:good", "--model=python:bots:bad"
MARK = 'import pytest\n@pytest.mark.eval_case("evals/capitals.evalcase.yaml")\n'


@pytest.fixture
def python(project: Project) -> Project:
    """The capitals only through markers, and all of them must be right."""
    cases = project.pytester.path / "evals/capitals.evalcase.yaml"
    project.write("evals/capitals.evalcase.yaml", "collect: false\n" + cases.read_text())
    project.write(
        "ftgate.yaml", "gate: {min_cases: 1, criteria: {all: {metric: pass_rate, at_least: 100%}}}\n"
    )
    project.write(
        "bots.py", (project.pytester.path / "bots.py").read_text() + "\ndef worst(prompt): return 'x'\n"
    )
    return project


def verdict_of(project: Project, code: str, *args: str) -> str:
    project.write("tests/test_m.py", MARK + code)
    result = project.run(*args)
    assert result.ret != 0
    return str(project.verdict["verdict"])


def test_overrides_whose_functions_are_called_alike_have_answers_of_their_own(python: Project) -> None:
    for folder, city in (("one", "CAPITALS.get(prompt.split()[-1].strip('?'))"), ("two", "'wrong'")):
        python.write(
            f"{folder}/conftest.py",
            "import pytest\nfrom pytest_ftgate import as_model\n"
            "CAPITALS = {'France': 'Paris', 'Italy': 'Rome', 'Spain': 'Madrid', 'Japan': 'Tokyo'}\n"
            f"def answer(prompt):\n    return {city}\n"
            "@pytest.fixture\ndef model(request):\n    return as_model(request, answer)\n",
        )
        python.write(
            f"{folder}/test_{folder}.py",
            MARK + "def test_m(eval_case, model): eval_case.check(model(eval_case))\n",
        )

    result = python.run(GOOD)

    assert result.ret == 1
    assert result.parseoutcomes()["missed"] == 4


def test_an_error_that_a_test_swallows_stays_an_error(python: Project) -> None:
    code = "def test_m(eval_case, model):\n    try: model(eval_case)\n    except Exception: return\n"

    assert verdict_of(python, code, "--model=python:bots:broken") == "INCOMPLETE"


def test_an_assert_of_a_conftest_is_no_miss(project: Project) -> None:
    project.write("conftest.py", "def pytest_runtest_call(item):\n    assert 0, 'leak'\n")

    result = project.run(GOOD)

    assert result.ret == 1
    assert "missed" not in result.parseoutcomes()


@pytest.mark.skipif(not hasattr(pytest, "Subtests"), reason="subtests came with pytest 9")
def test_a_failed_subtest_fails_the_models_trial(python: Project) -> None:
    code = (
        "def test_m(eval_case, model, subtests):\n"
        "    with subtests.test():\n        assert model(eval_case).text == 'nonsense'\n"
    )

    assert verdict_of(python, code, GOOD) == "ITERATE"


def test_a_test_that_another_plugin_fails_fails_the_models_trial(python: Project) -> None:
    python.write(
        "conftest.py",
        "import pytest\n@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
        "    report = yield\n    report.outcome = 'failed' if call.when == 'call' else report.outcome\n"
        "    return report\n",
    )

    assert (
        verdict_of(python, "def test_m(eval_case, model): eval_case.check(model(eval_case))\n", GOOD)
        == "ITERATE"
    )


def test_an_arm_that_is_asked_behind_the_plans_back_leaves_the_run_incomplete(project: Project) -> None:
    code = (
        "def test_m(eval_case, request):\n    eval_case.check(request.getfixturevalue('model')(eval_case))\n"
    )
    project.write("tests/test_m.py", MARK + code)

    project.run(GOOD)

    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "judged the model without asking for the fixture `model`" in project.verdict["sentence"]


def test_an_override_with_the_other_arms_handle_is_refused(python: Project) -> None:
    python.write(
        "conftest.py", "import pytest\n@pytest.fixture\ndef model(ftgate_baseline): return ftgate_baseline\n"
    )
    code = "def test_m(eval_case, model): eval_case.check(model(eval_case))\n"

    assert (
        verdict_of(python, code, "--model=python:bots:worst", "--baseline=python:bots:worst") == "INCOMPLETE"
    )


def test_a_check_after_the_end_leaves_the_run_incomplete(python: Project) -> None:
    python.write(
        "tests/conftest.py",
        "import pytest\n@pytest.fixture\ndef late(eval_case, model):\n"
        "    yield\n    eval_case.check(model(eval_case))\n",
    )

    assert (
        verdict_of(python, "def test_m(eval_case, model, late): pass\n", "--model=python:bots:worst")
        == "INCOMPLETE"
    )


@pytest.mark.parametrize(
    "classes",
    [
        "class Base:\n    {mark}\n    def test_m(self, eval_case, model): eval_case.check(model(eval_case))\n"
        "class TestB(Base): pass\n",
        "class TestOuter:\n    class TestInner:\n        {mark}\n"
        "        def test_m(self, eval_case, model): eval_case.check(model(eval_case))\n",
    ],
)
def test_a_node_id_leaves_out_inherited_and_nested_classes(project: Project, classes: str) -> None:
    mark = "@pytest.mark.eval_case(id='b', prompt='Capital of France?', expect='Paris', must_pass=True)"
    own = "@pytest.mark.eval_case(id='a', prompt='Capital of Italy?', expect='Rome')\n"
    own += "def test_a(eval_case, model): eval_case.check(model(eval_case))\n"
    project.write("tests/test_m.py", "import pytest\n" + own + classes.format(mark=mark))

    project.run(BAD, "tests/test_m.py::test_a", "evals")

    assert project.verdict["verdict"] == "INCOMPLETE"


def test_ignoring_a_module_whose_fixtures_speak_of_cases_narrows(project: Project) -> None:
    project.write(
        "tests/conftest.py",
        "import pytest\n@pytest.fixture\ndef checked(eval_case, model): eval_case.check(model(eval_case))\n",
    )
    project.write("tests/test_b.py", "def test_b(checked): pass\n")

    project.run(GOOD, "--ignore=tests/test_b.py")

    assert project.verdict["verdict"] == "INCOMPLETE"


def test_cases_left_to_markers_that_nobody_takes_are_named_and_narrow_where_the_gate_wants_them(
    python: Project,
) -> None:
    python.write("more/more.evalcase.yaml", "cases:\n  - {id: x, prompt: Capital of Italy?, expect: Rome}\n")
    first = python.run(GOOD, "more", "evals")
    warned = python.verdict["warnings"]
    python.write(
        "ftgate.yaml",
        ANY.replace("min_cases: 1", "min_cases: 1, suites: ['evals/**']"),
    )

    python.run(GOOD, "more")

    assert first.ret == 0
    assert warned == [
        "evals/capitals.evalcase.yaml has `collect: false`, and no test here takes 4 of its cases"
    ]
    assert python.verdict["verdict"] == "INCOMPLETE"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "kept = []\ndef test_m(eval_case, model):\n"
            "    kept.append(model(eval_case))\n    eval_case.check(kept[0])\n",
            "*TypeError: this is the answer to case 'france', not to case 'italy'*",
        ),
        (
            "def test_m(eval_case, model): eval_case.check(model('Capital of Italy?'))\n",
            "*TypeError: the answer to another prompt is never scored: check what model(eval_case) returned*",
        ),
    ],
)
def test_only_the_cases_own_answer_is_scored(python: Project, code: str, message: str) -> None:
    python.write("tests/test_m.py", "import pytest\n" + _below(MARK, code))

    result = python.run(GOOD)

    assert result.ret == 1
    assert python.verdict["verdict"] == "INCOMPLETE"
    result.stdout.fnmatch_lines([message])


def _below(mark: str, code: str) -> str:
    """The marker stands right above the test, whatever the module does before."""
    before, test = code.split("def test_m", 1)
    return before + mark.replace("import pytest\n", "") + "def test_m" + test


def test_a_refused_check_that_a_test_swallows_is_no_pass(python: Project) -> None:
    code = (
        "def test_m(eval_case, model):\n"
        "    try: eval_case.check(model('Capital of Italy?'))\n    except TypeError: pass\n"
    )

    assert verdict_of(python, code, GOOD) == "INCOMPLETE"


def test_a_baseline_for_one_role_alone_skips_the_tests_of_the_other_that_ask_for_it(project: Project) -> None:
    project.write(
        "ftgate.yaml",
        "roles: {general: {baseline: python:bots:good}}\n" + ANY,
    )
    project.write(
        "tests/test_m.py",
        MARK + "def test_m(eval_case, model, baseline): eval_case.check(baseline(eval_case))\n",
    )

    result = project.run(GOOD)

    result.assert_outcomes(passed=4, skipped=4)


def test_a_prompt_of_its_own_goes_to_the_model_of_the_cases_role(project: Project) -> None:
    project.write(
        "evals/general.evalcase.yaml",
        "role: general\ncollect: false\ncases:\n  - {id: x, prompt: Hi, expect: none}\n",
    )
    project.write(
        "ftgate.yaml",
        "roles: {general: {model: python:bots:bad}}\nmodel: python:bots:good\n" + ANY,
    )
    project.write(
        "tests/test_m.py",
        "import pytest\n@pytest.mark.eval_case('evals/general.evalcase.yaml')\n"
        "def test_m(eval_case, model): assert model('Capital of France?').text == 'Lyon'\n",
    )

    result = project.run()

    result.assert_outcomes(passed=5)


def test_a_store_that_is_none_is_told_with_workers(project: Project) -> None:
    pytest.importorskip("xdist")
    project.write(".ftgate/answers.sqlite", "garbage")

    result = project.run_apart("--model=python:bots:good", "-n2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*answers.sqlite*"])

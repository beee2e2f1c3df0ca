"""Beside other plugins that teams use; each test skips where its plugin is not installed."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project

GOOD, BAD = "--model=python:bots:good", "--model=python:bots:bad"

FLAKY = """
import pathlib, pytest
@pytest.mark.eval_case(id="capital", prompt="Capital of Italy?", expect="Rome")
def test_flaky(eval_case, model):
    eval_case.check(model(eval_case))
    marker = pathlib.Path("second")
    is_first = not marker.exists()
    marker.touch()
    assert not is_first, "only the second time"
"""

ASYNC = """
import pytest
{mark}
@pytest.mark.eval_case("evals/capitals.evalcase.yaml")
async def test_capital(eval_case, model, baseline):
    eval_case.check(await model.acomplete(eval_case))
    eval_case.check(await baseline.acomplete(eval_case))
"""


@pytest.fixture(autouse=True)
def _named_plugins_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS")


def plain(project: Project, *args: str) -> pytest.RunResult:
    """A run with ftgate and the named plugins alone."""
    return project.run_as_installed("-p", "pytest_ftgate.plugin", *args)


def test_a_rerun_reads_the_same_answers_and_a_miss_stays_a_miss(project: Project) -> None:
    pytest.importorskip("pytest_rerunfailures")
    project.write(
        "counted.py",
        "import bots\ndef answer(prompt):\n"
        "    open('asked', 'a').write(prompt + '\\n')\n    return bots.bad(prompt)\n",
    )

    result = plain(project, "-p", "pytest_rerunfailures", "--reruns=2", "--model=python:counted:answer")

    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"
    assert result.parseoutcomes() == {"passed": 3, "missed": 1, "rerun": 2}
    assert len((project.pytester.path / "asked").read_text().splitlines()) == 4


def test_of_reruns_the_first_outcome_counts_and_the_test_is_called_flaky(project: Project) -> None:
    pytest.importorskip("pytest_rerunfailures")
    project.write("tests/test_flaky.py", FLAKY)

    result = plain(project, "-p", "pytest_rerunfailures", "--reruns=2", GOOD, "tests")

    assert project.verdict["verdict"] == "ITERATE"
    assert result.ret == 1
    assert project.verdict["warnings"] == [
        "tests/test_flaky.py::test_flaky[capital] is flaky: a re-run ended otherwise; "
        "the first outcome counts"
    ]


@pytest.mark.parametrize("workers", [[], ["-n2"]])
def test_a_random_order_changes_nothing(
    project: Project, workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pytest_randomly")
    if workers:
        pytest.importorskip("xdist")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")  # these two find each other by their usual names

    result = project.run_as_installed("-p", "no:sugar", "-p", "no:asyncio", *workers, BAD)

    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"


def test_a_time_limit_does_not_count_the_wait_for_answers(project: Project) -> None:
    pytest.importorskip("pytest_timeout")
    project.write(
        "slow.py",
        "import asyncio, bots\nasync def answer(prompt):\n"
        "    await asyncio.sleep(1.2)\n    return bots.good(prompt)\n",
    )

    result = plain(project, "-p", "pytest_timeout", "--timeout=1", "--model=python:slow:answer")

    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"


def test_beside_coverage(project: Project) -> None:
    pytest.importorskip("pytest_cov")

    result = plain(project, "-p", "pytest_cov.plugin", "--cov=bots", GOOD)

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*bots.py*"])


def test_beside_an_html_report(project: Project) -> None:
    pytest.importorskip("pytest_html")

    result = plain(
        project, "-p", "pytest_metadata.plugin", "-p", "pytest_html.plugin", "--html=out.html", BAD
    )

    assert result.ret == 0
    assert "france" in (project.pytester.path / "out.html").read_text(encoding="utf-8")


def test_beside_sugar(project: Project) -> None:
    pytest.importorskip("pytest_sugar")

    result = plain(project, "-p", "pytest_sugar", BAD)

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*MISSED*", "*SHIP*"])


def test_async_tests_by_pytest_asyncio(project: Project) -> None:
    pytest.importorskip("pytest_asyncio")
    project.write("tests/test_eval.py", ASYNC.format(mark="@pytest.mark.asyncio"))

    result = plain(project, "-p", "pytest_asyncio.plugin", GOOD, "--baseline=python:bots:bad", "tests")

    assert result.ret == 0
    assert result.parseoutcomes() == {"passed": 4}
    assert project.verdict["plan"]["trials"] == 8


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_tests_by_anyio(project: Project, backend: str) -> None:
    if backend == "trio":
        pytest.importorskip("trio")
    backend_fixture = f"import pytest\n@pytest.fixture\ndef anyio_backend():\n    return '{backend}'\n"
    project.write("tests/conftest.py", backend_fixture)
    project.write("tests/test_eval.py", ASYNC.format(mark="@pytest.mark.anyio"))

    result = plain(project, "-p", "anyio.pytest_plugin", GOOD, "--baseline=python:bots:bad", "tests")

    assert result.ret == 0
    assert result.parseoutcomes() == {"passed": 4}


def test_a_missed_async_test_is_a_miss(project: Project) -> None:
    pytest.importorskip("pytest_asyncio")
    project.write("tests/test_eval.py", ASYNC.format(mark="@pytest.mark.asyncio"))

    result = plain(project, "-p", "pytest_asyncio.plugin", BAD, "--baseline=python:bots:good", "tests")

    assert result.ret == 0
    assert result.parseoutcomes() == {"passed": 3, "missed": 1}

"""What gets lost between workers and controller leaves the run INCOMPLETE, and is named."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project
from tests.plugin.workers import asked, each_once, write_suite
from tests.support.server import ChatServer

pytest.importorskip("xdist")

#: Loses what a worker sends of an item, as a connection that breaks would.
LOSES = """
import pytest
@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    for plugin in session.config.pluginmanager.get_plugins():
        if type(plugin).__name__ == "WorkerInteractor":
            send = plugin.sendevent
            def lossy(name, **kwargs):
                lost = name == "testreport" and kwargs["data"]["nodeid"].endswith("::italy")
                if not (lost and kwargs["data"]["when"] in WHEN):
                    send(name, **kwargs)
            plugin.sendevent = lossy
"""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-none")


@pytest.mark.parametrize("when", ["setup", "teardown", "setup call teardown"])
def test_a_lost_report_leaves_the_run_incomplete(project: Project, when: str) -> None:
    project.write("conftest.py", LOSES.replace("WHEN", repr(when.split())))

    result = project.run_apart("--model=python:bots:good", "-n2")

    assert result.ret == 1
    assert project.verdict["verdict"] == "INCOMPLETE"
    reasons = " ".join([project.verdict["sentence"], *project.verdict["reasons"]])
    assert "evals/capitals.evalcase.yaml::italy" in reasons


def test_a_report_that_a_plugin_of_the_controller_swallows_leaves_the_run_incomplete(
    project: Project,
) -> None:
    project.write(
        "conftest.py",
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_report_from_serializable(config, data):\n"
        "    if not hasattr(config, 'workerinput') and data.get('nodeid', '').endswith('::italy'):\n"
        "        data.pop('ftgate', None)\n",
    )

    result = project.run_apart("--model=python:bots:good", "-n2")

    assert result.ret == 1
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "evals/capitals.evalcase.yaml::italy" in " ".join(project.verdict["reasons"])


def test_a_worker_that_collects_fewer_cases_leaves_the_run_incomplete_and_sends_nothing(
    project: Project,
) -> None:
    project.write(
        "conftest.py",
        "import os\n"
        "def pytest_collection_modifyitems(items):\n"
        "    if os.environ.get('PYTEST_XDIST_WORKER') == 'gw1':\n"
        "        items[:] = [item for item in items if item.name != 'c3']\n",
    )
    with ChatServer() as server:
        write_suite(project, server, 8)

        result = project.run_apart("--model=tuned", "-n2")

    assert result.ret == 1
    assert server.count == 0
    said = "the workers collected different tests: only some of them have evals/capitals.evalcase.yaml::c3"
    assert said in project.verdict["sentence"]
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_results_survive_the_worker_that_made_them(project: Project) -> None:
    project.write(
        "evals/conftest.py",
        "import os, pytest\n@pytest.hookimpl(trylast=True)\ndef pytest_runtest_setup(item):\n"
        "    if item.name == 'c5' and os.environ['PYTEST_XDIST_WORKER'] in ('gw0', 'gw1'): os._exit(1)\n",
    )
    with ChatServer(latency_s=0.01) as server:
        write_suite(project, server, 10, repeat=2)

        result = project.run_apart("--model=tuned", "--baseline=base", "-n2", "--ftgate-concurrency=2")

    assert result.parseoutcomes()["passed"] == 9
    assert project.verdict["verdict"] == "INCOMPLETE"
    reasons = " ".join(project.verdict["reasons"])
    assert "4 of 40 planned trials are missing: evals/capitals.evalcase.yaml::c5" in reasons


def test_repeats_marker_tests_and_conversations_are_asked_once_by_all_workers(project: Project) -> None:
    project.write(
        "test_more.py",
        "import pytest\n@pytest.mark.eval_case('evals/capitals.evalcase.yaml')\n"
        "def test_more(eval_case, model): assert model(eval_case).text.startswith('Say')\n",
    )
    with ChatServer(latency_s=0.01) as server:
        write_suite(project, server, 8, repeat=3)
        turns = "  - {user: Say 1}\n  - {user: Say 2, expect: {contains: Say 2}}\n"
        project.write(
            "evals/talk.evalcase.yaml",
            f"suite: talk\ncases:\n- id: talk\n  turns:\n{turns}",
        )

        result = project.run_apart("--model=tuned", "--baseline=base", "-n3", "--ftgate-concurrency=5")

    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")
    assert server.most_at_once <= 5
    once = each_once(8, "tuned", "base")
    expected = once + once + once
    for model in ("tuned", "base"):
        expected[model, "Say 1"] += 1
        expected[model, "Say 2"] += 1
    assert asked(server) == expected


@pytest.mark.parametrize("workers", ["auto", "logical"])
def test_as_many_workers_as_allowed_ship(project: Project, workers: str) -> None:
    result = project.run_apart("--model=python:bots:good", f"-n{workers}", "--maxprocesses=2")

    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")


@pytest.mark.parametrize("dist", ["loadscope", "no"])
def test_other_ways_to_distribute_ship(project: Project, dist: str) -> None:
    result = project.run_apart("--model=python:bots:good", "-n2", f"--dist={dist}")

    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")

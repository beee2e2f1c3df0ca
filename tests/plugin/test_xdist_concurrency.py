"""The concurrency of a run is that of all its workers together, however many there are."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project
from tests.plugin.workers import asked, each_once, write_suite
from tests.support.server import ChatServer, error_reply

pytest.importorskip("xdist")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-none")


@pytest.mark.parametrize(
    ("workers", "concurrency", "entry"),
    [
        (1, 5, ""),
        (3, 5, ""),
        (2, 1, ""),
        (3, 2, ""),
        (2, 8, ", concurrency: 1"),
        (2, 8, ", concurrency: 3"),
    ],
)
def test_all_workers_together_stay_within_the_concurrency_of_the_run(
    project: Project, workers: int, concurrency: int, entry: str
) -> None:
    with ChatServer(latency_s=0.02) as server:
        write_suite(project, server, 12, entry=entry)

        result = project.run_apart(
            "--model=tuned", "--baseline=base", f"-n{workers}", f"--ftgate-concurrency={concurrency}"
        )

    limit = 2 * int(entry[-1]) if entry else concurrency  # each arm has an entry of its own
    assert server.most_at_once <= min(limit, concurrency)
    assert asked(server) == each_once(12, "tuned", "base")
    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")


def test_workers_that_take_turns_go_on_when_one_of_them_dies(project: Project) -> None:
    project.write(
        "evals/conftest.py",
        "import os, pytest\n@pytest.hookimpl(trylast=True)\ndef pytest_runtest_setup(item):\n"
        "    if item.name == 'c3' and os.environ['PYTEST_XDIST_WORKER'] in ('gw0', 'gw1'): os._exit(1)\n",
    )
    with ChatServer(latency_s=0.02) as server:
        write_suite(project, server, 12)

        result = project.run_apart("--model=tuned", "--ftgate-concurrency=1", "-n2")

    assert server.most_at_once == 1
    assert result.ret == 1
    assert result.parseoutcomes()["passed"] == 11
    assert "capitals.evalcase.yaml::c3" in " ".join(project.verdict["reasons"])


def test_a_limit_of_a_python_function_is_that_of_all_workers(project: Project) -> None:
    project.write(
        "bots.py",
        "import os\n"
        "def alone(prompt):\n"
        "    os.close(os.open('at-work', os.O_CREAT | os.O_EXCL))\n"
        "    try:\n"
        "        return {'France': 'Paris', 'Italy': 'Rome', 'Spain': 'Madrid', 'Japan': 'Tokyo'}"
        "[prompt.split()[-1].strip('?')]\n"
        "    finally:\n"
        "        os.remove('at-work')\n",
    )
    gate = "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 100%}}}\n"
    project.write("ftgate.yaml", "models: {gpu: {python: bots:alone, concurrency: 1}}\n" + gate)

    result = project.run_apart("--model=gpu", "-n3")

    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")


def test_a_wrong_key_costs_one_request_and_gives_one_message_with_workers_too(project: Project) -> None:
    with ChatServer(lambda _: error_reply(401, "wrong key"), latency_s=0.02) as server:
        write_suite(project, server, 40)

        result = project.run_apart("--model=tuned", "-n3")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert server.count == 1
    assert result.stderr.str().count("Check the key in SOME_KEY") == 1
    assert result.stdout.str().count("HTTP 401") <= 2  # the verdict, and its line in pytest's summary
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "Check the key in SOME_KEY" in project.verdict["sentence"]


def test_a_key_that_is_revoked_half_way_stops_all_workers_and_is_told_once(project: Project) -> None:
    with ChatServer(
        lambda body: body["messages"][-1]["content"] if server.count < 20 else error_reply(401, "revoked"),
        latency_s=0.02,
    ) as server:
        write_suite(project, server, 60)

        result = project.run_apart("--model=tuned", "-n2", "--ftgate-concurrency=4")

    assert result.ret != 0
    assert server.count <= 20 + 2 * 4
    assert result.parseoutcomes().keys() <= {"passed", "failed"}  # failed: the verdict itself
    assert '"revoked". Check the key in SOME_KEY' in project.verdict["sentence"]
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_limit_that_is_reached_is_told_once(project: Project) -> None:
    with ChatServer() as server:
        write_suite(project, server, 40)

        result = project.run_apart(
            "--model=tuned", "-n2", "--ftgate-concurrency=2", "--ftgate-max-tokens=150"
        )

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert server.count <= 10 + 2
    assert result.parseoutcomes().keys() <= {"passed", "failed"}
    assert "--ftgate-max-tokens=150 is reached" in project.verdict["sentence"]

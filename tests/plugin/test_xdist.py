"""With xdist's workers: the same verdict, statuses and counts as in one process."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugin.conftest import GATE, Project
from tests.support.server import ChatServer

pytest.importorskip("xdist")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-none")


def without_times(verdict: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in verdict.items() if key not in ("run_id", "started", "finished")}


@pytest.mark.parametrize("model", ["good", "bad", "shaky"])
def test_workers_give_the_verdict_of_one_process(project: Project, model: str) -> None:
    args = [f"--model=python:bots:{model}", "--baseline=python:bots:good"]
    alone = project.run_apart(*args)
    one = without_times(project.verdict)

    spread = project.run_apart(*args, "-n2")

    assert (spread.ret, spread.parseoutcomes()) == (alone.ret, alone.parseoutcomes())
    assert without_times(project.verdict) == one


@pytest.mark.parametrize("dist", ["load", "loadfile", "loadgroup", "worksteal"])
def test_every_way_to_distribute_ships(project: Project, dist: str) -> None:
    result = project.run_apart("--model=python:bots:good", "-n2", f"--dist={dist}")

    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"


def test_dist_each_is_refused(project: Project) -> None:
    result = project.run_apart("--model=python:bots:good", "--tx=2*popen", "--dist=each")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --dist=each runs every case once per worker, *use another --dist"])
    assert project.verdict["reasons"][0].startswith("--dist=each runs every case once per worker")


def test_a_mistaken_case_file_stops_every_worker(project: Project) -> None:
    project.write("evals/wrong.evalcase.yaml", "cases:\n  - {id: one, prompt: Hi, expcted: Paris}\n")

    result = project.run_apart("--model=python:bots:good", "-n2")

    assert result.ret not in (0, 5)
    assert "passed" not in result.parseoutcomes()
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_narrowed_run_is_narrowed_with_workers_too(project: Project) -> None:
    result = project.run_apart("--model=python:bots:bad", "-n2", "-k", "france or italy")

    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1)
    assert "narrowed" in project.verdict["sentence"]


def test_a_worker_that_dies_leaves_the_run_incomplete(project: Project) -> None:
    project.write(
        "bots.py", "import os\ndef good(prompt):\n    if 'Italy' in prompt: os._exit(0)\n    return 'Paris'\n"
    )

    result = project.run_apart("--model=python:bots:good", "-n2", "--max-worker-restart=0")

    assert result.ret != 0
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_lacking_answers_are_a_usage_error_with_workers_too(project: Project) -> None:
    project.write("answers.jsonl", '{"id": "france", "text": "Paris"}\n')

    result = project.run_apart("--model=recorded:answers.jsonl", "-n2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count("'italy'") == 1


def test_the_plugin_does_without_xdist(project: Project) -> None:
    result = project.run_apart("--model=python:bots:good", "-p", "no:xdist")

    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"


def test_workers_together_send_each_request_once(project: Project) -> None:
    lines = [f"  - {{id: c{number}, prompt: Say {number}, expect: Say {number}}}\n" for number in range(40)]
    project.write("evals/capitals.evalcase.yaml", "suite: capitals\ncases:\n" + "".join(lines))
    with ChatServer(latency_s=0.02) as server:
        entry = f"{{name: m, base_url: '{server.url}', api_key_env: SOME_KEY}}"
        project.write("ftgate.yaml", f"models: {{tuned: {entry}, base: {entry}}}\n" + GATE)
        args = ["--model=tuned", "--baseline=base", "--ftgate-concurrency=4"]

        alone = project.run_apart(*args)
        one, at_once = without_times(project.verdict), server.most_at_once
        spread = project.run_apart(*args, "-n2")

        assert server.count == 2 * 80
        assert at_once <= 4
        assert server.most_at_once <= 4
    assert (spread.ret, spread.parseoutcomes()) == (alone.ret, alone.parseoutcomes())
    assert (one["verdict"], one["plan"]) == (project.verdict["verdict"], project.verdict["plan"])
    assert one["verdict"] == "SHIP"


def test_a_worker_that_dies_has_its_share_asked_by_the_others(project: Project) -> None:
    lines = [f"  - {{id: c{number}, prompt: Say {number}, expect: Say {number}}}\n" for number in range(20)]
    project.write("evals/capitals.evalcase.yaml", "suite: capitals\ncases:\n" + "".join(lines))
    project.write(
        "evals/conftest.py",
        "import os, pytest\n@pytest.hookimpl(trylast=True)\ndef pytest_runtest_setup(item):\n"
        "    if item.name == 'c3' and os.environ['PYTEST_XDIST_WORKER'] in ('gw0', 'gw1'): os._exit(1)\n",
    )
    with ChatServer(latency_s=0.05) as server:
        entry = f"{{name: m, base_url: '{server.url}', api_key_env: SOME_KEY}}"
        project.write("ftgate.yaml", f"models: {{tuned: {entry}}}\n" + GATE)

        result = project.run_apart("--model=tuned", "--ftgate-concurrency=2", "-n2")

    assert result.ret == 1
    assert result.parseoutcomes()["passed"] == 19
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_test_that_only_speaks_of_case_files_makes_no_eval_run(empty_project: Project) -> None:
    empty_project.write(
        "test_names.py",
        "import pytest\n@pytest.mark.parametrize('name', ['a.evalcase.yaml'])\ndef test_name(name): pass\n",
    )

    result = empty_project.run_apart("-n2")

    assert result.ret == 0
    assert "not gated" not in result.stdout.str()
    assert not (empty_project.pytester.path / ".ftgate").exists()

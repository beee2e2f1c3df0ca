"""Runs against a real local endpoint and against saved answers: what is sent, what stops, what is kept."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Project
from tests.support.rows import unwrapped
from tests.support.server import ChatServer, Reply, error_reply

CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}


def answer(body: dict[str, object]) -> str:
    text = json.dumps(body["messages"])
    return next(city for land, city in CAPITALS.items() if land in text)


def entry(server: ChatServer) -> str:
    return f"models:\n  tuned: {{name: tuned-1, base_url: '{server.url}', api_key_env: TUNED_KEY}}\n"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNED_KEY", "sk-canary-123456")


def test_each_request_is_sent_once(project: Project) -> None:
    with ChatServer(answer=answer) as server:
        project.write(
            "ftgate.yaml",
            "gate: {min_cases: 1, criteria: {all: {metric: pass_rate, at_least: 100%}}}\n" + entry(server),
        )

        result = project.run("--model=tuned", "--baseline=python:bots:good")

        assert server.count == 4
    assert result.ret == 0
    result.stdout.fnmatch_lines(["ftgate: model tuned (*127.0.0.1*), baseline python:bots:good*"])


def test_a_wrong_key_stops_the_run_at_once_with_one_message(project: Project) -> None:
    with ChatServer(answer=lambda _: error_reply(401, "wrong key sk-canary-123456")) as server:
        project.write("ftgate.yaml", entry(server))

        result = project.run("--model=tuned")

        assert server.count == 1
    output = result.stdout.str() + result.stderr.str()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count("TUNED_KEY") == 1
    assert "sk-canary-123456" not in output
    assert "Traceback" not in output
    result.stdout.fnmatch_lines(["INCOMPLETE: *401*", "FAILED ftgate::verdict*"])
    assert "401" in project.verdict["sentence"]


def test_an_unreachable_host_stops_the_run_at_once(project: Project) -> None:
    project.write(
        "ftgate.yaml",
        "models:\n  tuned: {name: t, base_url: 'http://127.0.0.1:9/v1', api_key_env: TUNED_KEY}\n",
    )

    result = project.run("--model=tuned")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*127.0.0.1:9*"])


def test_a_missing_key_variable_is_named(project: Project) -> None:
    project.write(
        "ftgate.yaml",
        "models:\n  tuned: {name: t, base_url: 'http://127.0.0.1:9/v1', api_key_env: NO_SUCH_KEY}\n",
    )

    result = project.run("--model=tuned")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*NO_SUCH_KEY*"])


def test_answers_that_were_saved_can_be_played(project: Project) -> None:
    first = project.run(
        "--model=python:bots:bad", "--baseline=python:bots:good", "--ftgate-save-answers=saved/a.jsonl"
    )
    judged = project.verdict["criteria"]

    second = project.run("--model=recorded:saved/a.jsonl", "--baseline=recorded:saved/a.jsonl")

    assert (second.ret, second.parseoutcomes()) == (first.ret, first.parseoutcomes())
    assert project.verdict["criteria"] == judged
    assert project.verdict["mode"] == "recorded"


def test_all_lacking_and_changed_answers_are_listed_before_anything_is_sent(project: Project) -> None:
    project.run("--model=python:bots:good", "--ftgate-save-answers=a.jsonl")
    cases = project.pytester.path / "evals/capitals.evalcase.yaml"
    project.write(
        "evals/capitals.evalcase.yaml", cases.read_text().replace("Capital of Italy?", "And of Italy?")
    )
    lines = (project.pytester.path / "a.jsonl").read_text().splitlines(keepends=True)
    project.write("a.jsonl", "".join(line for line in lines if "japan" not in line))

    result = project.run("--model=recorded:a.jsonl")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*italy*", "*japan*"])
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_the_record_can_be_played_and_judged_again(project: Project) -> None:
    project.run("--model=python:bots:bad", "--ftgate-report=record.jsonl")

    played = project.run("--model=recorded:record.jsonl")

    assert played.ret == 0
    assert project.verdict["verdict"] == "SHIP"


def test_a_run_that_could_not_start_leaves_its_reports_too(project: Project) -> None:
    with ChatServer(answer=lambda _: error_reply(401, "wrong key")) as server:
        project.write("ftgate.yaml", entry(server))

        project.run("--model=tuned", "--ftgate-report=out.json", "--junitxml=out.xml")

    assert json.loads((project.pytester.path / "out.json").read_text())["verdict"] == "INCOMPLETE"
    assert 'name="verdict"' in (project.pytester.path / "out.xml").read_text()


def test_unit_tests_need_no_key(project: Project) -> None:
    tuned = "{name: t, base_url: 'http://127.0.0.1:9/v1', api_key_env: NO_SUCH_KEY}"
    project.write("ftgate.yaml", f"model: tuned\nmodels:\n  tuned: {tuned}\n")
    project.write("test_plain.py", "def test_plain(): pass\n")

    result = project.run("-k", "test_plain")

    assert result.ret == 0
    result.assert_outcomes(passed=1, deselected=4)


def test_a_narrowed_run_does_not_shrink_a_file_of_saved_answers(project: Project) -> None:
    save = "--ftgate-save-answers=a.jsonl"
    project.run("--model=python:bots:good", save)
    whole = (project.pytester.path / "a.jsonl").read_text()

    result = project.run("--model=python:bots:good", save, "-k", "italy")

    assert result.ret == 1
    assert (project.pytester.path / "a.jsonl").read_text() == whole
    left = "a.jsonl is left as it is: this run was narrowed and has fewer answers; delete it first\n"
    assert left in unwrapped(result.stdout.str())


def test_missed_cases_are_named_without_tracebacks_too(project: Project) -> None:
    result = project.run("--model=python:bots:bad", "--tb=no", "-q")

    result.stdout.fnmatch_lines(
        ["MISSED evals/capitals.evalcase.yaml::france - failed: exact_match: got 'Lyon'*"]
    )


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_whole_run_survives_what_an_endpoint_does(project: Project, api: str) -> None:
    slow_down = error_reply(429, "slow down", headers={"Retry-After": "0.05"})
    cut_off = Reply(text="half", drop="in the body")
    faults = iter([slow_down, error_reply(500, "oops"), Reply(drop="before headers"), cut_off, slow_down])
    answered: list[str] = []

    def reply(body: dict[str, object]) -> str | Reply:
        if (fault := next(faults, None)) is not None:
            return fault
        answered.append(json.dumps(body.get("messages") or body.get("input")))
        return next(city for land, city in CAPITALS.items() if land in answered[-1])

    with ChatServer(answer=reply) as server:
        tuned = f"{{name: t, base_url: '{server.url}', api_key_env: TUNED_KEY, api: {api}}}"
        gate = "gate: {min_cases: 1, criteria: {all: {metric: pass_rate, at_least: 100%}}}\n"
        project.write("ftgate.yaml", f"{gate}models:\n  tuned: {tuned}\n")

        result = project.run("--model=tuned")

    assert result.ret == 0
    assert project.verdict["verdict"] == "SHIP"
    assert len(answered) == len(set(answered)) == 4


def test_an_endpoint_that_hangs_costs_its_own_trial_and_no_other(project: Project) -> None:
    def reply(body: dict[str, object]) -> str | Reply:
        text = answer(body)
        return Reply(text=text, latency_s=60.0) if text == "Rome" else text

    with ChatServer(answer=reply) as server:
        tuned = f"{{name: t, base_url: '{server.url}', api_key_env: TUNED_KEY, timeout_s: 1}}"
        project.write("ftgate.yaml", f"models:\n  tuned: {tuned}\n")

        result = project.run("--model=tuned")

    counts = result.parseoutcomes()
    assert (counts["passed"], counts["errors"]) == (3, 1)
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "1 of 4 trials errored" in project.verdict["sentence"]

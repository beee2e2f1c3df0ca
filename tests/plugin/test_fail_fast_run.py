"""Whole runs of many planned cases, in their own process, against an endpoint that answers none or few."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Project
from tests.support.server import ChatServer, Reply, error_reply

PLANNED = 10_000
ONLY_OURS = ("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:sugar", "-p", "no:cacheprovider")


@pytest.fixture
def large(project: Project, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Project:
    monkeypatch.setenv("TUNED_KEY", "sk-canary-123456")
    planned = getattr(request, "param", PLANNED)
    rows = [{"id": f"n{number}", "prompt": f"Say {number}", "expected": "x"} for number in range(planned)]
    project.write("rows.jsonl", "\n".join(map(json.dumps, rows)))
    source = (
        "suite: large\ndatasets:\n  - path: rows.jsonl\n    id: '{{id}}'\n    prompt: '{{prompt}}'\n"
        "    category: c\n    expect: {contains: '{{expected}}'}\n"
    )
    project.write("large.evalcase.yaml", source)
    return project


def entry(url: str, more: str = "") -> str:
    return f"models:\n  tuned: {{name: tuned-1, base_url: '{url}', api_key_env: TUNED_KEY{more}}}\n"


def test_a_wrong_key_costs_one_request_and_gives_one_message(
    large: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)  # there pytest repeats every message whole in its summary
    with ChatServer(lambda _: error_reply(401, "wrong key")) as server:
        large.write("ftgate.yaml", entry(server.url))

        result = large.run_apart(*ONLY_OURS, "--model=tuned", "-q", "large.evalcase.yaml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert server.count == 1
    assert (result.stdout.str() + result.stderr.str()).count("Check the key in TUNED_KEY") <= 2
    assert large.verdict["verdict"] == "INCOMPLETE"


@pytest.mark.parametrize("large", [1000], indirect=True)
def test_a_quota_that_ends_half_way_stops_the_run_and_keeps_the_answers(large: Project) -> None:
    def answer(_: object) -> str | Reply:
        return "x" if server.count <= 300 else error_reply(429, "no more", code="insufficient_quota")

    with ChatServer(answer) as server:
        large.write("ftgate.yaml", entry(server.url))

        result = large.run_apart(*ONLY_OURS, "--model=tuned", "-q", "large.evalcase.yaml")
        asked = server.count

    assert result.ret != 0
    assert asked <= 300 + 32
    assert large.verdict["verdict"] == "INCOMPLETE"
    assert "no quota left" in result.stdout.str()

"""What the tests of runs with several workers share: a suite that a server answers, and who asked it what."""

from __future__ import annotations

from collections import Counter

from tests.plugin.conftest import GATE, Project
from tests.support.server import ChatServer


def write_suite(
    project: Project, server: ChatServer, cases: int, *, entry: str = "", repeat: int = 1
) -> None:
    """So many cases, each asked of a tuned and a base model; the server has to repeat what it is asked."""
    more = f", repeat: {repeat}" if repeat > 1 else ""
    said = [f"Say {number}" for number in range(cases)]
    lines = [
        f"  - {{id: c{number}, prompt: {text}, expect: {text}{more}}}\n" for number, text in enumerate(said)
    ]
    project.write("evals/capitals.evalcase.yaml", "suite: capitals\ncases:\n" + "".join(lines))
    models = [
        f"  {name}: {{name: {name}, base_url: '{server.url}', api_key_env: SOME_KEY{entry}}}\n"
        for name in ("tuned", "base")
    ]
    project.write("ftgate.yaml", "models:\n" + "".join(models) + GATE)


def asked(server: ChatServer) -> Counter[tuple[str, str]]:
    """How often which model was asked what."""
    return Counter((one.body["model"], one.body["messages"][-1]["content"]) for one in server.requests)


def each_once(cases: int, *models: str) -> Counter[tuple[str, str]]:
    """What is asked if each request is sent once."""
    return Counter((model, f"Say {number}") for model in models for number in range(cases))

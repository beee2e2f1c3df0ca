"""What the tests of the catalogue of faults share: a project that counts its requests, and what is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Project

#: The model writes down every prompt, so that a test can tell that nothing was sent.
BOTS = """
from pathlib import Path

CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}

def good(prompt):
    with open(Path(__file__).parent / "asked.log", "a", encoding="utf-8") as log:
        print(repr(prompt), file=log)
    return next((city for land, city in CAPITALS.items() if land in prompt), "I do not know")

def bad(prompt):
    return "Lyon" if "France" in prompt else good(prompt)

def broken(prompt):
    raise RuntimeError("out of memory")
"""
SOUND = "cases:\n  - {id: france, prompt: Capital of France?, expect: Paris}\n"
GATE = "gate:\n  min_cases: 1\n  criteria:\n    right: {metric: pass_rate, at_least: 75%}\n"
GOOD, BAD = "--model=python:bots:good", "--model=python:bots:bad"

_RULERS = ("=", "_", "!")


@dataclass
class Catalogue:
    """A project with one sound case beside whatever a test adds."""

    project: Project

    @property
    def path(self) -> Path:
        path: Path = self.project.pytester.path
        return path

    def write(self, **files: str | bytes) -> None:
        """Case files by their names without the suffix."""
        for name, content in files.items():
            self.put(f"evals/{name}.evalcase.yaml", content)

    def put(self, name: str, content: str | bytes) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(self, *args: str) -> pytest.RunResult:
        return self.project.run(*(args or (GOOD,)))

    @property
    def verdict(self) -> dict[str, Any]:
        return self.project.verdict

    @property
    def was_asked(self) -> bool:
        return (self.path / "asked.log").exists()

    def refused(self, *args: str) -> list[str]:
        """Runs, and returns the mistakes that are told; nothing may be sent, nothing may ship."""
        result = self.run(*args)

        assert result.ret == pytest.ExitCode.INTERRUPTED
        assert self.verdict["verdict"] == "INCOMPLETE"
        assert not self.was_asked
        assert "Traceback" not in result.stdout.str() + result.stderr.str()
        return told(result)

    def usage_error(self, *args: str) -> list[str]:
        """Runs, and returns the lines of pytest's usage error; nothing may be sent, nothing may ship."""
        result = self.run(*args)

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert self.verdict["verdict"] == "INCOMPLETE"
        assert not self.was_asked
        lines = [line for line in result.errlines if line.strip()]
        assert not any("Traceback" in line for line in lines)
        return [line.removeprefix("ERROR: ") for line in lines]


def told(result: pytest.RunResult) -> list[str]:
    """The lines of pytest's ERRORS section without its rulers."""
    lines = iter(result.outlines)
    for line in lines:
        if line.startswith("=") and " ERRORS " in line:
            break
    section = []
    for line in lines:
        if line.startswith("="):
            break
        if line.strip() and not line.startswith(_RULERS):
            section.append(line)
    return section


def catalogue_of(project: Project) -> Catalogue:
    """The project of these tests; to be wrapped in a fixture."""
    made = Catalogue(project)
    made.put("bots.py", BOTS)
    made.put("ftgate.yaml", GATE)
    made.write(sound=SOUND)
    return made

"""What the plugin's tests share: a small project with Python models, and a way to run pytest on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Runs inside this process forget the modules that they imported. Compiled ones must not be loaded twice, so
# they are loaded here, before the first run.
import aiohttp  # noqa: F401
import jsonschema  # noqa: F401
import numpy as np  # noqa: F401
import pytest
import regex  # noqa: F401
import yaml  # noqa: F401

import pytest_ftgate.cli
import pytest_ftgate.files.case_file
import pytest_ftgate.models.engine
import pytest_ftgate.models.make
import pytest_ftgate.plugin.activation  # noqa: F401

_PLUGINS = [name for name in ("pytest_ftgate.plugin", "xdist.plugin") if find_spec(name.partition(".")[0])]
#: Answers by rule: the "good" one knows capitals, the "bad" one is from Lyon.
MODELS = """
CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}

def good(prompt):
    return next((city for land, city in CAPITALS.items() if land in prompt), "I do not know")

def bad(prompt):
    return "Lyon" if "France" in prompt else good(prompt)

def broken(prompt):
    raise RuntimeError("out of memory")

def shaky(prompt):
    if "Italy" in prompt:
        raise RuntimeError("out of memory")
    return good(prompt)
"""

#: A gate that a suite of four cases can meet.
GATE = """
gate:
  min_cases: 1
  criteria:
    right: {metric: pass_rate, at_least: 75%}
"""

CASES = """
suite: capitals
cases:
  - {id: france, category: west, prompt: Capital of France?, expect: Paris}
  - {id: italy, category: south, prompt: Capital of Italy?, expect: Rome, tags: [boot]}
  - {id: spain, category: south, prompt: Capital of Spain?, expect: Madrid}
  - {id: japan, category: east, prompt: Capital of Japan?, expect: Tokyo}
"""


@dataclass
class Project:
    """A user's project in a temporary folder."""

    pytester: pytest.Pytester

    def write(self, name: str, text: str) -> Path:
        path: Path = self.pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *args: str) -> pytest.RunResult:
        return self.pytester.runpytest("-p", "no:cacheprovider", "--color=no", *args)

    def run_apart(self, *args: str) -> pytest.RunResult:
        """In a process of its own: for xdist, signals and imports.

        Of this environment's plugins it has ours and xdist alone: the others take a second to load, or two
        with workers. `tests/plugin/test_compatibility.py` has them beside ours.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            patch.setenv("PYTEST_PLUGINS", ",".join(_PLUGINS))
            return self.pytester.runpytest_subprocess("--color=no", *args)

    def run_as_installed(self, *args: str) -> pytest.RunResult:
        """The same with every plugin that is installed, as pytest finds them by itself."""
        return self.pytester.runpytest_subprocess("--color=no", *args)

    @property
    def verdict(self) -> dict[str, Any]:
        text = (self.pytester.path / ".ftgate" / "verdict.json").read_text(encoding="utf-8")
        verdict: dict[str, Any] = json.loads(text)
        return verdict


@pytest.fixture
def empty_project(pytester: pytest.Pytester) -> Project:
    pytester.makeini("[pytest]\n")
    return Project(pytester)


@pytest.fixture
def project(empty_project: Project) -> Project:
    """Four capitals, models good, bad, broken and shaky, and a gate that wants three of four."""
    empty_project.write("bots.py", MODELS)
    empty_project.write("ftgate.yaml", GATE)
    empty_project.write("evals/capitals.evalcase.yaml", CASES)
    return empty_project


@pytest.fixture
def write(project: Project) -> Callable[[str, str], Path]:
    return project.write

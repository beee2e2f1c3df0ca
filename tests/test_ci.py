"""Hosted CI runs what the project says of itself: its versions, its commands, each once."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
JOBS: dict[str, dict[str, Any]] = yaml.safe_load(
    (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
)["jobs"]
MATRIX: dict[str, list[str]] = JOBS["tests"]["strategy"]["matrix"]


def commands(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_every_python_that_is_claimed_is_in_the_matrix() -> None:
    claimed = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line}

    assert claimed <= set(MATRIX["python"])
    assert PROJECT["requires-python"] == f">={MATRIX['python'][0]}"


def test_the_oldest_pytest_that_is_allowed_is_in_the_matrix_and_a_newest_one() -> None:
    (lower,) = [line for line in PROJECT["dependencies"] if Requirement(line).name == "pytest"]
    oldest, newest = MATRIX["pytest"]

    assert lower == oldest.replace("==", "pytest>=").removesuffix(".*")
    assert newest.startswith(">=")
    assert Requirement(f"pytest{newest}").specifier.contains("99.0")


def test_tests_are_installed_and_run_as_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    development = re.search(
        r"^python3 -m venv \.venv && \.venv/bin/(pip .*) && \.venv/bin/(pytest -n auto)$", readme, re.M
    )
    assert development
    install, test = development.groups()

    browser = "playwright install --with-deps chromium"
    assert commands("tests") == [f"{install} 'pytest${{{{ matrix.pytest }}}}'", browser, test]
    assert commands("without-xdist") == [install, browser, "pip uninstall -q -y pytest-xdist", "pytest"]
    assert commands("endurance") == [install, "python -m benchmarks endurance --quick"]


def test_lint_types_and_the_wheel_are_checked_once_by_our_own_script() -> None:
    users = [job for job in JOBS if ".ci/run" in commands(job)]

    assert len(users) == 1
    assert commands(users[0]) == [".ci/run"]
    assert os.access(ROOT / ".ci/run", os.X_OK)
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    for tool in ("ruff format --check", "ruff check", "mypy", "pip wheel", 'ftgate" verify'):
        assert tool in script


def test_every_job_ends() -> None:
    assert not [name for name, job in JOBS.items() if "timeout-minutes" not in job]


def test_the_workflow_uses_the_same_actions_as_the_example() -> None:
    def actions(path: Path) -> set[str]:
        return set(re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8")))

    example = actions(ROOT / "example_project/.github/workflows/test.yml")

    assert actions(ROOT / ".github/workflows/ci.yml") <= example

"""The example project is run as its users run it: the commands of its README and CI files, on a copy."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ftgate.files.schema import case_file_schema
from pytest_ftgate.scorers import BUILTIN

EXAMPLE = Path(__file__).parents[1] / "example_project"
SHIP = "pytest -q --model=tuned --baseline=base"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the project as a user has it after a clone."""
    ignored = shutil.ignore_patterns(".ftgate", ".pytest_cache", "__pycache__")
    return shutil.copytree(EXAMPLE, tmp_path / "example", ignore=ignored)


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a shell command in a folder, with this environment's programs first and none of its options."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key == "PYTEST_ADDOPTS" or not key.startswith(("PYTEST", "FTGATE", "GITHUB", "CI"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = kept | {"PATH": path, "COLUMNS": "80"} | variables
    return subprocess.run(
        ["bash", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def verdict(example: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((example / ".ftgate" / "verdict.json").read_text(encoding="utf-8"))
    return content


def statuses(example: Path) -> dict[str, str]:
    return {criterion["name"]: criterion["status"] for criterion in verdict(example)["criteria"]}


def ci_script(example: Path, name: str) -> list[str]:
    """The commands of a CI file that can be run here: all but the installation."""
    content = yaml.safe_load((example / name).read_text(encoding="utf-8"))
    job = content["jobs"]["test"] if "jobs" in content else content["test"]
    steps = job["script"] if "script" in job else [step["run"] for step in job["steps"] if "run" in step]
    return [command for command in steps if not command.startswith("pip install")]


def test_the_tuned_assistant_ships(example: Path) -> None:
    done = run(SHIP, example)

    assert done.returncode == 0, done.stdout
    assert verdict(example)["verdict"] == "SHIP"
    assert statuses(example) == {
        "target_task_improvement": "GO",
        "general_regression": "GO",
        "exact_match_accuracy": "GO",
        "latency_p99": "INCONCLUSIVE",
        "human_preference": "NOT MEASURED",
        "adversarial_robustness": "GO",
        "schema_compliance": "GO",
        "must_pass": "GO",
    }


def test_the_assistants_make_mistakes_and_two_of_them_are_regressions(example: Path) -> None:
    run(f"{SHIP} --ftgate-report=report.json", example)

    cases = json.loads((example / "report.json").read_text(encoding="utf-8"))["cases"]
    flips = [case["flip"] for case in cases]
    assert {flip: flips.count(flip) for flip in set(flips)} == {
        "both passed": 51,
        "both failed": 7,
        "fixed": 29,
        "regression": 2,
    }


def test_a_model_that_has_forgotten_what_it_knew_does_not_ship(example: Path) -> None:
    done = run("pytest -q --model=tuned-forgetful --baseline=base", example)

    assert done.returncode == 1, done.stdout
    assert verdict(example)["verdict"] == "ITERATE"
    assert {name for name, status in statuses(example).items() if status == "NO-GO"} == {"general_regression"}
    refused = run("ftgate verify --max-age 1h", example)
    assert refused.returncode == 1
    assert refused.stderr == f"ftgate: The verdict is ITERATE: {verdict(example)['sentence'].rstrip('.')}.\n"


def test_the_base_model_is_no_improvement_over_itself(example: Path) -> None:
    done = run("pytest -q --model=base --baseline=base", example)

    assert done.returncode == 1, done.stdout
    assert verdict(example)["verdict"] == "ITERATE"


def test_two_workers_reach_the_same_verdict(example: Path) -> None:
    pytest.importorskip("xdist")
    run(SHIP, example)
    alone = (verdict(example)["verdict"], statuses(example))

    done = run(f"{SHIP} -n 2", example)

    assert done.returncode == 0, done.stdout
    assert (verdict(example)["verdict"], statuses(example)) == alone


def test_a_frozen_baseline_reaches_the_same_verdict(example: Path) -> None:
    run(f"{SHIP} --ftgate-save-answers=baselines/base.jsonl", example)
    live = verdict(example)

    done = run("pytest -q --model=tuned --baseline=recorded:baselines/base.jsonl", example)

    assert done.returncode == 0, done.stdout
    frozen = verdict(example)
    assert (live["verdict"], frozen["verdict"]) == ("SHIP", "SHIP")
    assert (live["mode"], frozen["mode"]) == ("live", "mixed")
    without_latency = [
        [(c["name"], c["observed"]) for c in one["criteria"] if c["name"] != "latency_p99"]
        for one in (live, frozen)
    ]
    assert without_latency[0] == without_latency[1]


def test_one_case_alone_is_no_release_decision(example: Path) -> None:
    done = run("pytest -q -k joke_first --model=tuned", example)

    assert done.returncode == 1
    assert verdict(example)["verdict"] == "INCOMPLETE"


def test_every_command_of_the_readme_does_what_it_says(example: Path) -> None:
    text = (example / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^(pytest[^#\n]*?) +# (SHIP|ITERATE)\b", text, re.MULTILINE)

    words = [(run(command, example), verdict(example)["verdict"])[1] for command, _ in commands]

    assert words == [word for _, word in commands] == ["SHIP", "ITERATE"]


@pytest.mark.parametrize("name", [".github/workflows/test.yml", ".gitlab-ci.yml"])
def test_the_ci_stage_passes_publishes_junit_and_ends_with_verify(example: Path, name: str) -> None:
    commands = ci_script(example, name)

    done = run(" && ".join(commands), example, FTGATE_RUN_ID="4711")

    assert done.returncode == 0, done.stdout + done.stderr
    assert commands[-1].startswith("ftgate verify ")
    assert 'name="verdict"' in (example / "junit.xml").read_text(encoding="utf-8")
    assert verdict(example)["run_id"] == "4711"


@pytest.mark.parametrize("name", [".github/workflows/test.yml", ".gitlab-ci.yml"])
def test_the_ci_stage_fails_if_the_gate_did_not_run(example: Path, name: str) -> None:
    *_, verify = ci_script(example, name)

    done = run(f"pytest -q -p no:ftgate tests && {verify}", example, FTGATE_RUN_ID="4711")

    assert done.returncode == 1
    reason = "There is no verdict file .ftgate/verdict.json: the run did not start, or wrote elsewhere."
    assert done.stderr == f"ftgate: {reason}\n"


def test_the_schema_beside_the_cases_is_what_ftgate_schema_writes() -> None:
    written = json.loads((EXAMPLE / "ftgate.schema.json").read_text(encoding="utf-8"))

    assert written == case_file_schema(BUILTIN), (
        "run: ftgate schema --output example_project/ftgate.schema.json"
    )


@pytest.mark.parametrize("path", sorted(EXAMPLE.glob("evals/*.evalcase.yaml")), ids=lambda path: path.stem)
def test_case_files_begin_with_the_line_that_editors_read(path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]

    assert first == "# yaml-language-server: $schema=../ftgate.schema.json"
    assert (path.parent / first.partition("$schema=")[2]).exists()


@pytest.mark.parametrize("name", ["base", "tuned", "tuned_forgetful"])
def test_the_assistants_see_the_conversation_and_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))

    answer = import_module(f"assistant.{name}").answer

    assert list(inspect.signature(answer).parameters) == ["prompt", "messages", "tools"]

"""The page on shards is true: its workflows run here, each job a process and a folder of its own."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.pages import blocks, write_files
from tests.support.shards import settled, write_project

PAGE = (Path(__file__).parents[1] / "docs" / "shards.md").read_text(encoding="utf-8")
GITHUB, GITLAB = ".github/workflows/evals.yml", ".gitlab-ci.yml"
MODELS = """
models:
  tuned: {recorded: 'answers.jsonl#model'}
  prod: {recorded: 'answers.jsonl#baseline'}
"""


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """One line of a job's script, by the shell of CI services, with this environment's programs."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if k == "PYTEST_ADDOPTS" or not k.startswith(("PYTEST", "FTGATE", "OPENAI", "CI", "GITHUB"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env=kept | {"PATH": path, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass
class Service:
    """As much of a CI service as the page needs: jobs in fresh checkouts, and artefacts between them."""

    folder: Path
    artefacts: dict[str, dict[str, str]] = field(default_factory=dict)

    def checkout(self, job: str) -> Path:
        folder = self.folder / job
        shutil.copytree(self.folder / "project", folder)
        return folder

    def script(self, commands: Sequence[str], folder: Path, **variables: str) -> list[int]:
        """The exit statuses, up to the first that is not 0; installations have been made."""
        ended: list[int] = []
        for command in commands:
            if not command.startswith("pip install") and not any(ended):
                result = run(command, folder, **variables)
                with (folder / "log.txt").open("a", encoding="utf-8") as file:
                    file.write(f"$ {command}\n{result.stdout}{result.stderr}")
                ended.append(result.returncode)
        return ended

    def upload(self, name: str, paths: Sequence[str], folder: Path) -> None:
        found = {path.name: path for pattern in paths for path in folder.glob(pattern)}
        self.artefacts[name] = {each: path.read_text(encoding="utf-8") for each, path in found.items()}

    def download(self, pattern: str, folder: Path) -> None:
        for name in fnmatch.filter(self.artefacts, pattern):
            for each, text in self.artefacts[name].items():
                (folder / each).write_text(text, encoding="utf-8")


def filled(value: Any, variables: Mapping[str, str]) -> str:
    """A text of a workflow with its expressions filled in; an unknown one is an error."""
    return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: variables[found[1]], str(value))


def github(service: Service, workflow: Mapping[str, Any], *, job: str, shard: str | None = None) -> list[int]:
    """One job of a workflow."""
    known = {"github.run_id": "4711"} | ({"matrix.shard": shard} if shard else {})
    env = {name: filled(value, known) for name, value in workflow["env"].items()}
    folder, ended = service.folder / f"{job}-{shard}", [0]
    for step in workflow["jobs"][job]["steps"]:
        given = {name: filled(value, known) for name, value in step.get("with", {}).items()}
        action = step.get("uses", "").partition("@")[0]
        if any(ended) and step.get("if") != "always()":
            continue
        if action == "actions/checkout":
            service.checkout(folder.name)
        elif action == "actions/upload-artifact":
            service.upload(given["name"], [given["path"]], folder)
        elif action == "actions/download-artifact":
            assert given["merge-multiple"] == "True"
            service.download(given["pattern"], folder)
        elif action:
            assert action == "actions/setup-python"
        else:
            ended += service.script([filled(step["run"], known)], folder, **env)
    return ended


def gitlab(service: Service, pipeline: Mapping[str, Any], *, job: str, shard: str | None = None) -> list[int]:
    """One job of a pipeline."""
    about = pipeline[job]
    ids = {name: value.replace("$CI_PIPELINE_ID", "4711") for name, value in pipeline["variables"].items()}
    nodes = {"CI_NODE_INDEX": shard, "CI_NODE_TOTAL": str(about["parallel"])} if shard else {}
    folder = service.checkout(f"{job}-{shard}")
    for needed in about.get("needs", ()):
        service.download(f"{needed} *", folder)
    ended = service.script(about["script"], folder, **ids, **nodes)
    service.upload(f"{job} {shard}", about["artifacts"]["paths"], folder)
    return ended


def loaded(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    return content


@pytest.fixture
def service(tmp_path: Path) -> Service:
    project = tmp_path / "project"
    write_project(project)
    with (project / "ftgate.yaml").open("a", encoding="utf-8") as file:
        file.write(MODELS)
    write_files(PAGE, project)
    return Service(tmp_path)


def one_machine(service: Service) -> Path:
    folder = service.checkout("one-machine")
    command = "pytest --model=tuned --baseline=prod --ftgate-cache=off --ftgate-report=evals.json"
    assert service.script([command], folder, FTGATE_RUN_ID="4711") == [0], (folder / "log.txt").read_text()
    return folder


def shards_of(service: Service, name: str) -> list[list[int]]:
    """Five jobs at once, as the service runs them."""
    content = loaded(service.folder / "project", name)
    make = github if name == GITHUB else gitlab
    numbers = content["jobs"]["evals"]["strategy"]["matrix"]["shard"] if name == GITHUB else range(1, 6)
    with ThreadPoolExecutor(2) as jobs:
        started = [jobs.submit(make, service, content, job="evals", shard=str(number)) for number in numbers]
        return [each.result() for each in started]


def decided(service: Service, name: str) -> list[int]:
    content = loaded(service.folder / "project", name)
    return (github if name == GITHUB else gitlab)(service, content, job="decide")


def log(service: Service, job: str) -> str:
    return (service.folder / job / "log.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [GITHUB, GITLAB])
def test_five_jobs_give_the_bytes_of_one_machine(service: Service, name: str) -> None:
    alone = one_machine(service)

    ended = shards_of(service, name)

    assert [any(each) for each in ended] == [False] * 5, log(service, "evals-1")
    assert not any(decided(service, name)), log(service, "decide-None")
    folder = service.folder / "decide-None"
    assert settled(folder / "evals.json") == settled(alone / "evals.json")
    assert settled(folder / ".ftgate/verdict.json") == settled(alone / ".ftgate/verdict.json")
    assert '"verdict": "SHIP"' in settled(folder / ".ftgate/verdict.json")


@pytest.mark.parametrize("name", [GITHUB, GITLAB])
def test_a_job_that_left_no_record_ships_nothing(service: Service, name: str) -> None:
    shards_of(service, name)
    lost = next(each for each in service.artefacts if "3" in each)
    service.artefacts[lost] = {}

    assert decided(service, name)[-1] == 2
    assert "shard 3 of 5 is missing" in log(service, "decide-None")
    assert run("ftgate verify --run-id 4711", service.folder / "decide-None").returncode == 1


def test_a_job_that_is_run_again_replaces_its_record(service: Service) -> None:
    content = loaded(service.folder / "project", GITHUB)
    answers = service.folder / "project" / "answers.jsonl"
    sound = answers.read_text(encoding="utf-8")
    shards_of(service, GITHUB)
    shutil.rmtree(service.folder / "evals-3")
    answers.write_text(sound.replace('"text": "', '"text": "not '), encoding="utf-8")
    assert not any(github(service, content, job="evals", shard="3"))
    shutil.rmtree(service.folder / "evals-3")
    answers.write_text(sound, encoding="utf-8")

    assert not any(github(service, content, job="evals", shard="3"))

    assert not any(decided(service, GITHUB)), log(service, "decide-None")


def test_no_record_at_all_is_said_and_fails(service: Service) -> None:
    assert decided(service, GITHUB)[-1] == 2
    assert "ftgate: ftgate-shard-*.jsonl can't be read: No such file or directory" in log(
        service, "decide-None"
    )


def test_the_commands_of_the_page_are_those_that_were_tried(service: Service) -> None:
    texts = [text for kind, text in blocks(PAGE) if not kind]
    first, last, balanced = texts
    assert service.script(
        ["pytest --model=tuned --baseline=prod --ftgate-report=last/run.jsonl"], service.folder / "project"
    ) == [0]

    for number in range(1, 6):
        command = first.strip().replace("2/5", f"{number}/5")
        assert service.script([command], service.folder / "project") == [0]
    assert service.script(last.splitlines(), service.folder / "project") == [0, 0]
    assert service.script([balanced.strip()], service.folder / "project", FTGATE_RUN_ID="4712") == [0]

"""The example's conftest starts the server for runs that need it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from example_project.assistant.server import Server
from tests.example_project.conftest import EXAMPLE, RECITED

CASES = f"""
cases:
  - {{id: hello, prompt: Hello, expect: {{exact_match: {{reference: {json.dumps(RECITED["speaker"])}}}}}}}
  - {{id: bye, prompt: Bye, expect: {{contains: parcel}}}}
"""
MODELS = """
models:
  speaker: {name: speaker, base_url_env: PARCEL_ASSISTANT_URL, params: {temperature: 0}}
gate:
  criteria: {quality: {metric: pass_rate, at_least: 100%}}
  min_cases: 1
"""
TEST = """
import os, pytest

@pytest.mark.parametrize("number", range(6))
def test_it(number):
    with open(f"url-{os.getpid()}.txt", "w") as file:
        file.write(os.environ.get("PARCEL_ASSISTANT_URL", "none"))
"""
#: Loaded by `-p`: every process that runs tests says which server it sees, whichever tests it is given.
LOOK = """
import os

def pytest_sessionstart(session):
    if hasattr(session.config, "workerinput") or session.config.getoption("dist") == "no":
        with open(f"url-{os.getpid()}.txt", "w") as file:
            file.write(os.environ.get("PARCEL_ASSISTANT_URL", "none"))
"""
WAITING = """
import os, sys

def test_it():
    print("\\n" + os.environ["PARCEL_ASSISTANT_URL"], flush=True)
    sys.__stdin__.readline()
"""


@pytest.fixture
def project(tmp_path: Path, models_folder: Path) -> Path:
    """The example's conftest and assistant, with small models and cases of its own."""
    project = tmp_path / "project"
    ignored = shutil.ignore_patterns("weights", "vocabulary.json", "__pycache__")
    shutil.copytree(EXAMPLE / "assistant", project / "assistant", ignore=ignored)
    shutil.copytree(models_folder, project / "assistant", dirs_exist_ok=True)
    shutil.copy(EXAMPLE / "conftest.py", project)
    (project / "the_last.evalcase.yaml").write_text(CASES, encoding="utf-8")
    (project / "ftgate.yaml").write_text(MODELS, encoding="utf-8")
    (project / "test_url.py").write_text(TEST, encoding="utf-8")
    (project / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return project


def environment(**variables: str) -> dict[str, str]:
    kept = ("PYTEST", "FTGATE", "PARCEL", "GITHUB", "CI")
    return {key: value for key, value in os.environ.items() if not key.startswith(kept)} | variables


def run(project: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=project,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def urls(project: Path) -> set[str]:
    """Where the tests of a run saw the server."""
    return {path.read_text(encoding="utf-8") for path in project.glob("url-*.txt")}


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0)


def assert_nobody_listens(url: str) -> None:
    with pytest.raises(ConnectionRefusedError), socket.create_connection(address(url), timeout=60):
        pass


@pytest.mark.parametrize(("options", "processes"), [([], 1), (["-n2"], 2)])
def test_a_run_of_a_model_has_one_server_and_ends_it(
    project: Path, options: list[str], processes: int
) -> None:
    (project / "look.py").write_text(LOOK, encoding="utf-8")

    done = run(project, "--model=speaker", "-p", "look", *options)

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(project.glob("url-*.txt"))) == processes
    [url] = urls(project)
    assert url.startswith("http://127.0.0.1:")
    assert_nobody_listens(url)


def test_the_folder_above_is_as_good_a_place_to_run_from(project: Path) -> None:
    done = run(project.parent, "project", "--model=speaker")

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_model_named_in_the_ini_file_counts_too(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\nftgate_model = speaker\n", encoding="utf-8")

    done = run(project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert urls(project) != {"none"}


def test_a_run_without_a_model_starts_nothing(project: Path) -> None:
    done = run(project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert urls(project) == {"none"}


def test_without_the_plugin_the_other_tests_run(project: Path) -> None:
    done = run(project, "-p", "no:ftgate")

    assert done.returncode == 0, done.stdout + done.stderr
    assert urls(project) == {"none"}


def test_a_look_at_the_cases_starts_nothing(project: Path) -> None:
    shutil.rmtree(project / "assistant" / "weights")

    done = run(project, "--model=speaker", "--collect-only", "-q")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "the_last.evalcase.yaml::hello" in done.stdout


def test_a_server_that_runs_already_is_used(project: Path, server: Server) -> None:
    shutil.rmtree(project / "assistant" / "weights")

    done = run(project, "--model=speaker", PARCEL_ASSISTANT_URL=server.base_url)

    assert done.returncode == 0, done.stdout + done.stderr
    assert urls(project) == {server.base_url}


def test_a_server_that_can_not_start_says_why(project: Path) -> None:
    weights = project / "assistant" / "weights"
    shutil.rmtree(weights)

    done = run(project, "--model=speaker")

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"assistant: no weights in {weights}: `python -m training` makes them\n" in done.stderr
    assert "ERROR: the assistant's server did not start (exit status 1)\n" in done.stderr


def waiting(project: Path) -> subprocess.Popen[str]:
    """A run in the middle of a test, which waits for a line."""
    (project / "test_url.py").write_text(WAITING, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-sp", "no:cacheprovider", "--model=speaker", "test_url.py"],
        cwd=project,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_however_pytest_ends_so_does_its_server(project: Path, number: signal.Signals) -> None:
    with waiting(project) as session:
        assert session.stdout
        url = next(line.strip() for line in session.stdout if line.startswith("http://127.0.0.1:"))
        with socket.create_connection(address(url), timeout=60) as client:
            session.send_signal(number)

            with suppress(ConnectionResetError):
                assert client.recv(1) == b""
        session.communicate(timeout=60)
    assert_nobody_listens(url)

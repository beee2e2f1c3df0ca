"""Ctrl-C and other ends that come too early: the verdict stays INCOMPLETE, and the run stops soon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.plugin.conftest import Project

HANGING = """
import asyncio
import pathlib
async def answer(prompt):
    if "Italy" in prompt:
        pathlib.Path("asked").touch()
        await asyncio.sleep(600)
    return {"France": "Paris"}.get(prompt.split()[-1].strip("?"), "Rome")
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_while_waiting_stops_soon_and_leaves_the_verdict_incomplete(project: Project) -> None:
    project.write("hanging.py", HANGING)
    command = [sys.executable, "-m", "pytest", "--model=python:hanging:answer", "--color=no"]
    run = subprocess.Popen(command, cwd=project.pytester.path, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (project.pytester.path / "asked").exists() and time.monotonic() < deadline:
        time.sleep(0.02)

    pressed = time.monotonic()
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=60)

    assert time.monotonic() - pressed < 10  # a bound against hanging, not a measure of speed
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert "did not finish" in " ".join(project.verdict["reasons"])
    assert "INCOMPLETE" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("code", ["pytest.exit('enough', returncode=0)", "os._exit(0)"])
def test_a_test_that_ends_the_process_leaves_no_ship(project: Project, code: str) -> None:
    project.write("test_end.py", f"import os, pytest\ndef test_end():\n    {code}\n")

    result = project.run_apart("--model=python:bots:good", "test_end.py", "evals")

    assert project.verdict["verdict"] == "INCOMPLETE"
    assert result.ret == (
        0 if "_exit" in code else 1
    )  # nothing runs after os._exit: `ftgate verify` catches it


def test_a_session_end_that_raises_leaves_no_ship(project: Project) -> None:
    project.write("conftest.py", "def pytest_runtestloop(session):\n    raise SystemExit(0)\n")

    project.run_apart("--model=python:bots:good")

    assert project.verdict["verdict"] == "INCOMPLETE"


def test_the_verdict_file_is_incomplete_of_this_run_while_tests_run(project: Project) -> None:
    project.write(
        "test_look.py",
        "import json, pathlib\n"
        "def test_look():\n"
        "    verdict = json.loads(pathlib.Path('.ftgate/verdict.json').read_text())\n"
        "    pathlib.Path('seen').write_text(json.dumps([verdict['verdict'], verdict['run_id']]))\n",
    )
    project.run("--model=python:bots:good")

    project.run("--model=python:bots:good", "--ftgate-run-id=this-one", "test_look.py", "evals")

    assert json.loads((project.pytester.path / "seen").read_text()) == ["INCOMPLETE", "this-one"]
    assert (project.verdict["verdict"], project.verdict["run_id"]) == ("SHIP", "this-one")

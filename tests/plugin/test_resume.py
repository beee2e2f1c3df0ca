"""Runs that end too early, and the runs that go on with them: what is sent, said and decided."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Project
from tests.support.server import ChatServer, Reply

GATE = """
gate: {min_cases: 1, criteria: {all: {metric: pass_rate, at_least: 100%}}}
models:
  tuned: {name: tuned-1, base_url_env: SERVER, api_key_env: SOME_KEY, price: {input: 1, output: 1}}
"""
COUNT = 40


class Server:
    """Echoes the number that it is asked for, and holds answers back once so many were given."""

    def __init__(self) -> None:
        self.hold_after: int | None = None
        self.served = "tuned-1-a"
        self.usage: tuple[int, int] | None = (10, 5)
        self.refuses: str | None = None
        self.released = threading.Event()
        self.answered = 0

    def __call__(self, body: dict[str, Any]) -> Reply:
        self.answered += 1
        if self.hold_after is not None and self.answered > self.hold_after:
            return Reply(text="late", latency_s=600)
        prompt = body["messages"][-1]["content"]
        if prompt == self.refuses:
            return Reply(status=400, body=b'{"error": {"message": "no"}}')
        number = prompt.split()[-1]
        return Reply(text=number, served=self.served, usage=self.usage)


@pytest.fixture
def project(empty_project: Project) -> Project:
    """Without the four capitals of other tests."""
    return empty_project


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, empty_project: Project) -> Iterator[tuple[Server, ChatServer]]:
    """A project of 40 cases, and the server that answers them."""
    script = Server()
    rows = "".join(json.dumps({"id": f"c{n:02}", "n": str(n)}) + "\n" for n in range(COUNT))
    empty_project.write("evals/rows.jsonl", rows)
    empty_project.write(
        "evals/echo.evalcase.yaml",
        "datasets: [{path: rows.jsonl, id: '{{id}}', prompt: 'say {{n}}', expect: {exact_match: '{{n}}'}}]\n",
    )
    empty_project.write("ftgate.yaml", GATE)
    monkeypatch.setenv("SOME_KEY", "sk-canary-0123456789abcdef")
    with ChatServer(script) as running:
        monkeypatch.setenv("SERVER", running.url)
        yield script, running


def store_of(project: Project) -> Path:
    return project.pytester.path / ".ftgate" / "answers.sqlite"


def answers(project: Project) -> int:
    path = store_of(project)
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            row = connection.execute("SELECT count(*) FROM answers WHERE completion IS NOT NULL").fetchone()
    except sqlite3.Error:  # the tables are being made
        return 0
    return int(row[0])


def started(project: Project, *args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", "--model=tuned", "--color=no", *args]
    return subprocess.Popen(command, cwd=project.pytester.path, stdout=subprocess.PIPE, text=True)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def ended_early(project: Project, script: Server, how: signal.Signals, *args: str, at: int = 20) -> str:
    """What a run printed that got so many answers, and was then sent a signal."""
    script.hold_after = at
    run = started(project, *args)
    wait_until(lambda: answers(project) >= at)
    run.send_signal(how)
    output, _ = run.communicate(timeout=120)
    script.hold_after = None
    return output


def without_run(verdict: dict[str, Any]) -> dict[str, Any]:
    left_out = ("run_id", "started", "finished", "warnings")
    return {key: value for key, value in verdict.items() if key not in left_out}


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "n2"])
def test_a_killed_run_is_gone_on_with_and_gives_the_verdict_of_a_straight_one(
    project: Project, server: tuple[Server, ChatServer], workers: list[str]
) -> None:
    script, running = server
    ended_early(project, script, signal.SIGKILL, *workers)
    assert project.verdict["verdict"] == "INCOMPLETE"
    sent = running.count

    result = project.run_apart("--model=tuned", *workers)

    assert result.ret == 0
    (warning,) = project.verdict["warnings"]
    told = re.fullmatch(r"resumed: (\d+) of 40 answers from \d\d:\d\d UTC", warning)
    assert told
    # The workers of a killed controller live on for a moment, and what they still get is kept as well.
    taken = int(told[1])
    assert taken >= 20 if workers else (taken, running.count - sent) == (20, COUNT - 20)
    assert running.count <= COUNT + 32
    result.stdout.fnmatch_lines(
        [
            f"ftgate: going on with an unfinished run: {taken} answers are kept from *",
            f"warning: resumed: {taken} of 40 answers from *",
        ]
    )
    resumed = without_run(project.verdict)
    project.run_apart("--model=tuned", *workers)
    assert "warnings" not in project.verdict or project.verdict["warnings"] == []
    assert without_run(project.verdict) == resumed


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "n2"])
def test_ctrl_c_and_sigterm_keep_everything_and_say_how_to_go_on(
    project: Project, server: tuple[Server, ChatServer], how: signal.Signals, workers: list[str]
) -> None:
    script, _ = server

    output = ended_early(project, script, how, *workers)

    assert project.verdict["verdict"] == "INCOMPLETE"
    assert f"did not finish ({'SIGTERM' if how is signal.SIGTERM else 'Ctrl-C'})" in " ".join(
        project.verdict["reasons"]
    )
    told = " ".join(["pytest", "--model=tuned", "--color=no", *workers])
    assert f"ftgate: 20 answers are kept; go on with:\n  {told}\n" in output
    assert "Traceback" not in output


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_second_sigterm_ends_the_run_at_once(
    project: Project, server: tuple[Server, ChatServer], tmp_path: Path
) -> None:
    script, _ = server
    project.write(
        "conftest.py",
        "import pathlib, time\n"
        "def pytest_sessionfinish():\n"
        "    pathlib.Path('ending').touch()\n"
        "    time.sleep(600)\n",
    )
    script.hold_after = 10
    run = started(project)
    wait_until(lambda: answers(project) >= 10)
    run.send_signal(signal.SIGTERM)
    wait_until((project.pytester.path / "ending").exists)

    run.send_signal(signal.SIGTERM)

    run.communicate(timeout=60)
    assert run.returncode == -signal.SIGTERM
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_answers_of_other_weights_are_not_taken_over(
    project: Project, server: tuple[Server, ChatServer]
) -> None:
    script, running = server
    project.run_apart("--model=tuned", "--ftgate-max-tokens=150", "--ftgate-concurrency=1")
    sent = running.count
    assert 0 < sent < COUNT
    script.served = "tuned-1-b"

    result = project.run_apart("--model=tuned")

    assert running.count - sent == COUNT
    assert result.ret == 0
    assert not [line for line in project.verdict["warnings"] if "resumed" in line]


@pytest.mark.parametrize(
    "change",
    [
        ("evals/rows.jsonl", '"39"', '"40"'),
        ("ftgate.yaml", "name: tuned-1", "name: tuned-2"),
        ("ftgate.yaml", "price:", "params: {temperature: 0}, revision: next, price:"),
    ],
    ids=["case", "model", "revision"],
)
def test_a_run_of_another_plan_asks_for_everything(
    project: Project, server: tuple[Server, ChatServer], change: tuple[str, str, str]
) -> None:
    _, running = server
    project.run_apart("--model=tuned", "--ftgate-max-tokens=150")
    sent = running.count
    path = project.pytester.path / change[0]
    path.write_text(path.read_text().replace(*change[1:]))

    result = project.run_apart("--model=tuned")

    assert running.count - sent == COUNT
    result.stdout.fnmatch_lines(
        [
            "ftgate: asking for everything: the unfinished run of * (40 answers are",
            "  kept) had another plan; --ftgate-cache=use takes its answers",
        ],
        consecutive=True,
    )


def test_a_run_that_is_too_old_is_not_gone_on_with(
    project: Project, server: tuple[Server, ChatServer]
) -> None:
    _, running = server
    project.run_apart("--model=tuned", "--ftgate-max-tokens=150")
    sent = running.count
    with closing(sqlite3.connect(store_of(project))) as connection, connection:
        connection.execute("UPDATE answers SET created = created - 7200")

    project.run_apart("--model=tuned", "-o", "ftgate_resume_max_age=1h")

    assert running.count - sent == COUNT


def test_errors_are_asked_again_and_answers_are_not(
    project: Project, server: tuple[Server, ChatServer]
) -> None:
    script, running = server
    script.refuses = "say 33"
    first = project.run_apart("--model=tuned")
    assert (first.ret, project.verdict["verdict"]) == (1, "INCOMPLETE")
    first.stdout.fnmatch_lines(
        ["ftgate: 39 answers are kept; go on with:", "  pytest *--color=no --model=tuned"], consecutive=True
    )
    sent = running.count
    script.refuses = None

    second = project.run_apart("--model=tuned")

    assert (second.ret, project.verdict["verdict"]) == (0, "SHIP")
    assert running.count - sent == 1


def test_a_finished_run_is_asked_anew_whatever_its_verdict(
    project: Project, server: tuple[Server, ChatServer]
) -> None:
    _, running = server
    project.write("ftgate.yaml", GATE.replace("100%", "100%, min_cases: 999"))
    assert project.run_apart("--model=tuned").ret == 1

    project.run_apart("--model=tuned")
    assert running.count == 2 * COUNT
    project.run_apart("--model=tuned", "-k", "c01 or c02")
    project.run_apart("--model=tuned", "-k", "c01 or c02")

    assert running.count == 2 * COUNT + 4


def test_a_row_that_is_no_text_is_asked_again(project: Project, server: tuple[Server, ChatServer]) -> None:
    _, running = server
    project.run_apart("--model=tuned", "--ftgate-max-tokens=300", "--ftgate-concurrency=1")
    sent = running.count
    with closing(sqlite3.connect(store_of(project))) as connection, connection:
        connection.execute("UPDATE answers SET completion = x'00ff' WHERE seq = 1")
        connection.execute("UPDATE answers SET key = CAST(x'ff80' AS TEXT) WHERE seq = 2")
        connection.execute("UPDATE answers SET key = x'ff80' WHERE seq = 3")

    result = project.run_apart("--model=tuned")

    assert result.ret == 0
    assert running.count - sent == COUNT - sent + 3


# --ftgate-cache


def test_use_and_only_take_what_is_there_and_measure_no_times(
    project: Project, server: tuple[Server, ChatServer]
) -> None:
    _, running = server
    project.write(
        "ftgate.yaml", GATE.replace("criteria: {", "criteria: {fast: {metric: latency_p50, at_most: 99}, ")
    )
    project.run_apart("--model=tuned", "-k", "c0")
    assert running.count == 10

    used = project.run_apart("--model=tuned", "--ftgate-cache=use")
    mixed = project.verdict
    only = project.run_apart("--model=tuned", "--ftgate-cache=only")

    assert running.count == COUNT
    assert (used.ret, only.ret) == (1, 1)
    assert (mixed["verdict"], mixed["mode"]) == ("INCONCLUSIVE", "mixed")
    assert (project.verdict["verdict"], project.verdict["mode"]) == ("INCONCLUSIVE", "recorded")
    fast = {one["name"]: one["status"] for one in project.verdict["criteria"]}
    assert fast == {"fast": "NOT MEASURED", "all": "GO"}
    assert re.fullmatch(
        r"stored: 40 of 40 answers from \d\d:\d\d UTC; times were not measured",
        project.verdict["warnings"][0],
    )


def test_only_names_what_is_not_stored_and_sends_nothing(
    project: Project, server: tuple[Server, ChatServer]
) -> None:
    _, running = server
    project.run_apart("--model=tuned", "-k", "not c01 and not c02")
    sent = running.count

    result = project.run_apart("--model=tuned", "--ftgate-cache=only")

    assert running.count == sent
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: evals/echo.evalcase.yaml:1: case 'c01': no stored answer of tuned: "
            "--ftgate-cache=use asks for what is missing",
            "evals/echo.evalcase.yaml:1: case 'c02': no stored answer of tuned: *",
        ]
    )


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "n2"])
def test_off_keeps_nothing(
    project: Project,
    server: tuple[Server, ChatServer],
    workers: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, running = server
    (tmp_path / "temp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))

    result = project.run_apart("--model=tuned", "--ftgate-cache=off", *workers)

    assert (result.ret, running.count) == (0, COUNT)
    assert not store_of(project).exists()
    assert not list((tmp_path / "temp").glob("ftgate*"))


def test_refresh_asks_for_everything_and_keeps_it(
    project: Project, server: tuple[Server, ChatServer]
) -> None:
    _, running = server
    project.run_apart("--model=tuned", "--ftgate-max-tokens=150")
    sent = running.count

    project.run_apart("--model=tuned", "--ftgate-cache=refresh")
    project.run_apart("--model=tuned", "--ftgate-cache=only")

    assert running.count - sent == COUNT
    assert project.verdict["mode"] == "recorded"


def test_a_store_that_can_not_be_used_names_the_way_without_it(
    project: Project, server: tuple[Server, ChatServer]
) -> None:
    _, running = server
    store_of(project).parent.mkdir()
    store_of(project).write_bytes(b"no database" * 500)

    result = project.run_apart("--model=tuned")

    assert (result.ret, running.count) == (pytest.ExitCode.USAGE_ERROR, 0)
    result.stderr.fnmatch_lines(
        [
            "ERROR: *answers.sqlite: damaged, or no answer store (file is not a database). It was left as it "
            "is: move it away, and the next run makes a new one, or run with --ftgate-cache=off, which keeps "
            "no answers"
        ]
    )
    assert store_of(project).read_bytes() == b"no database" * 500
    assert project.run_apart("--model=tuned", "--ftgate-cache=off").ret == 0


# Limits


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "n2"])
@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("--ftgate-max-tokens=300", r"--ftgate-max-tokens=300 is reached: 3[0-4]\d tokens were used"),
        ("--ftgate-max-cost=0.0003", r"--ftgate-max-cost=0.0003 is reached: 0.0003\d* were spent"),
    ],
)
def test_a_limit_stops_the_run_keeps_everything_and_the_same_command_goes_on(
    project: Project, server: tuple[Server, ChatServer], workers: list[str], limit: str, said: str
) -> None:
    _, running = server
    args = ["--model=tuned", limit, "--ftgate-concurrency=2", *workers]

    result = project.run_apart(*args)

    assert result.ret == 2
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert re.search(said, " ".join(project.verdict["reasons"]))
    assert 20 <= running.count < COUNT
    assert answers(project) == running.count
    told = " ".join(["--color=no", *args])
    result.stdout.fnmatch_lines(
        [f"ftgate: {running.count} answers are kept; go on with:", f"  pytest *{told}"], consecutive=True
    )
    assert "Traceback" not in result.stdout.str()
    for _ in range(COUNT // 10):
        if (result := project.run_apart(*args)).ret == 0:
            break
    assert project.verdict["verdict"] == "SHIP"
    assert running.count == COUNT


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("--ftgate-max-tokens=150", "--ftgate-max-tokens can't be kept: an answer came without its token c"),
        ("--ftgate-max-cost=1", "--ftgate-max-cost can't be kept: it is not known what an answer cost; give"),
    ],
)
def test_a_limit_that_can_not_be_kept_stops_at_the_first_answer(
    project: Project, server: tuple[Server, ChatServer], limit: str, said: str
) -> None:
    script, running = server
    script.usage = None

    project.run_apart("--model=tuned", limit)

    assert said in " ".join(project.verdict["reasons"])
    assert running.count == 1  # the first of a model goes alone


@pytest.mark.parametrize("cache", ["resume", "off"])
def test_a_deadline_ends_a_run_that_waits(
    project: Project, server: tuple[Server, ChatServer], cache: str
) -> None:
    script, _ = server
    script.hold_after = 5

    result = project.run_apart("--model=tuned", "--ftgate-deadline=3s", f"--ftgate-cache={cache}")

    assert result.ret == 2
    assert "--ftgate-deadline is reached" in " ".join(project.verdict["reasons"])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--ftgate-cache=on", "--ftgate-cache=on: one of resume, use, only, refresh, off is needed"),
        ("--ftgate-max-tokens=0", "--ftgate-max-tokens=0: a whole number from 1 is needed"),
        ("--ftgate-max-tokens=many", "--ftgate-max-tokens=many: a whole number from 1 is needed"),
        ("--ftgate-max-cost=-1", "--ftgate-max-cost=-1: a positive number such as 5 or 0.50 is needed"),
        ("--ftgate-max-cost=nan", "--ftgate-max-cost=nan: a positive number such as 5 or 0.50 is needed"),
        (
            "--ftgate-deadline=30",
            "--ftgate-deadline: '30' is not a length of time; write such as 90s, 30m, 2h or 1d",
        ),
        (
            "--ftgate-deadline=0s",
            "--ftgate-deadline: '0s' is no time at all; write such as 90s, 30m, 2h or 1d",
        ),
    ],
)
def test_a_mistaken_limit_is_a_usage_error(project: Project, option: str, said: str) -> None:
    result = project.run("--model=python:bots:good", option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}"])


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_answers_of_a_function_without_a_revision_are_not_offered(project: Project) -> None:
    project.write(
        "bots.py",
        "import asyncio, pathlib\n"
        "async def answer(prompt):\n"
        "    if prompt == 'last':\n"
        "        pathlib.Path('asked').touch()\n"
        "        await asyncio.sleep(600)\n"
        "    return 'yes'\n",
    )
    project.write(
        "evals/a.evalcase.yaml",
        "cases:\n- {id: one, prompt: first, expect: 'yes'}\n- {id: two, prompt: last, expect: 'yes'}\n",
    )
    project.write(
        "ftgate.yaml",
        "models:\n  plain: {python: 'bots:answer'}\n  tagged: {python: 'bots:answer', revision: 1}\n",
    )
    said = {}
    for model in ("plain", "tagged"):
        (project.pytester.path / "asked").unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", f"--model={model}", "--color=no"]
        run = subprocess.Popen(command, cwd=project.pytester.path, stdout=subprocess.PIPE, text=True)
        wait_until((project.pytester.path / "asked").exists)
        run.send_signal(signal.SIGINT)
        said[model] = "1 answer is kept; go on with:" in run.communicate(timeout=60)[0]

    assert said == {"plain": False, "tagged": True}

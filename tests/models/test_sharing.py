"""Several real processes, one store, and a server that counts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ChatServer, Reply, error_reply

REPOSITORY = Path(__file__).parents[2]


class Processes:
    """Starts processes of one run, all at the same time, and ends them with the test."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.started: list[subprocess.Popen[str]] = []

    def start(self, url: str, count: int, **settings: Any) -> list[subprocess.Popen[str]]:
        """So many of them; `of_each` has the settings that differ."""
        of_each = settings.pop("of_each", [{}] * count)
        for number in range(count):
            given = {"store": str(self._store), "url": url, "owner": f"gw{number}", "share": [number, count]}
            argument = json.dumps({**given, **settings, **of_each[number]})
            command = [sys.executable, "-m", "tests.models.one_of_many", argument]
            self.started.append(
                subprocess.Popen(
                    command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
        for process in self.started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in self.started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        return self.started


def rows_of(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in process.communicate(timeout=60)[0].splitlines()]
    assert process.returncode == 0
    return rows


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path / ".ftgate" / "answers.sqlite")
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def asked(server: ChatServer) -> list[tuple[str, str]]:
    return [(one.body["model"], one.body["messages"][0]["content"]) for one in server.requests]


@pytest.mark.parametrize("count", [2, 4])
def test_each_request_is_sent_once_and_all_are_told_the_same(processes: Processes, count: int) -> None:
    with ChatServer(
        lambda body: f"{body['model']} {body['messages'][0]['content']}", latency_s=0.01
    ) as server:
        started = processes.start(server.url, count, cases=100)
        told = [rows_of(process) for process in started]

    assert not [row["error"] for rows in told for row in rows if "error" in row]
    assert [row["completion"]["text"] for row in told[0]] == [
        f"{arm} {n}" for n in range(100) for arm in ("model", "baseline")
    ]
    assert all(rows == told[0] for rows in told)
    assert sorted(asked(server)) == sorted(
        {(arm, str(n)) for arm in ("model", "baseline") for n in range(100)}
    )


@pytest.mark.parametrize(
    ("count", "concurrency", "limit"), [(2, 3, None), (3, 4, None), (3, 2, None), (2, 1, None), (2, 8, 1)]
)
def test_all_processes_together_stay_within_the_concurrency(
    processes: Processes, count: int, concurrency: int, limit: int | None
) -> None:
    with ChatServer(latency_s=0.01) as server:
        for process in processes.start(server.url, count, cases=20, concurrency=concurrency, limit=limit):
            rows_of(process)

    assert server.most_at_once <= min(concurrency, 2 * (limit or concurrency))  # a limit for each arm
    assert server.count == 40


def test_a_turn_of_a_process_that_is_killed_goes_to_another(processes: Processes) -> None:
    with ChatServer(latency_s=0.02) as server:
        started = processes.start(server.url, 2, cases=30, concurrency=1, lease_s=1.0)
        while server.count < 10:
            time.sleep(0.005)
        started[0].kill()
        told = rows_of(started[1])

    assert [row["completion"]["text"] for row in told] == [str(n) for n in range(30) for _ in range(2)]
    assert server.count <= 60 + 2


def test_the_first_request_to_a_model_is_sent_by_one_process_alone(processes: Processes) -> None:
    with ChatServer(lambda _: error_reply(401, "no such key"), latency_s=0.05) as server:
        told = [rows_of(process) for process in processes.start(server.url, 3, cases=30)]

    assert server.count <= 2  # one for each arm
    for rows in told:
        assert {row["error"][0] for row in rows} == {"FatalModelError"}


def test_a_process_that_is_killed_costs_what_it_had_in_flight(processes: Processes) -> None:
    with ChatServer(latency_s=0.02) as server:
        started = processes.start(server.url, 3, cases=120, lease_s=1.0, concurrency=4)
        while server.count < 60:
            time.sleep(0.005)
        started[0].kill()
        told = [rows_of(process) for process in started[1:]]

    texts = [str(n) for n in range(120) for _ in range(2)]
    assert [[row["completion"]["text"] for row in rows] for rows in told] == [texts, texts]
    # What was on its way, and at most as many answers that were not committed yet.
    assert 240 <= server.count <= 240 + 2 * 2


def test_a_process_that_ends_early_first_does_its_share(processes: Processes) -> None:
    of_each = [{"items": [0], "finish": True}, {}]
    with ChatServer(latency_s=0.02) as server:
        told = [rows_of(p) for p in processes.start(server.url, 2, cases=40, of_each=of_each)]

    assert (len(told[0]), len(told[1])) == (0, 80)
    assert server.count == 80


def test_what_a_process_leaves_undone_is_taken_over_at_once(processes: Processes) -> None:
    of_each: list[dict[str, Any]] = [{"items": [0]}, {}]
    started = time.monotonic()

    with ChatServer(latency_s=0.02) as server:
        told = [rows_of(p) for p in processes.start(server.url, 2, cases=40, of_each=of_each)]

    assert (len(told[0]), len(told[1])) == (0, 80)
    assert server.count <= 80 + 8
    assert time.monotonic() - started < 30


def test_an_error_is_told_to_all_and_not_repeated(processes: Processes) -> None:
    def answer(body: dict[str, Any]) -> str | Reply:
        text = body["messages"][0]["content"]
        return error_reply(400, f"{text} is too long") if text == "7" else str(text)

    with ChatServer(answer) as server:
        told = [rows_of(process) for process in processes.start(server.url, 2, cases=20)]

    message = f'HTTP 400 from {server.url}: "7 is too long"'
    assert [row["error"] for row in told[0] if row["id"] == "7"] == [["ModelError", "status", message]] * 2
    assert told[0] == told[1]
    assert server.count == 40


def test_a_fatal_error_stops_all(processes: Processes) -> None:
    def answer(_: dict[str, Any]) -> Reply:
        return Reply(text="x", latency_s=0.02) if server.count < 20 else error_reply(401, "revoked")

    with ChatServer(answer) as server:
        told = [rows_of(process) for process in processes.start(server.url, 3, cases=3000)]

    assert server.count <= 20 + 8 + 8
    for rows in told:
        last = rows[-1]["error"]
        assert last[:2] == ["FatalModelError", "status"]
        assert last[2].endswith('"revoked". Check the key in OPENAI_API_KEY, and that it may use this model')

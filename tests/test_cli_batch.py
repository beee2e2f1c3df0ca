"""`ftgate batch` on real files against a real server: what it sends, prints, keeps, and exits with."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pytest_ftgate.cli import main
from tests.support.batch_server import DROPPED, EXPIRED, LOST, BatchServer, Fault, Step
from tests.support.server import Reply, error_reply

ROOT = Path(__file__).parents[1]
KEY = "sk-batch-0123456789abcdefghij"
TOOLS = """suite: tools
defaults: {category: simple, params: {max_tokens: 50}}
cases:
  - {id: tokyo, prompt: Tokyo, expect: Tokyo}
  - {id: paris, prompt: Paris, expect: Paris, repeat: 2}
  - {id: poem, category: adversarial, prompt: Poem, expect: Poem}
"""
GENERAL = """suite: general
role: general
cases:
  - {id: capital, category: facts, prompt: Capital, expect: Capital}
"""
TALK = """suite: talk
cases:
  - id: refund
    turns: [{user: Hello, expect: {contains: e}}, {user: Bye, expect: {contains: e}}]
"""
CONFIG = """models:
  tuned: {{name: ft-1, base_url: '{url}', api_key_env: BATCH_KEY, params: {{seed: 7}}}}
  prod: {{name: gpt-base, base_url: '{url}', api_key_env: BATCH_KEY, stream: true}}
  saved: {{recorded: saved.jsonl}}
  bot: {{python: 'bot:answer'}}
gate:
  min_cases: 1
  criteria:
    right: {{metric: pass_rate, role: target, at_least: 50%}}
    kept: {{metric: pass_rate, role: general, compare: delta, at_least: -5%}}
    fast: {{metric: latency_p50, at_most: 5, advisory: true}}
"""
BOTH = ("evals", "--model=tuned", "--baseline=prod")


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer() as server:
        yield server


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: BatchServer) -> Path:
    """A project of two suites; a run inside this process leaves no folder on `sys.path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("BATCH_KEY", KEY)
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals/tools.evalcase.yaml").write_text(TOOLS, encoding="utf-8")
    (tmp_path / "evals/general.evalcase.yaml").write_text(GENERAL, encoding="utf-8")
    (tmp_path / "ftgate.yaml").write_text(CONFIG.format(url=server.url), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["batch", *args], prog_name="ftgate")


def submit(*args: str) -> Result:
    return run("submit", "-p", "no:cacheprovider", "--settle=1s", *args)


def collect(*args: str) -> Result:
    return run("collect", "-o", "answers.jsonl", *args)


def rows() -> list[dict[str, Any]]:
    """The answers that were collected."""
    lines = Path("answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]) == {"schema": "ftgate.answers/1"}
    return [json.loads(line) for line in lines[1:]]


def command(*args: str) -> subprocess.Popen[str]:
    """`ftgate batch` in a process of its own."""
    code = "from pytest_ftgate.cli import main; main(prog_name='ftgate')"
    return subprocess.Popen(
        [sys.executable, "-c", code, "batch", *args],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def gate(*args: str) -> subprocess.CompletedProcess[str]:
    """pytest on the answers that were collected."""
    arms = [f"--{arm}=recorded:answers.jsonl" for arm in ("model", "baseline")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "evals", *arms, *args],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def verdict() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(".ftgate/verdict.json").read_text(encoding="utf-8"))
    return content


def test_from_the_cases_to_the_verdict(server: BatchServer) -> None:
    submitted, looked, collected = submit(*BOTH), run("status"), collect()

    assert (submitted.exit_code, submitted.stderr) == (0, "")
    assert submitted.stdout == (
        "1-model-001: uploading 5 requests, 966 bytes\n"
        "1-model-001: submitted, batch_1\n"
        "1-baseline-001: uploading 5 requests, 956 bytes\n"
        "1-baseline-001: submitted, batch_2\n"
        "submitted: 10 requests in 2 batches\n"
        "next: ftgate batch status --wait\n"
        "      ftgate batch collect -o answers.jsonl\n"
    )
    assert (looked.exit_code, looked.stderr) == (0, "")
    assert (collected.exit_code, collected.stderr) == (0, "")
    assert collected.stdout == (
        "answers.jsonl: 10 of 10 answers\n"
        "  model: 5 of 5, by ft-1\n"
        "  baseline: 5 of 5, by gpt-base\n"
        "next: pytest --model=recorded:answers.jsonl --baseline=recorded:answers.jsonl\n"
    )

    done = gate("--ftgate-report=report.json")

    assert (done.returncode, verdict()["verdict"]) == (0, "SHIP"), done.stdout
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert report["mode"] == "recorded"
    fast = next(each for each in report["criteria"] if each["name"] == "fast")
    assert fast["status"] == "NOT MEASURED"
    assert set(server.steps) == {"upload", "create", "batch", "content"}


def test_a_second_submit_sends_nothing(server: BatchServer) -> None:
    submit(*BOTH)
    server.steps.clear()

    again = submit(*BOTH)

    assert (again.exit_code, again.stderr) == (0, "")
    assert again.stdout == (
        "nothing was sent: submitted before are 10 requests in 2 batches\n"
        "next: ftgate batch status --wait\n"
        "      ftgate batch collect -o answers.jsonl\n"
    )
    assert server.steps == []


def held(server: BatchServer, step: Step, *, done: bool) -> threading.Event:
    """The next request of a step gets no reply, whether or not the server does what it asks."""
    event = threading.Event()
    server.fault(step, Fault(done=done, held=event))
    return event


def ordered_once(server: BatchServer) -> None:
    """Each request of both arms is in exactly one batch, and each file in at most one."""
    ids = Counter(row["custom_id"] for row in server.sent)
    assert len(ids) == 10
    assert set(ids.values()) == {1}
    assert max(Counter(batch.order["input_file_id"] for batch in server.batches).values()) == 1


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["upload", "create"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_process_killed_at_any_step_is_gone_on_with_and_nothing_is_ordered_twice(
    server: BatchServer, step: Step, done: bool, nth: int
) -> None:
    server.fault(step, *[None] * (nth - 1))
    event = held(server, step, done=done)
    process = command("submit", "-p", "no:cacheprovider", *BOTH)
    assert event.wait(60)

    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = submit(*BOTH)

    assert (again.exit_code, again.stderr) == (0, "")
    ordered_once(server)
    assert len(server.batches) == 2
    if step == "upload" and done:
        assert server.steps.count("upload") == 2  # an uploaded file is used, not sent again
    if step == "create" and done:
        assert "found again, batch_" in again.stdout
    assert collect().exit_code == 0
    assert len(rows()) == 10


@pytest.mark.parametrize("step", ["batch", "content"])
def test_a_process_killed_while_it_collects_loses_nothing(server: BatchServer, step: Step) -> None:
    submit(*BOTH)
    event = held(server, step, done=True)
    process = command("collect", "-o", "answers.jsonl")
    assert event.wait(60)

    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert not Path("answers.jsonl").exists()
    assert collect().exit_code == 0
    assert len(rows()) == 10
    ordered_once(server)


@pytest.mark.parametrize(
    "fault", [LOST, Fault(done=True, status=500), Fault(done=True, status=200, body=b"oops")]
)
def test_a_creation_whose_reply_is_lost_is_looked_for_and_not_done_again(
    server: BatchServer, fault: Fault
) -> None:
    server.fault("create", fault)

    result = submit(*BOTH)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "1-model-001: found again, batch_1\n" in result.stdout
    ordered_once(server)


def test_a_batch_is_found_by_its_file_where_metadata_are_not_kept_however_long_the_list(
    server: BatchServer,
) -> None:
    server.keeps_metadata, server.page = False, 1
    server.fault("create", None, LOST)

    result = submit("--max-requests=2", *BOTH)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "1-model-002: found again, batch_2\n" in result.stdout
    ordered_once(server)
    assert len(server.batches) == 6


def test_a_creation_that_was_not_done_is_done_after_a_look(server: BatchServer) -> None:
    server.fault("create", DROPPED)

    result = submit(*BOTH)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1] == (
        f"1-model-001: ServerDisconnectedError: Server disconnected, from {server.url}; "
        "looking whether the batch was created"
    )
    ordered_once(server)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_where_batches_can_not_be_listed_a_person_has_to_look(server: BatchServer, status: int) -> None:
    server.fault("create", LOST)
    server.fault("batches", *[Fault(status=status, message="no such route")] * 3)

    result = submit(*BOTH)
    again = submit(*BOTH)

    state = json.loads(Path(".ftgate/batch/state.json").read_text(encoding="utf-8"))
    token = state["parts"][0]["token"]
    assert (result.exit_code, again.exit_code) == (2, 2)
    assert (
        result.stderr
        == again.stderr
        == (
            "ftgate: 1-model-001: its creation got no reply, and it can't be found out whether there is such a "
            f'batch: HTTP {status} from {server.url}: "no such route". None is created now, since it might be '
            "paid for twice. Look at the provider's page for a batch of the file file-1 "
            f"(metadata ftgate: {token}), then run this again with --found BATCH_ID, or with --not-created\n"
        )
    )
    assert len(server.batches) == 1

    found = submit("--found=batch_1", *BOTH)

    assert (found.exit_code, found.stderr) == (0, "")
    ordered_once(server)


def test_a_person_who_looked_says_that_none_was_created(server: BatchServer) -> None:
    server.fault("create", DROPPED)
    server.fault("batches", Fault(status=404))
    submit(*BOTH)

    result = submit("--not-created", *BOTH)

    assert (result.exit_code, result.stderr) == (0, "")
    ordered_once(server)


def test_a_batch_of_another_file_is_not_taken_for_the_one_in_doubt(server: BatchServer) -> None:
    server.fault("create", None, LOST)
    server.fault("batches", Fault(status=404))
    submit(*BOTH)

    result = submit("--found=batch_1", *BOTH)

    assert result.exit_code == 2
    assert result.stderr == (
        "ftgate: --found batch_1: that batch is made of the file file-1, and 1-baseline-001 is file-2\n"
    )

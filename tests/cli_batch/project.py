"""A small project whose answers come by batches: its files, and the commands in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from pytest_ftgate.cli import main
from tests.support.batch_server import BatchServer, Fault, Step
from tests.support.server import Reply

ROOT = Path(__file__).parents[2]
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


def pytest_run(*args: str) -> subprocess.CompletedProcess[str]:
    """pytest in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def gate(*args: str) -> subprocess.CompletedProcess[str]:
    """pytest on the answers that were collected."""
    arms = [f"--{arm}=recorded:answers.jsonl" for arm in ("model", "baseline")]
    return pytest_run("evals", *arms, *args)


def verdict() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(".ftgate/verdict.json").read_text(encoding="utf-8"))
    return content


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


def by_prompt(**answers: str | Reply | None) -> Any:
    """The model's answers to some prompts; to all others, and by the baseline, the prompt itself."""

    def answer(body: dict[str, Any]) -> str | Reply | None:
        prompt = str((body.get("messages") or body["input"])[-1]["content"])
        return answers.get(prompt, prompt) if body["model"] == "ft-1" else prompt

    return answer

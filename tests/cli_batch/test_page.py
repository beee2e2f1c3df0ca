"""docs/batch.md is true: its files and commands are taken from it, its transcripts really come out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli_batch.project import KEY, ROOT, gate, run, verdict
from tests.support.batch_server import EXPIRED, BatchServer
from tests.support.pages import blocks, write_files

PAGE = (ROOT / "docs/batch.md").read_text(encoding="utf-8")
TRANSCRIPTS = [text.split("\n", 1) for kind, text in blocks(PAGE) if kind == "text"]


def capitals(body: dict[str, Any]) -> str:
    """Knows both."""
    return "Paris" if "France" in str(body["messages"]) else "Rome"


def settled(text: str) -> str:
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", text)


def test_the_worked_example_is_what_really_comes_out(
    folder: Path, server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (folder / "evals").iterdir():
        path.unlink()
    assert write_files(PAGE, folder) == ["ftgate.yaml", "evals/capitals.evalcase.yaml"]
    monkeypatch.setenv("GATEWAY_URL", server.url)
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0 + 3 * 3600)
    server.statuses = ("in_progress", "expired")
    server.answer = lambda body: (
        EXPIRED if body["model"].startswith("ft:") and "Italy" in str(body) else capitals(body)
    )

    for number, (command, shown) in enumerate(TRANSCRIPTS):
        if number == 3:
            server.answer, server.statuses = capitals, ("completed",)
        result = run(*shlex.split(command.removeprefix("$ ftgate batch ")))
        lines = settled(result.output).splitlines()
        assert sorted(lines) == sorted(shown.splitlines()), command

    assert len(TRANSCRIPTS) == 5
    assert gate().returncode == 0
    assert verdict()["verdict"] == "SHIP"

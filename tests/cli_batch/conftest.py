"""Each test has a project and a server of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli_batch.project import CONFIG, GENERAL, KEY, TOOLS
from tests.support.batch_server import BatchServer


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer() as server:
        yield server


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: BatchServer) -> Path:
    """A project of two suites; a run inside this process leaves no folder on `sys.path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("COLUMNS", raising=False)  # else messages are wrapped, as on a terminal
    monkeypatch.setenv("BATCH_KEY", KEY)
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals/tools.evalcase.yaml").write_text(TOOLS, encoding="utf-8")
    (tmp_path / "evals/general.evalcase.yaml").write_text(GENERAL, encoding="utf-8")
    (tmp_path / "ftgate.yaml").write_text(CONFIG.format(url=server.url), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return tmp_path

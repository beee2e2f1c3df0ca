"""Waiting for answers, with progress on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.errors import ModelError

if TYPE_CHECKING:
    from pytest_ftgate.models import Request
    from pytest_ftgate.models.engine import CompletionEngine

_QUIET_S = 0.5


def wait_for(engine: CompletionEngine, requests: Sequence[Request], config: pytest.Config) -> None:
    """Returns when all these requests have an answer or an error; shows progress where a person looks."""
    line = _Progress(config)
    started = time.monotonic()
    for request in requests:
        while not _is_settled(engine, request):
            if time.monotonic() - started > _QUIET_S:
                line.show(*engine.progress())
    line.clear()


def _is_settled(engine: CompletionEngine, request: Request) -> bool:
    try:
        engine.result(request, timeout=0.1)
    except TimeoutError:
        return False
    except ModelError:
        return True
    return True


class _Progress:
    """A few characters behind the cursor that are taken back again, so that pytest's own line stays whole."""

    def __init__(self, config: pytest.Config) -> None:
        reporter = config.pluginmanager.getplugin("terminalreporter")
        is_shown = reporter is not None and reporter.isatty and config.get_verbosity() >= 0
        self.reporter = reporter if is_shown and sys.stdout.isatty() else None
        self.shown = ""

    def show(self, answered: int, planned: int) -> None:
        text = f" waiting for answers: {answered} of {planned}"
        if self.reporter is not None and text != self.shown:
            self.clear()
            self.reporter.write(text, flush=True)
            self.shown = text

    def clear(self) -> None:
        if self.reporter is not None and self.shown:
            back = "\b" * len(self.shown)
            self.reporter.write(back + " " * len(self.shown) + back, flush=True)
            self.shown = ""

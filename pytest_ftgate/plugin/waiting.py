"""Waiting for answers, with progress on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ftgate.models import Request
    from pytest_ftgate.models.endpoints.delays import Notice
    from pytest_ftgate.models.engine import CompletionEngine

_QUIET_S = 0.5
_LOOK_UP_S = 0.1


def wait_for(
    engine: CompletionEngine,
    requests: Sequence[Request],
    config: pytest.Config,
    tell: Callable[[Notice], None],
) -> None:
    """Returns when all these requests have an answer or an error; shows progress where a person looks.

    `tell` is given what there is to say of endpoints that keep all requests waiting.
    """
    _tell_all(engine, tell)
    if all(engine.wait(request, 0) for request in requests):
        return  # nobody has to be told of anything
    line = _Progress(config)
    started = time.monotonic()
    try:
        for request in requests:
            while not engine.wait(request, _LOOK_UP_S):
                if engine.has_notices:
                    line.clear()
                    _tell_all(engine, tell)
                if time.monotonic() - started > _QUIET_S:
                    line.show(*engine.progress())
    finally:
        line.clear()
    _tell_all(engine, tell)


def _tell_all(engine: CompletionEngine, tell: Callable[[Notice], None]) -> None:
    for notice in engine.notices():
        tell(notice)


class _Progress:
    """A few characters behind the cursor that are taken back again.

    They go past pytest's reporter, which would count them into the width of its own line.
    """

    def __init__(self, config: pytest.Config) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        is_seen = reporter is not None and reporter.isatty and sys.stdout.isatty()
        self.is_shown = is_seen and config.get_verbosity() >= 0
        self.shown = ""

    def show(self, answered: int, planned: int) -> None:
        text = f" waiting for answers: {answered} of {planned}"
        if self.is_shown and text != self.shown:
            self.clear()
            self._write(text)
            self.shown = text

    def clear(self) -> None:
        back = "\b" * len(self.shown)
        if self.shown:
            self._write(back + " " * len(self.shown) + back)
            self.shown = ""

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

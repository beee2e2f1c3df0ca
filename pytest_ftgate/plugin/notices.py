"""What people are told while endpoints keep all requests waiting: a line each time, from whichever process.

A process that asks for answers sends it as a warning, which xdist passes on at once; the process that decides
prints it, and keeps it out of pytest's summary of warnings, since the verdict says it again.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.plugin.terminal import say
from pytest_ftgate.reports.inert import inert_line

if TYPE_CHECKING:
    from pytest_ftgate.models.endpoints.delays import Notice
    from pytest_ftgate.plugin.conclusion import Conclusion
    from pytest_ftgate.plugin.session import FtgateSession

#: What several workers notice within so long is the same.
_SAME_S = 60.0


class EndpointNotice(UserWarning):
    """A notice on its way: `args` are what it is about, its text, and whether the requests still wait."""

    def __str__(self) -> str:
        return str(self.args[1])


def send(session: FtgateSession, notice: Notice) -> None:
    """Hands a notice to the process that decides, which may be this one."""
    text = inert_line(session.arms.redact(notice.text), limit=1000)
    record = warnings.WarningMessage(
        EndpointNotice(session.arms.redact(notice.about), text, notice.lasts), EndpointNotice, "ftgate", 0
    )
    hook = session.config.hook.pytest_warning_recorded
    hook.call_historic(kwargs={"warning_message": record, "when": "runtest", "nodeid": "", "location": None})


class NoticeHooks:
    """Registered on the process that decides."""

    def __init__(self, conclusion: Conclusion) -> None:
        self._conclusion = conclusion
        self._said_at: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Prints a notice, once for all processes; the terminal's own summary has heard of it before us."""
        notice = warning_message.message
        if not isinstance(notice, EndpointNotice):
            return
        about, text, lasts = notice.args
        config = self._conclusion.ftgate.config
        _take_back(config)
        now = time.monotonic()
        if now - self._said_at.get(about, -_SAME_S) >= _SAME_S:
            self._said_at[about] = now
            say(config, f"ftgate: {text}{self._what_is_kept() if lasts else ''}")

    def _what_is_kept(self) -> str:
        kept = self._conclusion.count_kept()
        if not kept:
            return ""
        return f"; Ctrl-C keeps the {'1 answer' if kept == 1 else f'{kept:,} answers'}"


def _take_back(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and (noted := reporter.stats.get("warnings")):
        noted.pop()
        if not noted:
            del reporter.stats["warnings"]

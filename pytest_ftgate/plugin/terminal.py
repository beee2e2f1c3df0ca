"""What this plugin writes to pytest's terminal: header lines, the MISSED section, the verdict's section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_ftgate.plugin.options import ALIASES
from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.page import sentence_rows
from pytest_ftgate.reports.terminal import render_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ftgate.gates import Assessment
    from pytest_ftgate.plugin.session import FtgateSession
    from pytest_ftgate.reports.lines import Line

_SHOWN_MISSES = 10


def header_lines(session: FtgateSession) -> list[str]:
    """Who is compared, and which of our short option names belongs to this project."""
    taken = [
        f"ftgate: {alias} is this project's own option; {ALIASES[alias]} is ours"
        for alias in session.settings.taken_aliases
    ]
    ours = [f"ftgate: {session.arms.header()}"]
    if session.sharding is not None:
        ours.append(f"ftgate: {session.sharding.name} of run {session.settings.run_id}")
    return [inert_line(row, limit=1000) for row in (*ours, *taken)]


def say(config: pytest.Config, message: str) -> None:
    """One message, wherever in the session; nothing where pytest has no terminal."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        if reporter._tw.width_of_current_line:  # behind the dots of -q and of xdist, which no file name leads
            reporter.line("")
        for row in sentence_rows(message, reporter._tw.fullwidth, first="", limit=2000):
            reporter.write_line(row, yellow=True)


class Hint(NamedTuple):
    """What to do now, and the command that does it, to be copied."""

    text: str
    command: str


class TerminalSection:
    """Writes through pytest's own terminal reporter, so that colour, width and capture are its business."""

    def __init__(self, reporter: pytest.TerminalReporter, session: FtgateSession) -> None:
        self.reporter = reporter
        self.ftgate = session
        self.verbosity = reporter.config.get_verbosity()

    def write_missed(self) -> None:
        """The missed cases like FAILURES: `--tb` counts, the first ten, all with -v."""
        missed = self.reporter.stats.get("missed", [])
        style = self.reporter.config.option.tbstyle
        if not missed:
            return
        if style == "no":
            self._name_missed(missed)
            return
        self.reporter.write_sep("=", "MISSED", yellow=True)
        shown = missed if self.verbosity > 0 else missed[:_SHOWN_MISSES]
        for report in shown:
            if style == "line":
                self.reporter.write_line(
                    f"{report.location[0]}:{report.location[1] + 1}: {_first_line(report)}"
                )
                continue
            self.reporter.write_sep("_", report.nodeid, yellow=True)
            self.reporter.write_line(report.longreprtext)
        if len(missed) > len(shown):
            self.reporter.write_line(f"... and {len(missed) - len(shown)} more: -v shows all", yellow=True)

    def _name_missed(self, missed: Sequence[pytest.TestReport]) -> None:
        shown = missed if self.verbosity > 0 else missed[:_SHOWN_MISSES]
        for report in shown:
            self.reporter.write_line(f"MISSED {report.nodeid} - {_first_line(report)}")
        if len(missed) > len(shown):
            self.reporter.write_line(f"... and {len(missed) - len(shown)} more: -v names all", yellow=True)

    def write_assessment(self, assessment: Assessment, *, ordinary_failures: int) -> None:
        """The table, the criteria and the verdict, or the one line of a run that is not gated."""
        if assessment.record.run.no_model:
            self._write_not_gated(assessment)
            return
        if self.verbosity >= 0:
            self.reporter.section("ftgate", sep="=", bold=True)
        for line in render_terminal(
            assessment,
            width=self.reporter._tw.fullwidth,
            verbosity=self.verbosity,
            ascii_only=not _speaks_unicode(self.reporter),
        ):
            self._write(line)
        if assessment.verdict.word == "SHIP" and ordinary_failures:
            noun = "test" if ordinary_failures == 1 else "tests"
            self.reporter.write_line(f"SHIP; {ordinary_failures} other {noun} failed", red=True, bold=True)

    def write_reports(self, paths: Sequence[Path]) -> None:
        """Where the reports are; those for people as what a terminal opens."""
        if self.verbosity >= 0:
            for path in paths:
                where = path.absolute().as_uri() if path.suffix.lower() == ".html" else str(path)
                self.reporter.write_line(inert_line(f"report: {where}", limit=4000))

    def write_trouble(self, trouble: Sequence[str]) -> None:
        """Files that could not be written, and what else went wrong after the tests."""
        for line in trouble:
            for row in sentence_rows(line, self.reporter._tw.fullwidth, limit=2000):
                self.reporter.write_line(row, red=True)

    def write_hint(self, hint: Hint | None) -> None:
        """How to go on with a run that is not whole; the command stays on one line."""
        if hint is None:
            return
        redact = self.ftgate.arms.redact
        for row in sentence_rows(redact(hint.text), self.reporter._tw.fullwidth):
            self.reporter.write_line(row, yellow=True)
        self.reporter.write_line(f"  {inert_line(redact(hint.command), limit=4000)}", yellow=True)

    def _write_not_gated(self, assessment: Assessment) -> None:
        count = len(assessment.record.plan.cases)
        noun = "eval case" if count == 1 else "eval cases"
        option = self.ftgate.settings.option_of("model")
        self.reporter.write_line(
            f"ftgate: not gated: {count} {noun} and no model; name one with {option}=NAME"
        )

    def _write(self, line: Line) -> None:
        for segment in line:
            self.reporter.write(segment.text, **segment.markup)
        self.reporter.write_line("")


def _first_line(report: pytest.TestReport) -> str:
    return next(iter(report.longreprtext.splitlines()), "")


def _speaks_unicode(reporter: pytest.TerminalReporter) -> bool:
    encoding = getattr(reporter._tw._file, "encoding", None) or "ascii"
    try:
        "≥≤±".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True

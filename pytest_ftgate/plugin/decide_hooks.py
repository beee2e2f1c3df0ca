"""Hooks of the process that decides (one process, or xdist's controller): gather, assess, show, exit."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftgate.errors import FtgateError
from pytest_ftgate.plugin import transport
from pytest_ftgate.plugin.collected import SUFFIXES
from pytest_ftgate.plugin.criterion_reports import criterion_reports, forget_criteria, is_criterion
from pytest_ftgate.plugin.exit_status import exit_status
from pytest_ftgate.plugin.ledger import RunLedger
from pytest_ftgate.plugin.session import FtgateSession
from pytest_ftgate.plugin.sharing import forget_worker
from pytest_ftgate.plugin.terminal import TerminalSection, header_lines
from pytest_ftgate.plugin.verdict_file import VerdictFile
from pytest_ftgate.record import Plan
from pytest_ftgate.reports import write_report

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment

DIST_EACH = "--dist=each runs every case once per worker, which no verdict can count: use another --dist"


class DecideHooks:
    """Registered once a model is named or a case file is seen; owns the ledger and the verdict file."""

    def __init__(self, session: FtgateSession, verdict_file: VerdictFile, *, is_controller: bool) -> None:
        self.ftgate = session
        self.ledger = RunLedger(session)
        self.verdict_file = verdict_file
        self.is_controller = is_controller
        self.assessment: Assessment | None = None
        self.trouble: list[str] = []
        self.gave_up = False
        self.kept_out: list[pytest.TestReport] = []
        self.is_concluding = False
        self.has_cases = False
        self.is_concluded = False
        self.is_final = False
        self.ordinary_failures = 0
        self.failures = 0

    def pytest_report_header(self) -> list[str]:
        """Models and endpoint hosts, and which of our short option names belongs to someone else."""
        return header_lines(self.ftgate) if self.ftgate.settings.model else []

    def pytest_report_collectionfinish(self) -> list[str]:
        """The same where ftgate.yaml names the model: now there are cases, so that it matters."""
        is_late = not self.ftgate.settings.model and self.ftgate.has_model
        return header_lines(self.ftgate) if is_late and self.ftgate.collected.files else []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Decides when the last item is done, however the loop ends, while reports can still be added."""
        if not self.is_controller:
            self.ledger.selected = {item.nodeid for item in session.items}
        try:
            result = yield
            self._raise_usage_error()
        except pytest.UsageError as error:
            self._give_up(error)
            raise
        except BaseException as interruption:
            if self.ledger.usage_error:  # the workers stopped for it
                refused = pytest.UsageError(self.ledger.usage_error)
                self._give_up(refused)
                raise refused from None
            self._conclude(session, interruption)
            raise
        self._conclude(session, None)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Everything that this process learns of trials comes through here."""
        if not is_criterion(report):
            self.ledger.add_report(report)
            self._begin_with_plan()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A collection error leaves the run incomplete."""
        self.ledger.collection_errors += report.failed

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """What the workers are going to run; the ids of eval cases say that this run is ours."""
        self.ledger.selected.update(ids)
        if any(nodeid.partition("::")[0].endswith(SUFFIXES) for nodeid in ids):
            self.has_cases = True
            self.verdict_file.begin()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker's last words, if it had any."""
        output = getattr(node, "workeroutput", None) or {}
        self.ledger.add_worker_output(transport.loads(output.get("ftgate")))
        self._begin_with_plan()
        if error:
            self.ledger.reasons.append(f"a worker died: {error}")
            forget_worker(self.ftgate.config, node)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """Misses get a letter of their own; criteria are counted, but leave the progress alone."""
        if is_criterion(report) and report.when == "call":
            word = "" if self.is_concluding else report.outcome.upper()
            return ("" if report.passed else report.outcome, "", word)
        if transport.is_miss(report):
            return "missed", "M", ("MISSED", {"yellow": True})
        return None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Leaves the exit status as the verdict demands; the verdict is final once all others are done."""
        if self.assessment is None and not self.gave_up:
            self._conclude(session, None)
        self.failures = session.testsfailed
        session.exitstatus = self._status(int(session.exitstatus))
        self._keep_criteria_out_of_failures(session.config)
        result = yield
        forget_criteria(session.config, self.ledger.first_failed)
        self._finish_verdict()
        session.exitstatus = self._status(int(session.exitstatus))
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The missed cases, the table, the criteria, the verdict; criteria are back for the short summary."""
        if self.kept_out:
            terminalreporter.stats.setdefault("failed", []).extend(self.kept_out)
        section = TerminalSection(terminalreporter, self.ftgate)
        section.write_missed()
        if self.assessment is not None:
            section.write_assessment(self.assessment, ordinary_failures=self.ordinary_failures)
        section.write_trouble(self.trouble)

    def _finish_verdict(self) -> None:
        if self.assessment is None or not self.is_concluded:
            return
        try:
            self.verdict_file.finish(self.assessment)
        except (OSError, FtgateError) as error:
            self.trouble.append(str(error))
            TerminalSection.say(self.ftgate.config, f"ftgate: {error}")
        else:
            self.is_final = True

    def _give_up(self, error: pytest.UsageError) -> None:
        self.gave_up = True
        self.verdict_file.give_up(str(error))

    def last_word(self) -> int:
        """The status that a returned 0 should have been."""
        return self._status(0) if self.is_final else pytest.ExitCode.TESTS_FAILED

    def _status(self, status: int) -> int:
        if self.assessment is not None:
            status = exit_status(
                status,
                self.assessment.verdict,
                failures=self.failures,
                excusable=self.ledger.excusable,
                must_decide=self.ftgate.settings.require_verdict or self.ledger.nothing_selected,
                gated=self.ftgate.has_model,
            )
        return pytest.ExitCode.TESTS_FAILED if self.trouble and status == 0 else status

    def _keep_criteria_out_of_failures(self, config: pytest.Config) -> None:
        """They have a section of their own, with more in it than pytest's FAILURES would repeat."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        failed = reporter.stats.get("failed", []) if reporter is not None else []
        self.kept_out = [report for report in failed if is_criterion(report)]
        failed[:] = [report for report in failed if not is_criterion(report)]

    @property
    def _was_used(self) -> bool:
        if self.ftgate.settings.asked_for:
            return True
        if not self.is_controller:
            return self.ftgate.collected.has_any
        died = bool(self.ledger.reasons) and self.ftgate.has_model  # before any could tell its plan
        return self.has_cases or self.ledger.plan is not None or died

    def _conclude(self, session: pytest.Session, interruption: BaseException | None) -> None:
        """Assesses, reports criteria as results, writes every file; one that can't be written is trouble."""
        if not self._was_used:
            return
        if not self.is_controller:
            self.ledger.plan = self.ftgate.plan or Plan()
            self.ledger.models = self.ftgate.described
            self.ledger.remarks = self.ftgate.remarks
            self.ledger.reasons += self.ftgate.troubles
            self.ledger.lags_s += self.ftgate.lags_s
        self.assessment = assessment = self.ledger.assess(interruption)
        self.ordinary_failures = session.testsfailed - self.ledger.excusable
        self.is_concluding = True
        for report in criterion_reports(assessment, must_decide=self.ftgate.settings.require_verdict):
            session.config.hook.pytest_runtest_logreport(report=report)
            self.ledger.excusable += report.failed
        self.is_concluding = False
        self._write(assessment)
        session.config.hook.pytest_ftgate_decided(config=session.config, assessment=assessment)
        self.is_concluded = True

    def _write(self, assessment: Assessment) -> None:
        settings = self.ftgate.settings
        for path in settings.reports:
            self._try(lambda path=path: write_report(path, assessment))
        if settings.save_answers is not None:
            from pytest_ftgate.models.saved_answers import write_answers  # noqa: PLC0415

            self._try(lambda: write_answers(settings.save_answers, assessment.record))

    def _try(self, write: Any) -> None:
        try:
            write()
        except (OSError, FtgateError) as error:
            self.trouble.append(str(error))

    def _begin_with_plan(self) -> None:
        """On a controller, which sees no case file, the first plan says that this run is ours."""
        if self.is_controller and self.ledger.plan is not None and not self.verdict_file.has_begun:
            self.verdict_file.begin()
            if self.ftgate.config.getoption("dist", "no") == "each":
                self.ledger.usage_error = DIST_EACH

    def _raise_usage_error(self) -> None:
        if self.ledger.usage_error:
            raise pytest.UsageError(self.ledger.usage_error)

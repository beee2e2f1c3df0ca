"""Hooks of the process that decides (one process, or xdist's controller): gather, conclude, show."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import nullcontext
from typing import Any

import pytest

from pytest_ftgate.plugin import transport
from pytest_ftgate.plugin.brief import left_out
from pytest_ftgate.plugin.conclusion import Conclusion
from pytest_ftgate.plugin.criterion_reports import is_criterion
from pytest_ftgate.plugin.keeping import new_session_id
from pytest_ftgate.plugin.large_runs import LARGE, forget_passed
from pytest_ftgate.plugin.packed_reports import unpacked_report
from pytest_ftgate.plugin.searching import SUFFIXES
from pytest_ftgate.plugin.signals import terminated_like_ctrl_c
from pytest_ftgate.plugin.terminal import TerminalSection, header_lines
from pytest_ftgate.plugin.workers import Workers, store_base

_AFTER_A_DEATH = "lines above may say why; if memory ran out, take fewer workers; -n 0 shows the crash itself"


class DecideHooks:
    """Registered once a model is named or a case is seen; hands everything to the run's `Conclusion`."""

    def __init__(self, conclusion: Conclusion) -> None:
        self.conclusion = conclusion
        self.ftgate = conclusion.ftgate
        self.ledger = conclusion.ledger
        self.kept_out: list[pytest.TestReport] = []
        is_kept = self.ftgate.settings.reuse != "off"
        self.workers = Workers(store_base(self.ftgate.config, is_kept=is_kept))

    def pytest_report_header(self) -> list[str]:
        """Models and endpoint hosts, and which of our short option names belongs to someone else."""
        return header_lines(self.ftgate) if self.ftgate.settings.model else []

    def pytest_report_collectionfinish(self) -> list[str]:
        """The same where ftgate.yaml names the model: now there are cases, so that it matters."""
        is_late = not self.ftgate.settings.model and self.ftgate.has_model
        return header_lines(self.ftgate) if is_late and self.ftgate.collected.has_any else []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Decides when the last item is done, however the loop ends, while reports can still be added."""
        if not self.conclusion.is_controller:
            self.ledger.selected = {item.nodeid for item in session.items}
        try:
            # A run that judges no model is left alone.
            with terminated_like_ctrl_c() if self.ftgate.has_model else nullcontext():
                result = yield
            self.conclusion.refuse()
        except pytest.UsageError as error:
            self.conclusion.give_up(session, error)
            raise
        except BaseException as interruption:
            self.conclusion.stop_workers(interruption)
            self._conclude_interrupted(session, interruption)
            raise
        self.conclusion.conclude(session, None)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        """Everything that this process learns of trials comes through here."""
        others = left_out(report) if self.conclusion.is_controller else None
        if others is not None:
            self.ftgate.config.hook.pytest_runtest_logreport(report=others[0])
        if not is_criterion(report):
            self.ledger.add_report(report)
            self._begin_with_plan()
            self.conclusion.stop_misfits()
        result = yield
        if report.nodeid.partition("::")[0].endswith(SUFFIXES):
            reporter = self.ftgate.config.pluginmanager.get_plugin("terminalreporter")
            forget_passed(reporter, report, is_large=len(self.ledger.selected) > LARGE)
        if others is not None:
            self.ftgate.config.hook.pytest_runtest_logreport(report=others[1])
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_from_serializable(self, config: pytest.Config, data: dict[str, Any]) -> object:
        """What a worker packed; any other report is somebody else's."""
        found = unpacked_report(data)
        if found is None:
            return None
        return config.hook.pytest_report_from_serializable(config=config, data=found)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A collection error leaves the run incomplete."""
        self.ledger.collection_errors += report.failed

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """What the workers are going to run; the ids of eval cases say that this run is ours."""
        self.ledger.note_collection(ids)
        if any(nodeid.partition("::")[0].endswith(SUFFIXES) for nodeid in ids):
            self.conclusion.begin()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """All workers of a run are one session for the store of its answers."""
        store = self.conclusion.store
        store.worker_session = store.worker_session or new_session_id()
        self.workers.welcome(node, store.worker_session)
        self.ledger.silent.add(node.workerinput["workerid"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker's last words, if it had any."""
        output = getattr(node, "workeroutput", None) or {}
        self.ledger.add_worker_output(transport.loads(output.get("ftgate")))
        self._begin_with_plan()
        if error:
            self.ledger.reasons.append(f"a worker died ({error}): {_AFTER_A_DEATH}")
            self.conclusion.forget_worker(node.workerinput["workerid"])
            self.workers.dismiss(node)
        if error or "ftgate" in output:
            self.ledger.silent.discard(node.workerinput["workerid"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        """Misses get a letter of their own; criteria are counted, but leave the progress alone."""
        if is_criterion(report) and report.when == "call":
            word = "" if self.conclusion.is_reporting else report.outcome.upper()
            return ("" if report.passed else report.outcome, "", word)
        if transport.is_miss(report):
            return "missed", "M", ("MISSED", {"yellow": True})
        return None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Leaves the exit status as the verdict demands; the verdict is final once all others are done."""
        self.conclusion.conclude(session, None)
        self.conclusion.failures = session.testsfailed
        session.exitstatus = self.conclusion.status(int(session.exitstatus))
        self._keep_criteria_out_of_failures(session.config)
        result = yield
        self.conclusion.finish(session.config)
        session.exitstatus = self.conclusion.status(int(session.exitstatus))
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The missed cases, the table, the criteria, the verdict; criteria are back for the short summary."""
        if self.kept_out:
            terminalreporter.stats.setdefault("failed", []).extend(self.kept_out)
        section = TerminalSection(terminalreporter, self.ftgate)
        section.write_missed()
        if self.conclusion.assessment is not None:
            ordinary = self.conclusion.ordinary_failures
            section.write_assessment(self.conclusion.assessment, ordinary_failures=ordinary)
            section.write_reports(self.conclusion.written)
        section.write_trouble([*self.conclusion.trouble, *self.conclusion.remarks])
        section.write_hint(self.conclusion.how_to_go_on)

    def last_word(self) -> int:
        """The status that a returned 0 should have been."""
        return self.conclusion.status(0) if self.conclusion.is_final else pytest.ExitCode.TESTS_FAILED

    def _begin_with_plan(self) -> None:
        """On a controller, which sees no case file, the first plan says that this run is ours."""
        if self.conclusion.is_controller and self.ledger.plan is not None and not self.conclusion.has_cases:
            self.conclusion.begin()

    def _conclude_interrupted(self, session: pytest.Session, interruption: BaseException) -> None:
        """A loop that ended by itself, or because the workers found that the run can't start."""
        try:
            self.conclusion.refuse()
        except pytest.UsageError as error:
            self.conclusion.give_up(session, error)
            raise error from None
        self.conclusion.conclude(session, interruption)

    def _keep_criteria_out_of_failures(self, config: pytest.Config) -> None:
        """They have a section of their own, with more in it than pytest's FAILURES would repeat."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        failed = reporter.stats.get("failed", []) if reporter is not None else []
        self.kept_out = [report for report in failed if is_criterion(report)]
        failed[:] = [report for report in failed if not is_criterion(report)]

"""Hooks of the process that runs items (one process, or an xdist worker): plan, generate, judge, attach."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from pytest_ftgate.errors import FatalModelError
from pytest_ftgate.plugin import transport
from pytest_ftgate.plugin.items import CaseMissed, EvalCaseItem, TrialErrored
from pytest_ftgate.plugin.judging import errored, requests_of
from pytest_ftgate.plugin.session import FtgateSession, eval_items
from pytest_ftgate.plugin.waiting import wait_for
from pytest_ftgate.record import TrialKey


class GenerateHooks:
    """Registered once a model is named or a case file is seen; owns the engine's life."""

    def __init__(self, session: FtgateSession) -> None:
        self.ftgate = session
        self.worker = getattr(session.config, "workerinput", None)
        self.plan_sent = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Under xdist, which would run the rest, a worker with a mistaken case file runs nothing."""
        if self.worker is not None and (self._stopped(session) or self.ftgate.usage_error):
            items.clear()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Generates while items run; nothing is sent before every mistake is known."""
        self._raise_usage_error()
        self.ftgate.make_plan(session.items)
        items = [item for item in eval_items(session.items) if item.runs]
        if not items or self._stopped(session) or not self.ftgate.has_model:
            return (yield)
        self.ftgate.usage_error = self.ftgate.check_answers(items)
        self._raise_usage_error()
        with self.ftgate.start(self._concurrency()):
            if self.worker is None:
                self.ftgate.prefetch(items, ahead=session.config.getoption("maxfail") or None)
            result = yield
            self.ftgate.note_remarks()
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Waits outside pytest's capture and other plugins' timers, so that both see the test alone."""
        engine = self.ftgate.engine
        if engine is not None and isinstance(item, EvalCaseItem) and item.runs:
            if self.worker is not None:
                self.ftgate.prefetch([item] if nextitem is None else [item, nextitem])
            wait_for(engine, requests_of(item.case, self.ftgate.arms.of(item.case)), item.config)
            self._stop_if_fatal(item.session, engine.fatal)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Puts trials, and whether a failure is a miss, on the item's reports."""
        report = yield
        if isinstance(item, EvalCaseItem) and call.excinfo and call.excinfo.errisinstance(TrialErrored):
            report.longrepr = self.ftgate.case_text(
                item
            )  # pytest asks `repr_failure` for the call phase only
        transport.attach(report, self._payload(item, call, report))
        return report

    def pytest_sessionfinish(self) -> None:
        """A worker that ran no item has no report to send its plan with."""
        output = getattr(self.ftgate.config, "workeroutput", None)
        if output is not None:
            output["ftgate"] = transport.dumps(self._final_message())

    def _payload(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> dict[str, Any]:
        payload: dict[str, Any] = {}
        if self.worker is not None and not self.plan_sent and self.ftgate.plan is not None:
            self.plan_sent = True
            payload |= {"plan": self.ftgate.plan.as_json(), "models": self.ftgate.described}
        if isinstance(item, EvalCaseItem):
            if call.when == "setup" and not report.skipped:
                payload["trials"] = [trial.as_json() for trial in self._trials(item, call)]
            payload |= {"errored": True} if call.excinfo and call.excinfo.errisinstance(TrialErrored) else {}
            payload |= {"miss": True} if report.failed and self._is_miss(item, call) else {}
        return payload

    def _trials(self, item: EvalCaseItem, call: pytest.CallInfo[None]) -> Any:
        """The item's trials; all errored if another fixture broke the setup before they were asked for."""
        if item.trials or call.excinfo is None:
            return item.trials
        message = f"{call.excinfo.typename}: {call.excinfo.value}"
        return [
            errored(
                TrialKey(item.case.suite, item.case.id, request.arm, request.repeat, item.key),
                "setup",
                message,
            )
            for request in requests_of(item.case, self.ftgate.arms.of(item.case))
        ]

    def _is_miss(self, item: EvalCaseItem, call: pytest.CallInfo[None]) -> bool:
        return (
            call.when == "call"
            and call.excinfo is not None
            and call.excinfo.errisinstance(CaseMissed)
            and (item.case.suite, item.case.id) in self.ftgate.judged
        )

    def _stopped(self, session: pytest.Session) -> bool:
        return bool(session.testsfailed) and not session.config.option.continue_on_collection_errors

    def _concurrency(self) -> int:
        workers = int(self.worker["workercount"]) if self.worker else 1
        return max(1, self.ftgate.settings.concurrency // workers)

    def _raise_usage_error(self) -> None:
        if self.ftgate.usage_error and self.worker is None:
            raise pytest.UsageError(self.ftgate.usage_error)

    def _stop_if_fatal(self, session: pytest.Session, fatal: FatalModelError | None) -> None:
        """One message, and no further item: at once if nothing was answered yet, else after this item."""
        if fatal is None:
            return
        if not self.ftgate.has_judged and self.worker is None:
            raise pytest.UsageError(str(fatal))
        session.shouldstop = f"ftgate: {str(fatal).splitlines()[0]}"

    def _final_message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"remarks": self.ftgate.remarks, "usage_error": self.ftgate.usage_error}
        if not self.plan_sent and self.ftgate.plan is not None:
            message["plan"] = self.ftgate.plan.as_json()
        return message

"""Hooks of the process that runs items (one process, or an xdist worker): plan, generate, judge, attach."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import FatalModelError, StoreError
from pytest_ftgate.models.limits import LIMIT
from pytest_ftgate.plugin import transport
from pytest_ftgate.plugin.brief import may_be_brief, run_in_brief
from pytest_ftgate.plugin.eval_test import EvalTest, eval_test_of, eval_tests
from pytest_ftgate.plugin.garbage import kept_objects, nothing_to_collect
from pytest_ftgate.plugin.handles import own_handle
from pytest_ftgate.plugin.items import CaseMissed, EvalCaseItem, TrialErrored
from pytest_ftgate.plugin.judgement import Judgement
from pytest_ftgate.plugin.judging import errored
from pytest_ftgate.plugin.large_runs import LARGE, forget_case
from pytest_ftgate.plugin.notices import send
from pytest_ftgate.plugin.packed_reports import packed_report
from pytest_ftgate.plugin.private import queued
from pytest_ftgate.plugin.searching import SUFFIXES
from pytest_ftgate.plugin.session import FtgateSession, case_text
from pytest_ftgate.plugin.terminal import say
from pytest_ftgate.plugin.waiting import wait_for
from pytest_ftgate.plugin.workers import Worker
from pytest_ftgate.record import Outcome, Plan, Trial
from pytest_ftgate.scores import Score

if TYPE_CHECKING:
    from pytest_ftgate.models.engine import CompletionEngine


class GenerateHooks:
    """Registered once a model is named or a case is seen; owns the engine's life."""

    def __init__(self, session: FtgateSession) -> None:
        self.ftgate = session
        self.worker = Worker.of(session.config)
        self.plan_sent = False
        self.shares = False
        self.is_brief = False
        self.share: list[EvalTest] = []
        #: All that this process may have to run, until it is told to the engine.
        self.tests: list[EvalTest] = []
        #: Items whose answers were asked for, on a worker that asks only for its own.
        self.seen: set[str] = set()
        #: On a worker: why nothing runs here any more.
        self.fatal: FatalModelError | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Under xdist, which would run the rest, a worker with a mistaken case file runs nothing."""
        if self.worker is not None and (self._stopped(session) or self.ftgate.usage_error):
            items.clear()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Generates while items run; nothing is sent before every mistake is known."""
        with nothing_to_collect():
            tests = self._prepared(session)
        if not tests:
            self.ftgate.note_remarks()
            return (yield)
        self.ftgate.is_large = len(tests) > LARGE
        if self.ftgate.is_large:
            self.ftgate.collected.forget_cases()
            self.is_brief = self.worker is not None and may_be_brief(session.config)
        most_failures = session.config.getoption("maxfail") or None
        self.shares = self.worker is not None and self.worker.shares and most_failures is None
        self.tests = tests
        with kept_objects(), self._started(session) as engine:
            if self.worker is None:
                self._prefetch(tests, most_failures)
            self.share = tests if self.shares else []
            result = yield
            if engine is not None and self.shares and not (session.shouldstop or session.shouldfail):
                engine.finish()  # its share, for the workers that still wait for it
            self.ftgate.note_remarks()
        if self.ftgate.is_large:
            self.ftgate.arms.forget_models()
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Waits outside pytest's capture and other plugins' timers, so that both see the test alone."""
        engine, test = self.ftgate.engine, eval_test_of(item)
        self.ftgate.current = test
        if engine is not None and test is not None and test.runs:
            self._prefetch_on_worker(item, nextitem)
            engine.check_deadline()
            watch = partial(send, self.ftgate)
            wait_for(engine, test.requests_ahead(), item.config, watch)
            wait_for(engine, self.ftgate.questions(test), item.config, watch)
            self._stop_if_fatal(item.session, engine.fatal)
        try:
            return (yield)
        finally:
            self.ftgate.current = None
            if test is not None:
                test.release()
                if self.ftgate.is_large and isinstance(item, EvalCaseItem):
                    forget_case(test)

    @pytest.hookimpl(tryfirst=True, specname="pytest_runtest_protocol")
    def pytest_runtest_protocol_after_the_end(self) -> bool | None:
        """On a worker nothing runs after a fatal error: the controller has its message once."""
        return True if self.fatal is not None else None

    @pytest.hookimpl(specname="pytest_runtest_protocol")
    def pytest_runtest_protocol_in_brief(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """On a worker of a large run, cases of files tell of themselves in fewer messages."""
        return run_in_brief(item, nextitem) if self.is_brief and isinstance(item, EvalCaseItem) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begins the judgement of an eval test, anew for each re-run."""
        test = eval_test_of(item)
        if test is not None:
            test.attempt += 1
            test.trials = ()
            # A case's own item records nothing but its trials, unless a conftest's model does.
            is_plain = isinstance(item, EvalCaseItem) and not test.replaced
            test.judgement = None if is_plain else Judgement(test, self.ftgate.table, self.ftgate.bench)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Turns what a Python test recorded into trials, and fails it at its end with all reasons."""
        test = eval_test_of(item)
        if test is None or isinstance(item, EvalCaseItem) or self.ftgate.engine is None:
            return (yield)
        self._take_handles(item, test)
        try:
            result = yield
        except pytest.skip.Exception:
            raise
        except BaseException as ended_by:
            self._conclude(item, test, ended_by)
            raise
        self._conclude(item, test, None)
        if any(trial.outcome is Outcome.FAILED for trial in test.trials if trial.key.arm is Arm.MODEL):
            raise CaseMissed
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Puts trials, and whether a failure is a miss, on the item's reports."""
        report = yield
        test = eval_test_of(item)
        if test is not None and self._is_part(test, call):
            return report  # of a subtest: it is counted, and the item's own report is still to come
        if test is not None and call.when == "call" and report.failed:
            self._count_failure(test, report)
        if test is not None and call.excinfo is not None:
            if call.excinfo.errisinstance((CaseMissed, TrialErrored)):
                # Our own exceptions have no traceback worth reading; a case's own item knows that.
                if not isinstance(report.longrepr, str):
                    report.longrepr = case_text(test)
            elif test.trials and call.when == "call" and report.failed:
                report.sections.append(("ftgate", case_text(test)))
        trials = self._trials(test, call, report) if test is not None and test.runs else ()
        payload = self._payload(test, call, report)
        transport.attach(report, payload, trials, is_sent=self.worker is not None)
        if self.worker is not None and isinstance(item, EvalCaseItem):
            transport.lighten(report)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_to_serializable(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> Generator[None, Any, Any]:
        """Makes the way to the controller short for the many reports of cases that passed."""
        data = yield
        is_known = self.worker is not None and self.worker.is_welcome
        if not is_known or data is None or not isinstance(report, pytest.TestReport):
            return data
        is_case = report.nodeid.partition("::")[0].endswith(SUFFIXES)
        return packed_report(data, report) if is_case else data

    def _is_part(self, test: EvalTest, call: pytest.CallInfo[None]) -> bool:
        """Whether a report is made while the test still runs; what failed then counts against the model."""
        judgement = test.judgement
        if call.when != "call" or not test.repeats or judgement is None or judgement.is_over:
            return False
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            judgement.note_failure(call.excinfo.value, "in a subtest")
        return not call.excinfo or not call.excinfo.errisinstance(pytest.skip.Exception)

    def _count_failure(self, test: EvalTest, report: pytest.TestReport) -> None:
        """Another plugin may fail a test that ended well; then its model's trial fails too."""
        model = [trial for trial in test.trials if trial.key.arm is Arm.MODEL]
        if test.repeats and model and all(trial.outcome is Outcome.PASSED for trial in model):
            said = (report.longreprtext.splitlines() or ["failed"])[-1]
            score = Score(scorer="assert", value=0.0, passed=False, explanation=f"the test failed: {said}")
            test.trials = tuple(
                replace(trial, outcome=Outcome.FAILED, scores=(*trial.scores, score))
                if trial in model
                else trial
                for trial in test.trials
            )

    def pytest_sessionfinish(self) -> None:
        """A worker that ran no item has no report to send its plan with."""
        output = getattr(self.ftgate.config, "workeroutput", None)
        if output is not None:
            output["ftgate"] = transport.dumps(self._final_message())

    @contextlib.contextmanager
    def _started(self, session: pytest.Session) -> Iterator[CompletionEngine | None]:
        """The engine while the tests run; None on a worker that can't have one."""
        try:
            dealt = [(test.case.suite, test.case.id) for test in self.tests] if self.shares else []
            engine = self.ftgate.start(self.worker, dealt=dealt)
        except pytest.UsageError as error:
            if self.worker is None:
                raise
            self._cannot_run(session, error)
            yield None
            return
        with engine:
            yield engine

    def _prepared(self, session: pytest.Session) -> list[EvalTest]:
        """Plans the run, gives the tests to ask for; a worker leaves a UsageError to the controller."""
        try:
            if self.ftgate.usage_error:
                raise pytest.UsageError(self.ftgate.usage_error)
            self.ftgate.make_plan(session.items)
            tests = [test for test in eval_tests(session.items) if test.runs]
            is_asked = any(test.runs for test in (*tests, *self.ftgate.of_other_shards))
            if not is_asked or self._stopped(session) or not self._executes(session):
                return []
            if lacking := self.ftgate.check_answers(tests):
                raise pytest.UsageError(lacking)
        except pytest.UsageError as error:
            if self.worker is None:
                raise
            self._cannot_run(session, error)
            return []
        return tests

    def _executes(self, session: pytest.Session) -> bool:
        """Not under --setup-only and --setup-plan, which run no test and ask no model."""
        option = session.config.option
        return not (option.setuponly or option.setupplan)

    def _take_handles(self, item: pytest.Item, test: EvalTest) -> None:
        funcargs = getattr(item, "funcargs", {})
        for arm in test.replaced:
            if arm.value in funcargs:
                test.handles = {**test.handles, arm: own_handle(funcargs[arm.value], arm)}

    def _conclude(self, item: pytest.Item, test: EvalTest, ended_by: BaseException | None) -> None:
        assert test.judgement is not None
        self.ftgate.has_judged = True
        test.trials = tuple(test.judgement.trials(ended_by, self.ftgate.answer))
        item.user_properties += self.ftgate.junit_properties(test)

    def _payload(
        self, test: EvalTest | None, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> dict[str, Any]:
        payload: dict[str, Any] = {}
        if self.worker is not None and not self.plan_sent and self.ftgate.plan is not None:
            self.plan_sent = True
            payload |= self._plan_message(self.ftgate.plan)
            payload |= {"going_on": self.ftgate.going_on} if self.ftgate.going_on else {}
            payload |= {"shard": self.ftgate.told_of_shard} if self.ftgate.told_of_shard else {}
        if test is None or not test.runs:
            return payload
        if test.attempt > 1:
            payload["attempt"] = test.attempt
        if call.excinfo is not None and report.failed:
            payload |= {"errored": True} if call.excinfo.errisinstance(TrialErrored) else {}
            payload |= {"miss": True} if self._is_miss(test, call) else {}
        return payload

    def _trials(
        self, test: EvalTest, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> tuple[Trial, ...]:
        """The trials as soon as they are known; all errored if the setup broke before they were asked for.

        A skip leaves none, even behind our own setup: a skipped item has judged nothing.
        """
        if report.skipped and not hasattr(report, "wasxfail"):
            return ()
        if call.when == "setup" and call.excinfo is not None and not test.trials:
            message = f"{call.excinfo.typename}: {call.excinfo.value}"
            return tuple(
                errored(test.trial_key(request.arm, request.repeat), "setup", message)
                for request in test.requests()
            )
        is_from_file = not test.repeats
        return test.trials if call.when == ("setup" if is_from_file else "call") else ()

    def _is_miss(self, test: EvalTest, call: pytest.CallInfo[None]) -> bool:
        return (
            call.when == "call"
            and call.excinfo is not None
            and call.excinfo.errisinstance(AssertionError)
            and any(trial.outcome is Outcome.FAILED for trial in test.trials if trial.key.arm is Arm.MODEL)
            and (test.case.suite, test.case.id) in self.ftgate.judged
        )

    def _stopped(self, session: pytest.Session) -> bool:
        return bool(session.testsfailed) and not session.config.option.continue_on_collection_errors

    def _prefetch_on_worker(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Not before the first item: until then xdist may find that the workers collected different tests."""
        if self.worker is None:
            return
        tests = self.share if self.shares else self._next_tests(item, nextitem)
        self.share = []
        try:
            if tests:
                self._prefetch(tests)
        except pytest.UsageError as error:
            self._cannot_run(item.session, error)

    def _next_tests(self, item: pytest.Item, nextitem: pytest.Item | None) -> list[EvalTest]:
        """What this worker runs for sure, and nothing that may be left to another one."""
        assert self.worker is not None
        items = [item] if nextitem is None else [item, nextitem]
        if not item.config.option.maxfail and not self.worker.may_lose_items:
            items += [item.session.items[number] for number in queued(item.config)]
        new = [each for each in items if each.nodeid not in self.seen]
        self.seen.update(each.nodeid for each in new)
        return [test for test in eval_tests(new) if test.runs]

    def _cannot_run(self, session: pytest.Session, error: pytest.UsageError) -> None:
        """A worker leaves it to the controller to say so."""
        self.ftgate.usage_error = str(error)
        session.shouldstop = "ftgate: this run can't start"
        self.fatal = self.fatal or FatalModelError(str(error), kind="stopped")

    def _prefetch(self, tests: list[EvalTest], ahead: int | None = None) -> None:
        try:
            if self.tests:
                self.ftgate.survey(self.tests)
                self.tests = []
                if self.ftgate.going_on and self.worker is None:
                    say(self.ftgate.config, f"ftgate: {self.ftgate.going_on}")
            self.ftgate.prefetch(tests, ahead)
        except StoreError as error:
            raise pytest.UsageError(str(error)) from None

    def _stop_if_fatal(self, session: pytest.Session, fatal: FatalModelError | None) -> None:
        """One message, and no further item: at once if nothing was answered yet, else after this item.

        A run that was told to stop, or reached a limit of its own, has no answer to this item to show.
        """
        if fatal is None:
            return
        reason = f"ftgate: {str(fatal).splitlines()[0]}"
        if self.worker is not None:
            self.fatal = fatal
        elif fatal.kind in (LIMIT, "stopped"):
            raise session.Interrupted(reason)
        elif not self.ftgate.has_judged:
            raise pytest.UsageError(str(fatal))
        session.shouldstop = reason

    def _plan_message(self, plan: Plan) -> dict[str, Any]:
        return {transport.PLAN: transport.packed(plan.as_text()), "models": self.ftgate.described}

    def _final_message(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            "remarks": self.ftgate.remarks,
            "delays": self.ftgate.delays,
            "troubles": self.ftgate.troubles,
            "lags_s": self.ftgate.lags_s,
            "sent": self.ftgate.sent,
            "is_apart": self.worker is not None and self.worker.is_apart,
            "usage_error": self.ftgate.usage_error,
        }
        if self.fatal is not None and self.fatal.kind not in (LIMIT, "stopped"):
            message["fatal"] = str(self.fatal)
        if not self.plan_sent and self.ftgate.plan is not None:
            message |= self._plan_message(self.ftgate.plan)
        return message

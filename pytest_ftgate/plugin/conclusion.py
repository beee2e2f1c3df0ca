"""How a run ends: the assessment, its files, criteria as results, and the exit status."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from pytest_ftgate.errors import ConfigError, FtgateError
from pytest_ftgate.plugin.criterion_reports import criterion_reports, forget_criteria
from pytest_ftgate.plugin.exit_status import exit_status
from pytest_ftgate.plugin.keeping import RunStore
from pytest_ftgate.plugin.ledger import RunLedger
from pytest_ftgate.plugin.session import FtgateSession
from pytest_ftgate.plugin.terminal import Hint, say
from pytest_ftgate.plugin.verdict_file import VerdictFile
from pytest_ftgate.record import Plan
from pytest_ftgate.reports import write_report

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment

_Told = TypeVar("_Told")
DIST_EACH = "--dist=each runs every case once per worker, which no verdict can count: use another --dist"


class Conclusion:
    """Made once per run, by the process that decides; owned by `DecideHooks`, ends with the verdict file.

    `assessment` is there once the items are done, `is_concluded` once everybody was told of it, `is_final`
    once the verdict file says so, which waits for the other plugins' ends of the session.
    """

    def __init__(self, session: FtgateSession, verdict_file: VerdictFile, *, is_controller: bool) -> None:
        self.ftgate = session
        self.ledger = RunLedger(session)
        self.store = RunStore(session)
        self.verdict_file = verdict_file
        self.is_controller = is_controller
        self.has_cases = False
        self.gave_up = False
        self.assessment: Assessment | None = None
        self.is_reporting = False
        self.is_concluded = False
        self.is_final = False
        self.has_stopped_misfits = False
        self.failures = 0
        self.ordinary_failures = 0
        #: Files that were asked for and can't be written; they fail the run.
        self.trouble: list[str] = []
        #: Reports that are there.
        self.written: list[Path] = []
        #: Said, and nothing more.
        self.remarks: list[str] = []
        #: What to do about a run that is not whole, if it can be gone on with.
        self.how_to_go_on: Hint | None = None

    @property
    def was_used(self) -> bool:
        """Whether this run is ours to judge."""
        if self.ftgate.settings.asked_for:
            return True
        if not self.is_controller:
            return self.ftgate.collected.has_any
        died = bool(self.ledger.reasons) and self.ftgate.has_model  # before any could tell its plan
        return self.has_cases or self.ledger.plan is not None or died

    def begin(self) -> None:
        """On a controller, which sees no case file: from here on the verdict is this run's."""
        self.has_cases = True
        self.verdict_file.begin()
        if self.ftgate.config.getoption("dist", "no") == "each":
            self.ledger.usage_error = DIST_EACH

    def refuse(self) -> None:
        """Raises the UsageError that the workers left to us; a fatal error before any trial is one."""
        fatal = None if any(True for _ in self.ledger.trials.values()) else self.ledger.fatal
        if error := self.ledger.usage_error or fatal:
            raise pytest.UsageError(error)

    def give_up(self, session: pytest.Session, error: pytest.UsageError) -> None:
        """The run could not start: INCOMPLETE with this reason, in every report that can still be made."""
        self.verdict_file.give_up(str(error))
        first, *others = str(error).splitlines() or [""]
        self.ledger.stopped_by = first + (f" (and {len(others)} more)" if others else "")
        try:
            self.conclude(session, error)
        except pytest.UsageError:  # what is wrong is the gate itself, so nothing can be judged by it
            self.gave_up = True

    def conclude(self, session: pytest.Session, interruption: BaseException | None) -> None:
        """Assesses, reports criteria as results, writes every file; one that can't be written is trouble."""
        if not self.was_used or self.assessment is not None or self.gave_up:
            return
        if not self.is_controller:
            self.ledger.take_own(self.ftgate, self.ftgate.plan or Plan())
        self.assessment = assessment = self.ledger.assess(interruption)
        self.ordinary_failures = session.testsfailed - self.ledger.excusable
        self.is_reporting = True
        for report in criterion_reports(assessment, must_decide=self.ftgate.settings.require_verdict):
            session.config.hook.pytest_runtest_logreport(report=report)
            self.ledger.excusable += report.failed
        self.is_reporting = False
        self._write(assessment)
        session.config.hook.pytest_ftgate_decided(config=session.config, assessment=assessment)
        self._note_what_is_kept(assessment)
        self.is_concluded = True

    def stop_workers(self, interruption: BaseException) -> None:
        """Workers that wait for answers know nothing of what ended the run here."""
        if self.is_controller:
            self._tell_store(lambda: self.store.stop(str(interruption) or "the run was interrupted"))

    def stop_misfits(self) -> None:
        """Workers that disagree about what is tested need not ask for the rest of it."""
        if self.ledger.misfit is not None and not self.has_stopped_misfits:
            self.has_stopped_misfits = True
            self._tell_store(lambda: self.store.stop(self.ledger.misfit or ""))

    def forget_worker(self, worker: str) -> None:
        """The others need not wait for what a dead one had begun to ask."""
        self._tell_store(lambda: self.store.forget(worker))

    def count_kept(self) -> int:
        """How many answers a run that is stopped now would leave to the next one."""
        if self.ftgate.settings.reuse == "off":
            return 0
        return self._tell_store(self.store.kept) or 0

    def _tell_store(self, what: Callable[[], _Told]) -> _Told | None:
        """What can't be written there leaves the verdict as it is, and is said."""
        try:
            return what()
        except FtgateError as error:
            if str(error) not in self.trouble:
                self.trouble.append(str(error))
            return None

    def _note_what_is_kept(self, assessment: Assessment) -> None:
        """A run that has not all it wanted may be gone on with, and that is said."""
        if self.ftgate.sharding is not None and assessment.verdict.whole_shard:
            self.how_to_go_on = self.ftgate.sharding.next_step(self.ftgate.settings.reports)
        if self.ftgate.settings.reuse == "off":
            self.store.close()
        elif self._is_resumable(assessment) and (kept := self._tell_store(self.store.kept)):
            answers = "1 answer is" if kept == 1 else f"{kept:,} answers are"
            command = shlex.join(["pytest", *map(str, self.ftgate.config.invocation_params.args)])
            self.how_to_go_on = Hint(f"{answers} kept; go on with:", command)

    def finish(self, config: pytest.Config) -> None:
        """Makes the verdict file final; only once all others are done with the session."""
        forget_criteria(config, self.ledger.first_failed)
        if self.assessment is None or not self.is_concluded:
            return
        try:
            self.verdict_file.finish(self.assessment)
        except (OSError, FtgateError) as error:
            self.trouble.append(str(error))
            say(config, f"ftgate: {error}")
        else:
            self.is_final = True
            self._close_run(config)
            self._remember(config, self.assessment)

    def _is_resumable(self, assessment: Assessment) -> bool:
        """Whether the same command has something left to do, and would not stop at the same miss."""
        return not is_whole(assessment) and not self.ftgate.config.getoption("maxfail")

    def _close_run(self, config: pytest.Config) -> None:
        """Nobody goes on with a run that has all it wanted, once its verdict is on disk, and not before."""
        if self.ftgate.settings.reuse != "off" and self.assessment is not None and is_whole(self.assessment):
            try:
                self.store.finish()
            except FtgateError as error:
                say(config, f"ftgate: {error}")

    def _remember(self, config: pytest.Config, assessment: Assessment) -> None:
        """A whole run adds itself to the history; one that can't changes nothing else of the run."""
        from pytest_ftgate.history import add_to_history, history_run  # noqa: PLC0415  (once a run is over)

        path = self.ftgate.settings.history_path
        if path is None or (run := history_run(assessment)) is None:
            return
        try:
            add_to_history(path, run)
        except FtgateError as error:
            say(config, f"ftgate: {error} (--ftgate-history=PATH or off)")

    def status(self, status: int) -> int:
        """The exit status as the verdict demands."""
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

    def _write(self, assessment: Assessment) -> None:
        self._add_to_summary(assessment)
        self._report(assessment)
        if answers := self.ftgate.settings.save_answers:
            self._try(self._save_answers, answers, assessment)

    def _report(self, assessment: Assessment) -> None:
        from pytest_ftgate.history import past_runs  # noqa: PLC0415  (once a run is over)

        reports = self.ftgate.settings.reports
        if reports:
            has_trends = any(path.suffix.lower() == ".html" for path in reports)
            history = past_runs(self.ftgate.settings.history_path) if has_trends else ()
            for path in reports:
                if self._try(lambda path, told: write_report(path, told, history), path, assessment):
                    self.written.append(path)

    def _add_to_summary(self, assessment: Assessment) -> None:
        """Nobody asked for it by an option, so a summary that can't be written fails no run; it is told.

        A whole shard adds nothing: its INCOMPLETE would alarm, and `ftgate decide` adds what is true of all.
        """
        from pytest_ftgate.reports.step_summary import add_to_summary  # noqa: PLC0415

        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if not path or assessment.record.run.no_model or assessment.verdict.whole_shard:
            return
        try:
            add_to_summary(Path(path), assessment)
        except FtgateError as error:
            self.remarks.append(str(error))

    def _save_answers(self, path: Path, assessment: Assessment) -> None:
        from pytest_ftgate.models.saved_answers import write_answers  # noqa: PLC0415

        if assessment.verdict.narrowed and path.exists():
            raise ConfigError(
                f"{path} is left as it is: this run was narrowed and has fewer answers; delete it first"
            )
        write_answers(path, assessment.record)

    def _try(self, write: Callable[[Path, Assessment], None], path: Path, assessment: Assessment) -> bool:
        """Whether the file is there now."""
        try:
            write(path, assessment)
        except (OSError, FtgateError) as error:
            self.trouble.append(str(error))
            return False
        return True


def is_whole(assessment: Assessment) -> bool:
    """Whether everything selected has its answer, so that nothing is left to go on with."""
    verdict, run = assessment.verdict, assessment.record.run
    if verdict.word != "INCOMPLETE":
        return True
    return (verdict.narrowed or verdict.whole_shard) and not (run.cut_short or assessment.summary.errored)

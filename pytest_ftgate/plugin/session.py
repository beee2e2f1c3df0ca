"""The state of one pytest session on one process: configuration, collected cases, models, answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftgate.errors import ConfigError, FileError, ModelError, RecordError
from pytest_ftgate.plugin.arms import Arms
from pytest_ftgate.plugin.collected import CollectedCases
from pytest_ftgate.plugin.eval_test import EvalTest, eval_tests
from pytest_ftgate.plugin.extensions import all_metrics, all_scorers
from pytest_ftgate.plugin.graders import Graders
from pytest_ftgate.plugin.keeping import engine_of, not_stored
from pytest_ftgate.plugin.private import parameter
from pytest_ftgate.plugin.searching import has_eval_tests, ignored_files, odd_case_files, similar_names
from pytest_ftgate.plugin.settings import Settings
from pytest_ftgate.plugin.sharding import Sharding
from pytest_ftgate.plugin.stash import eval_test_key
from pytest_ftgate.plugin.taken_over import going_on
from pytest_ftgate.plugin.terminal import say
from pytest_ftgate.record import Outcome, Plan, Trial
from pytest_ftgate.reports import check_report_path, refuse_foreign

if TYPE_CHECKING:
    from pytest_ftgate.cases import Arm
    from pytest_ftgate.completions import Completion
    from pytest_ftgate.files.config_file import ConfigFile
    from pytest_ftgate.gates import Gate, Metric
    from pytest_ftgate.models import Request
    from pytest_ftgate.models.answer_store.store import AnswerStore
    from pytest_ftgate.models.engine import CompletionEngine
    from pytest_ftgate.plugin.workers import Worker
    from pytest_ftgate.record import Calibration, Vote
    from pytest_ftgate.scorers.spec import Bench, ScorerSpec

#: How many tests without a baseline are named.
_NAMED = 3


class FtgateSession:
    """What the hooks of one process share; kept in `config.stash`, ends with the process's session.

    It exists once a model is named or a case file is seen. It reads, asks and scores; it does not decide.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        #: In `time.monotonic`; what a deadline counts from.
        self.started = time.monotonic()
        self.plan: Plan | None = None
        self.judged: frozenset[tuple[str, str]] = frozenset()
        self.engine: CompletionEngine | None = None
        #: Each arm's name, kind, host and revision, once the models exist.
        self.described: dict[str, dict[str, Any]] = {}
        self.remarks: list[str] = []
        #: What makes the run incomplete besides missing trials.
        self.troubles: list[str] = []
        self.usage_error: str | None = None
        self.has_judged = False
        #: Whether it has so many cases that it does without what nobody reads.
        self.is_large = False
        #: The p95 of the engine's own scheduling delay, once it is known.
        self.lags_s: list[float] = []
        #: How many requests this process sent.
        self.sent = 0
        #: What there is to say, at the start, of answers of earlier sessions.
        self.going_on: str | None = None
        #: Which cases are this shard's, in a line.
        self.told_of_shard: str | None = None
        #: Where this process keeps its answers, if it does.
        self.store: AnswerStore | None = None
        #: If this run is one shard of several: which, and the selected eval tests that it leaves to others.
        self.sharding = Sharding(settings.shard, settings.shard_durations) if settings.shard else None
        self.of_other_shards: list[EvalTest] = []
        #: The eval test that runs now.
        self.current: EvalTest | None = None

    # Configuration: read when first needed, wrong only once.

    @cached_property
    def config_file(self) -> ConfigFile:
        """`ftgate.yaml`; raises UsageError for what is wrong in it."""
        from pytest_ftgate.files.config_file import read_config  # noqa: PLC0415  (imports yaml)

        try:
            return read_config(self.settings.config_path, self.config.rootpath, self.metrics)
        except (FileError, ConfigError) as error:
            raise pytest.UsageError(str(error)) from None

    @cached_property
    def gate(self) -> Gate:
        """The gate of this run."""
        from pytest_ftgate.gates import parse_gate  # noqa: PLC0415  (not needed where nothing is gated)

        return parse_gate(self.config_file.gate, options=self.settings.gate_options, metrics=self.metrics)

    @cached_property
    def table(self) -> Mapping[str, ScorerSpec]:
        """The scorers that case files may use."""
        return all_scorers(self.config)

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that criteria may name."""
        return all_metrics(self.config)

    @cached_property
    def votes(self) -> tuple[Vote, ...]:
        """What people said of the answers; only who decides reads it. Raises UsageError for a wrong file."""
        if not self.settings.reviews or hasattr(self.config, "workerinput"):
            return ()
        from pytest_ftgate.review import read_reviews  # noqa: PLC0415  (not needed where nobody was asked)

        try:
            return read_reviews(self.settings.reviews)
        except RecordError as error:
            raise pytest.UsageError(str(error)) from None

    @cached_property
    def calibrations(self) -> tuple[Calibration, ...]:
        """How far judges agree with people; only who decides reads it. Raises RecordError."""
        if not self.settings.calibrations or hasattr(self.config, "workerinput"):
            return ()
        from pytest_ftgate.calibration import read_calibrations  # noqa: PLC0415  (not needed without judges)

        return read_calibrations(self.settings.calibrations)

    @cached_property
    def collected(self) -> CollectedCases:
        """The case files of this session."""
        return CollectedCases(self.config.rootpath, self.table)

    @cached_property
    def arms(self) -> Arms:
        """Who answers."""
        return Arms(self.config, self.settings, self.config_file)

    @cached_property
    def graders(self) -> Graders:
        """Who is asked about answers."""
        named = {
            "judge": self.settings.judge or self.config_file.judge,
            "embeddings": self.settings.embeddings or self.config_file.embeddings,
        }
        return Graders(self.arms, self.table, named)

    @property
    def has_model(self) -> bool:
        """Whether there is a model to judge; without one nothing is sent."""
        return self.arms.has_model

    @cached_property
    def no_model_mark(self) -> pytest.MarkDecorator:
        """Why cases are skipped, and what to do."""
        return pytest.mark.skip(reason=f"no model: name one with {self.settings.option_of('model')}=NAME")

    def check(self, *, scorers: bool) -> None:
        """Reads the configuration and keeps what is wrong with it for the end of collection."""
        try:
            _ = self.gate, self.arms, self.table if scorers else None
            _ = self.sharding.times_s if self.sharding else None
            for path in self.settings.reports:
                check_report_path(path)
            _ = self.votes, self.calibrations
            if self.settings.save_answers is not None:
                refuse_foreign(self.settings.save_answers, "ftgate.answers/", "saved answers")
        except (pytest.UsageError, ConfigError) as error:
            self.usage_error = str(error)

    # The plan, once pytest has selected its items.

    def note_tests(self, collector: pytest.Collector, nodes: Sequence[object]) -> None:
        """Takes the Python tests that a collector yields, before anything is deselected.

        A class among them counts as passed over until pytest collects it, which a node id may prevent.
        """
        from pytest_ftgate.plugin.markers import BoundCase, eval_test, has_marked_tests  # noqa: PLC0415

        self.collected.passed_over.discard(collector.nodeid)
        for node in nodes:
            bound = parameter(node, "eval_case") if isinstance(node, pytest.Function) else None
            if isinstance(node, pytest.Function) and isinstance(bound, BoundCase):
                node.stash[eval_test_key] = test = eval_test(node, bound, self)
                self.collected.add(test)
                if test.lacks_baseline:
                    reason = f"no baseline: name one with {self.settings.option_of('baseline')}=NAME"
                    node.add_marker(pytest.mark.skip(reason=reason))
            elif isinstance(node, pytest.Class) and has_marked_tests(node):
                self.collected.passed_over.add(node.nodeid)
        if not nodes and isinstance(collector, pytest.Module) and has_eval_tests(collector.path):
            self.collected.passed_over.add(collector.nodeid)

    def make_plan(self, items: Sequence[pytest.Item]) -> Plan:
        """Fixes what has to run, what was left out, and which cases the gate judges; raises UsageError."""
        from pytest_ftgate.gates import judged_cases  # noqa: PLC0415

        tests = eval_tests(items) + self.of_other_shards
        self._refuse_cases_without_model(tests)
        try:
            self._note_ignored()
            self.plan = self.collected.plan({test.key for test in tests}, self.arms.of, self.gate.suites)
        except (FileError, ConfigError) as error:
            raise pytest.UsageError(str(error)) from None
        if self.has_model and not self.plan.left_out:
            self.judged = judged_cases(self.gate, self.plan)
        return self.plan

    def undecidable(self) -> list[str]:
        """Why this run can't end in SHIP, whatever the models answer; nothing where no verdict is due."""
        from pytest_ftgate.gates import undecidable  # noqa: PLC0415

        if self.plan is None or self.plan.left_out:
            return []
        return undecidable(self.gate, self.plan.cases, self.metrics)

    def _note_ignored(self) -> None:
        for path in odd_case_files(self.config):
            raise pytest.UsageError(f"{path.relative_to(self.config.rootpath)} is not a regular file")
        for path in ignored_files(self.config):
            name = path.relative_to(self.config.rootpath).as_posix()
            if path.suffix == ".py":
                self.collected.passed_over.add(name)
            else:
                self.collected.see(name, path)

    def _refuse_cases_without_model(self, tests: Sequence[EvalTest]) -> None:
        """A model for one role alone would quietly leave the other role's cases out of the verdict."""
        for case in (test.case for test in tests if self.has_model and not test.replaced):
            if not self.arms.of(case):
                found = f"suite '{case.suite}' has the role {case.role}, and no model answers it"
                raise pytest.UsageError(f"{found}: name one with `model:` in ftgate.yaml, or under `roles:`")

    def check_answers(self, tests: Sequence[EvalTest]) -> str | None:
        """What saved answers lack for the selected cases, all of it, before anything is sent.

        Those of other shards count as needed, so that each shard says of a file what one run would say; what
        they alone lack is for them to say.
        """
        without_grader = self.graders.prepare([*tests, *self.of_other_shards])
        self.described = self.arms.describe() | self.graders.describe()
        requests = [request for test in tests for request in test.requests_ahead()]
        elsewhere_asked = (test for test in self.of_other_shards if test.runs)
        others = [request for test in elsewhere_asked for request in test.requests_ahead()]
        stored = not_stored(self, requests) if self.settings.reuse == "only" and requests else []
        elsewhere = set(self.arms.missing(others)) if others else ()
        lacking = [line for line in self.arms.missing([*requests, *others]) if line not in elsewhere]
        return "\n".join([*without_grader, *lacking, *stored]) or None

    # Answers and trials.

    def start(self, worker: Worker | None, *, dealt: Sequence[tuple[str, str]]) -> CompletionEngine:
        """The engine that generates answers; the caller enters and leaves it."""
        for line in self.undecidable() if worker is None else ():
            say(self.config, f"ftgate: this run can't end in SHIP: {line}")
        self.engine = engine_of(self, dealt=dealt)
        return self.engine

    def survey(self, tests: Sequence[EvalTest]) -> None:
        """Says which answers are going to be needed, before the first is asked for; raises `StoreError`."""
        assert self.engine is not None
        is_stored = self.engine.survey([test.requests_ahead() for test in tests])
        if is_stored and self.store is not None:
            self.going_on = going_on(self.store, time.time())

    def prefetch(self, tests: Sequence[EvalTest], ahead: int | None = None) -> None:
        """Has the answers for these tests generated, in their order."""
        assert self.engine is not None
        self.engine.prefetch([test.requests_ahead() for test in tests], ahead=ahead)

    def answer(self, request: Request) -> Completion:
        """One answer; generated on demand if nobody has asked yet. Raises ModelError."""
        __tracebackhide__ = True
        if self.engine is None:
            raise ModelError("models answer while tests run, not before or after", kind="stopped")
        return self.engine.result(request)

    def judge(self, test: EvalTest) -> tuple[Trial, ...]:
        """The trials of a case from a file: awaits all arms' answers and scores them."""
        from pytest_ftgate.plugin.judging import judge_case  # noqa: PLC0415

        if self.engine is None:
            return ()
        self.has_judged = True
        return tuple(judge_case(test, self.answer, self.table, self.bench))

    def bench(self, test: EvalTest, arm: Arm, repeat: int) -> Bench:
        """What the scorers of one answer may use besides it."""
        return self.graders.bench(test, arm, repeat, self.answer)

    def questions(self, test: EvalTest) -> list[Request]:
        """What is going to be asked about the answers to a test, as far as they are there."""
        if self.engine is None or not self.graders.is_needed:
            return []
        so_far = self.engine.answer_so_far
        answered = [(request, so_far(request)) for request in test.requests_ahead()]
        return [
            question
            for request, answer in answered
            if answer is not None
            for question in self.graders.follow(request, answer, so_far)
        ]

    def note_remarks(self) -> None:
        """Keeps what there is to say of the run besides its numbers, for the verdict."""
        lacking = sorted(test.key for test in self.collected.tests.values() if test.lacks_baseline)
        self.remarks = [
            *self.collected.warnings,
            *self.arms.remarks(),
            *self.graders.remarks(),
            *_not_run(lacking),
        ]
        if self.store is not None:
            self.remarks += self.store.remarks()
        if self.engine is not None:
            self.sent = self.engine.sent
            self.lags_s = [] if self.engine.lag_p95_s is None else [self.engine.lag_p95_s]
        judgements = (test.judgement for test in self.collected.tests.values())
        self.troubles = [
            *(f"{name} changed while the tests ran" for name in self.collected.changed()),
            *dict.fromkeys(stray for judgement in judgements if judgement for stray in judgement.strays),
        ]

    def junit_properties(self, test: EvalTest) -> list[tuple[str, object]]:
        """What the JUnit file says of a case, if there is one and the ini file does not switch it off."""
        from pytest_ftgate.reports.junit import case_properties  # noqa: PLC0415

        # Without such a file nobody reads them, and workers send them twice.
        if not (self.settings.junit_properties and self.config.getoption("xmlpath", None)):
            return []
        if self.is_large and all(trial.outcome is Outcome.PASSED for trial in test.trials):
            return []  # readers of JUnit refuse large files, and pytest keeps all of it to the end
        return [*case_properties(test.case, test.trials)]

    def similar_names(self) -> list[str]:
        """Files that look like misspelt case files."""
        return similar_names(self.config)


def case_text(test: EvalTest) -> str:
    """What a missed or errored case shows."""
    from pytest_ftgate.reports.case_text import render_case  # noqa: PLC0415

    return render_case(test.case, test.trials)


def _not_run(lacking: Sequence[str]) -> list[str]:
    """What there is to say of tests that ask for a baseline which the run lacks."""
    if len(lacking) <= _NAMED:
        return [f"{key} asks for a baseline and there is none: not run" for key in lacking]
    first = ", ".join(lacking[:_NAMED])
    return [f"{len(lacking)} tests ask for a baseline and there is none: not run: {first} …"]

"""What the deciding process learns from reports, and the assessment it makes of it at the end."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftgate import __version__
from pytest_ftgate.plugin import transport
from pytest_ftgate.plugin.garbage import nothing_to_collect
from pytest_ftgate.plugin.taken_over import taken_over_remarks
from pytest_ftgate.plugin.terminal import say
from pytest_ftgate.record import Plan, RunInfo, RunRecord, Trial

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment
    from pytest_ftgate.plugin.session import FtgateSession


#: How many tests or cases a reason names.
_NAMED = 5


class RunLedger:
    """Owned by `DecideHooks`, from the first report to the verdict; one per run, wherever the items ran."""

    def __init__(self, session: FtgateSession) -> None:
        self.ftgate = session
        self.started = _now()
        self.started_at = time.time()
        self.trials = RunRecord()
        self.plan: Plan | None = None
        #: Of the plan as a worker sent it.
        self.plan_digest = ""
        self.models: Mapping[str, Mapping[str, Any]] = {}
        self.selected: set[str] = set()
        self.finished: set[str] = set()
        self.reasons: list[str] = []
        #: Workers that have neither died nor said their last words.
        self.silent: set[str] = set()
        self.remarks: list[str] = []
        #: What endpoints made the processes wait for, a row each.
        self.delays: list[Mapping[str, Any]] = []
        self.lags_s: list[float] = []
        #: How many requests were sent, by all processes.
        self.sent = 0
        #: Whether it was told what an earlier session has left.
        self.said = False
        #: Items whose outcome changed when another plugin ran them again.
        self.flaky: set[str] = set()
        self.usage_error: str | None = None
        #: What a worker says of why no request can succeed.
        self.fatal: str | None = None
        #: Whether a worker kept its answers where the others did not see them.
        self.has_worker_apart = False
        #: Why nothing that is still to come can make a verdict.
        self.misfit: str | None = None
        #: What the first worker collected, and what not all of them did.
        self.collected: frozenset[str] | None = None
        self.not_everywhere: set[str] = set()
        #: Why the run could not start.
        self.stopped_by: str | None = None
        self.collection_errors = 0
        #: Failed reports that the gate may excuse: misses, and errored trials within `max_errors`.
        self.excusable = 0
        self.first_failed: str | None = None

    def add_report(self, report: pytest.TestReport) -> None:
        """Takes one test report, of whatever process, in whatever order."""
        payload, trials = transport.take(report)
        self.take_plan(payload)
        if (told := payload.get("shard")) and self.ftgate.told_of_shard is None:
            self.ftgate.told_of_shard = told
            say(self.ftgate.config, f"ftgate: {told}")
        if (going_on := payload.get("going_on")) and not self.said:
            self.said = True
            say(self.ftgate.config, f"ftgate: {going_on}")
        for trial in trials:
            self._add_trial(trial, attempt=payload.get("attempt", 1))
        if report.failed and self.first_failed is None:
            self.first_failed = report.nodeid
        if report.failed and (payload.get("miss") or payload.get("errored")):
            self.excusable += 1
        if report.when == "teardown":
            self.finished.add(report.nodeid)

    def _add_trial(self, trial: Trial, *, attempt: int) -> None:
        """A re-run of an item by another plugin is no new trial: the first outcome counts, not the best."""
        if attempt == 1:
            self.trials.add(trial)
        elif trial.outcome is not (self.trials.outcome_of(trial.key) or trial.outcome):
            self.flaky.add(trial.key.item)

    def add_worker_output(self, payload: Mapping[str, Any]) -> None:
        """Takes what a worker says at its end."""
        self.take_plan(payload)
        self.remarks += payload.get("remarks") or ()
        self.delays += payload.get("delays") or ()
        self.reasons += payload.get("troubles") or ()
        self.lags_s += payload.get("lags_s") or ()
        self.sent += payload.get("sent") or 0
        self.usage_error = self.usage_error or payload.get("usage_error")
        self.fatal = self.fatal or payload.get("fatal")
        self.has_worker_apart |= bool(payload.get("is_apart"))

    def take_own(self, session: FtgateSession, plan: Plan) -> None:
        """In one process: what a worker would have told."""
        self.plan = plan
        self.models = session.described
        self.remarks = session.remarks
        self.delays += session.delays
        self.reasons += session.troubles
        self.lags_s += session.lags_s
        self.sent += session.sent

    def note_collection(self, ids: Sequence[str]) -> None:
        """What a worker collected; all have to collect the same."""
        here = frozenset(ids)
        self.collected = here if self.collected is None else self.collected
        self.not_everywhere |= here ^ self.collected
        self.selected |= here

    def take_plan(self, payload: Mapping[str, Any]) -> None:
        """Takes a plan that came along; two processes that planned differently can't be judged together."""
        if transport.PLAN not in payload:
            return
        text, models = transport.unpacked(payload[transport.PLAN]), payload.get("models") or {}
        # Of many workers with as many cases, only the first one's plan is built, unless another's differs.
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        if self.plan is None:
            self.plan, self.plan_digest, self.models = Plan.from_text(text), digest, models
            return
        if digest != self.plan_digest:
            different = _different(self.plan, Plan.from_text(text))
            self._note_misfit(f"the workers collected different cases{different}")
        self.models = self.models or models
        if models and models != self.models:
            self._note_misfit(f"the workers ask different models: {_different_models(self.models, models)}")

    def _note_misfit(self, reason: str) -> None:
        self.reasons.append(reason)
        self.misfit = self.misfit or reason

    @property
    def _is_before_the_plan(self) -> bool:
        """Whether workers have tests to run, and none has come so far as to say which cases these judge."""
        return self.plan is None and bool(self.selected)

    @property
    def nothing_selected(self) -> bool:
        """A model was asked for, and no eval case is there to judge it."""
        left_out = set(self.plan.left_out) if self.plan else set()
        planned = (item.nodeid for case in self.plan.cases for item in case.items) if self.plan else ()
        return self.ftgate.settings.asked_for and not any(nodeid not in left_out for nodeid in planned)

    def _taken_over_remarks(self) -> list[str]:
        takes_any = self.ftgate.settings.reuse.takes_any
        return taken_over_remarks(
            self.trials.values(), self.models, takes_any=takes_any, started=self.started_at
        )

    def _warnings(self) -> list[str]:
        return [
            *self._taken_over_remarks(),
            *self.remarks,
            *self._delay_remarks(),
            *self._flaky_remarks(),
            *self._asked_twice_remarks(),
        ]

    def _delay_remarks(self) -> list[str]:
        if not self.delays:
            return []
        from pytest_ftgate.models.endpoints.delays import delay_remarks  # noqa: PLC0415  (seldom needed)

        return delay_remarks(self.delays)

    def _asked_twice_remarks(self) -> list[str]:
        cases = self.plan.cases if self.plan is not None and self.has_worker_apart else ()
        several = [case.id for case in cases if len(case.items) > 1]
        if not several:
            return []
        return [
            f"workers kept their answers apart: of cases with several tests, each worker asked by itself "
            f"({_named(several)})"
        ]

    def _flaky_remarks(self) -> list[str]:
        return [
            f"{item} is flaky: a re-run ended otherwise; the first outcome counts"
            for item in sorted(self.flaky)
        ]

    def cut_short(self, interruption: BaseException | None) -> str | None:
        """Why something selected did not finish, None if all did."""
        if self.stopped_by is not None:
            return self.stopped_by
        reasons = list(dict.fromkeys(self.reasons))
        unfinished = self.selected - self.finished
        if self.silent and self.plan is not None and not (interruption is not None and unfinished):
            # Trials may all be here, but not what it knew of them: how busy it was, and what went wrong.
            reasons.append("a worker has not come to its end, where it says what else it knows")
        if self.not_everywhere:
            named = _named(sorted(self.not_everywhere))
            reasons.append(f"the workers collected different tests: only some of them have {named}")
        if self.collection_errors:
            noun = "error" if self.collection_errors == 1 else "errors"
            reasons.append(f"{self.collection_errors} collection {noun}")
        elif self.nothing_selected and not (self.plan and self.plan.cases) and not self._is_before_the_plan:
            reasons.append(_no_case(self.ftgate))
        elif unfinished or (interruption is not None and not self.finished >= self.selected):
            reasons.append(_unfinished(sorted(unfinished), len(self.selected), interruption))
        return "; ".join(reasons) or None

    def assess(self, interruption: BaseException | None) -> Assessment:
        """The assessment of all that came in."""
        from pytest_ftgate.gates import assess  # noqa: PLC0415  (not needed where nothing is gated)

        session = self.ftgate
        redact, cut_short = session.arms.redact, self.cut_short(interruption)
        mode = _mode(self.models)
        if session.settings.reuse.takes_any and mode != "recorded":
            mode = "mixed" if self.sent else "recorded"
        run = RunInfo(
            run_id=session.settings.run_id,
            started=self.started,
            finished=_now(),
            version=__version__,
            gate=session.config_file.gate,
            gate_options=session.settings.gate_options,
            models=self.models,
            calibrations=session.calibrations,
            mode=mode,
            lag_p95_s=max(self.lags_s, default=None),
            no_model=not session.has_model,
            cut_short=redact(cut_short) if cut_short is not None else None,
            warnings=tuple(map(redact, dict.fromkeys(self._warnings()))),
        )
        plan = self.plan or Plan()
        if session.sharding is not None:
            run = replace(run, **session.sharding.run_info(plan, self.models, session.config.rootpath))
        with nothing_to_collect():
            record = replace(self.trials.freeze(run, plan), votes=session.votes)
            return assess(record, metrics=session.metrics)


def _different(one: Plan, other: Plan) -> str:
    cases = [{case.key: case for case in plan.cases} for plan in (one, other)]
    keys = sorted(key for key in {*cases[0], *cases[1]} if cases[0].get(key) != cases[1].get(key))
    return f": {_named([f'{suite}/{id_}' for suite, id_ in keys])}" if keys else ""


def _different_models(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    arm = next(arm for arm in sorted({*one, *other}) if one.get(arm) != other.get(arm))
    said = [
        ", ".join(f"{name} {value}" for name, value in sorted(models.get(arm, {}).items()))
        for models in (one, other)
    ]
    return f"{arm}: {said[0] or 'none'}; and {said[1] or 'none'}"


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more


def _no_case(session: FtgateSession) -> str:
    similar = session.similar_names()
    hint = f"; similar: {', '.join(similar)} (case files end in .evalcase.yaml)" if similar else ""
    return f"no eval case under {' '.join(session.config.args)}{hint}"


def _unfinished(unfinished: Sequence[str], selected: int, interruption: BaseException | None) -> str:
    why = f" ({_interruption_text(interruption)})" if interruption is not None else ""
    if not unfinished:
        return f"the run was interrupted{why}"
    # What was interrupted says why; nobody would know where to look for what got lost.
    which = f": {_named(unfinished)}" if interruption is None else why
    return f"{len(unfinished)} of {selected} selected test{'s' if selected > 1 else ''} did not finish{which}"


def _interruption_text(interruption: BaseException) -> str:
    if isinstance(interruption, KeyboardInterrupt):
        return str(interruption) or "Ctrl-C"
    return str(interruption) or type(interruption).__name__


def _mode(models: Mapping[str, Mapping[str, Any]]) -> str:
    described = [each for model in models.values() for each in (model, *model.get("roles", {}).values())]
    recorded = {model.get("kind") == "recorded" for model in described}
    return "mixed" if len(recorded) == 2 else "recorded" if recorded == {True} else "live"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

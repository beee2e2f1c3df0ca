"""The result of every criterion of a gate: what it reads, what that says, and whether it decides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pytest_ftgate.gates.config import ALWAYS_DECIDING
from pytest_ftgate.gates.criteria import CriterionResult, Gate
from pytest_ftgate.gates.estimates import Unbounded
from pytest_ftgate.gates.evidence import Level, levels, miss_p
from pytest_ftgate.gates.measuring import Measurement, measure
from pytest_ftgate.gates.metrics import Metric
from pytest_ftgate.gates.selection import Scope, decides_by_plan, nothing_selected, scopes
from pytest_ftgate.gates.statuses import Question, answer, too_busy
from pytest_ftgate.record.plan import CaseKey, PlannedCase
from pytest_ftgate.record.runs import RunInfo
from pytest_ftgate.record.trials import Outcome
from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.summary.case_results import CaseResult

_WITHOUT_BASELINE = (
    "or write in ftgate.yaml what must hold without one, "
    "e.g. gate: {criteria: {target_pass_rate: {metric: pass_rate, role: target, at_least: 90%}}}"
)
_WITHOUT_GENERAL = (
    "add one with the abilities that must not be lost, or write in ftgate.yaml the criteria without it, "
    "e.g. gate: {criteria: {target_task_improvement: "
    "{metric: pass_rate, role: target, compare: delta, at_least: 5%}}}"
)


def decide(
    gate: Gate, cases: Sequence[CaseResult], run: RunInfo, metrics: Mapping[str, Metric]
) -> tuple[CriterionResult, ...]:
    """The result of every criterion, `per:` ones split, ftgate's own last."""
    planned = [case.planned for case in cases]
    results: dict[CaseKey, CaseResult] = {case.planned.key: case for case in cases}
    errors = sum(trial.outcome is Outcome.ERRORED for case in cases for trial in case.trials)
    scoped = scopes(gate, planned, metrics)
    measured = [measure(scope, results, run) for scope in scoped]
    questions = [
        Question(scope=scope, found=found, level=level)
        for scope, found, level in zip(scoped, measured, _levels(gate, scoped, measured), strict=True)
    ]
    count = errors <= gate.max_errors
    return tuple(_result(question, gate, planned, run, errors_count=count) for question in questions)


def undecidable(gate: Gate, cases: Sequence[PlannedCase], metrics: Mapping[str, Metric]) -> list[str]:
    """Criteria that decide and find no case in this plan, with why: known before anything is asked."""
    return [
        f"{scope.criterion.name}: {nothing_selected(scope, cases)}"
        for scope in scopes(gate, cases, metrics)
        if not scope.items and decides_by_plan(scope, gate) and scope.metric.counts != "votes"
    ]


def _levels(gate: Gate, scoped: Sequence[Scope], found: Sequence[Measurement]) -> list[Level]:
    """How sure each criterion has to be: the parts of one `per:` are tests of one kind."""
    made = [Level(confidence=float(gate.confidence)) for _ in scoped]
    families: dict[str, dict[int, float]] = {}
    for place, (scope, measured) in enumerate(zip(scoped, found, strict=True)):
        if scope.family and not isinstance(measured.estimate, Unbounded):
            families.setdefault(scope.family, {})[place] = miss_p(scope.criterion, measured.estimate)
    for p_values in families.values():
        for place, level in zip(p_values, levels(gate.confidence, list(p_values.values())), strict=True):
            made[place] = level
    return made


def _result(
    question: Question, gate: Gate, planned: Sequence[PlannedCase], run: RunInfo, *, errors_count: bool
) -> CriterionResult:
    criterion, scope, found = question.criterion, question.scope, question.found
    status, reason = answer(question, run, errors_count=errors_count)
    if not scope.items:
        reason = _advised(scope, gate, nothing_selected(scope, planned))
    decides = decides_by_plan(scope, gate)
    if criterion.optional and scope.metric.voted is not None:
        # Whoever was asked was not asked for nothing: an undefined number blocks as well.
        decides = not criterion.advisory and found.n + found.lost >= max(criterion.min_cases, 1)
    elif criterion.optional:
        decides = decides and (found.observed is not None or found.lost > 0)
    waived = _waived(question, run) if decides and criterion.optional else None
    return CriterionResult(
        name=criterion.name,
        status=status,
        metric=criterion.metric,
        compare=criterion.compare,
        observed=found.observed,
        threshold=criterion.needed,
        n=found.n,
        evidence=question.evidence,
        decides=decides and waived is None,
        reason=reason,
        waived=waived,
        interval=_interval(found, question.level.confidence),
        p_value=found.p_value,
    )


def _waived(question: Question, run: RunInfo) -> str | None:
    """Why an optional criterion does not decide after all: its times were met, but by a busy client's clock.

    Times that miss the threshold block, whoever was busy: that may be the model's doing.
    """
    found = question.found
    if found.observed is None or found.lost or not question.criterion.is_met_by(found.observed):
        return None
    return too_busy(found, run)


def _interval(found: Measurement, confidence: float) -> tuple[float, float] | None:
    if isinstance(found.estimate, Unbounded):
        return None
    bounds = interval(found.estimate, confidence)
    return bounds if all(map(math.isfinite, bounds)) else None


def _advised(scope: Scope, gate: Gate, reason: str) -> str:
    """For the two default comparisons: what to add, or which lines of `gate:` to write."""
    if not gate.is_default or scope.criterion.name not in ALWAYS_DECIDING:
        return reason
    if "--baseline" in reason:
        return f"{reason}, {_WITHOUT_BASELINE}"
    return f"{reason}: {_WITHOUT_GENERAL}" if reason.endswith("`role: general`") else reason

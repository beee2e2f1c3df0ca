"""From a measurement to GO, NO-GO, INCONCLUSIVE or NOT MEASURED, with one plain sentence of why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from pytest_ftgate.gates.config import ALWAYS_DECIDING
from pytest_ftgate.gates.criteria import Criterion, CriterionResult, Gate, Status
from pytest_ftgate.gates.measuring import Measurement, measure
from pytest_ftgate.gates.metrics import Metric
from pytest_ftgate.gates.selection import Scope, decides_by_plan, nothing_selected, scopes
from pytest_ftgate.gates.thresholds import amount_text, points_text
from pytest_ftgate.record.plan import CaseKey, PlannedCase
from pytest_ftgate.record.runs import RunInfo
from pytest_ftgate.record.trials import Outcome
from pytest_ftgate.summary.case_results import CaseResult, exact

#: Of an arm's median time: a client that is later than this measures itself.
_LAG_ALLOWED = Fraction(5, 100)
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
    counted = errors <= gate.max_errors
    return tuple(
        _result(scope, gate, planned, results, run, errors_count=counted)
        for scope in scopes(gate, planned, metrics)
    )


def undecidable(gate: Gate, cases: Sequence[PlannedCase], metrics: Mapping[str, Metric]) -> list[str]:
    """Criteria that decide and find no case in this plan, with why: known before anything is asked."""
    return [
        f"{scope.criterion.name}: {nothing_selected(scope, cases)}"
        for scope in scopes(gate, cases, metrics)
        if not scope.items and decides_by_plan(scope, gate) and scope.metric.counts != "votes"
    ]


def _result(
    scope: Scope,
    gate: Gate,
    planned: Sequence[PlannedCase],
    results: Mapping[CaseKey, CaseResult],
    run: RunInfo,
    *,
    errors_count: bool,
) -> CriterionResult:
    criterion = scope.criterion
    found = measure(scope, results, run)
    status, reason = _status(scope, found, run, errors_count=errors_count)
    if status is Status.NOT_MEASURED and not scope.items:
        reason = _advised(scope, gate, nothing_selected(scope, planned))
    decides = decides_by_plan(scope, gate)
    if criterion.optional:
        decides = decides and (found.observed is not None or found.lost > 0)
    return CriterionResult(
        name=criterion.name,
        status=status,
        metric=criterion.metric,
        compare=criterion.compare,
        observed=found.observed,
        threshold=criterion.needed,
        n=found.n,
        evidence=criterion.evidence,
        decides=decides,
        reason=reason,
    )


def _status(scope: Scope, found: Measurement, run: RunInfo, *, errors_count: bool) -> tuple[Status, str]:
    """What the measurement says; without `errors_count` there were more errors than `max_errors`."""
    criterion, metric = scope.criterion, scope.metric
    if found.errored and not errors_count:
        return Status.INCONCLUSIVE, f"{found.errored} of {_counted(found.n, metric)} errored"
    if found.lost:
        noun = "value was" if found.lost == 1 else "values were"
        return Status.INCONCLUSIVE, f"{found.lost} {noun} lost to errors"
    if found.observed is None:
        nothing = metric.nothing
        if found.baseline == 0:
            nothing = f"the baseline's {metric.name} is 0, so there is no ratio"
        return Status.NOT_MEASURED, nothing
    told = _told(criterion, metric, found)
    if too_little := _too_little(scope, found, run):
        return Status.INCONCLUSIVE, f"{told}; {too_little}"
    met = criterion.is_met_by(found.observed)
    return (Status.GO if met else Status.NO_GO), f"{told}, {criterion.needed} is needed"


def _too_little(scope: Scope, found: Measurement, run: RunInfo) -> str | None:
    """Why what was measured decides nothing."""
    metric, least = scope.metric, scope.criterion.min_cases
    if too_busy := _too_busy(found, run):
        return too_busy
    if metric.passed is None and metric.counts == "cases" and found.n < scope.planned:
        return f"{scope.planned - found.n} of {_counted(scope.planned, metric)} gave no value"
    if found.n < least:
        return f"{_counted(least, metric)} are the least that decide (min_cases)"
    return None


def _too_busy(found: Measurement, run: RunInfo) -> str | None:
    """Why measured times say too little: the client that measured them was late itself."""
    if run.lag_p95_s is None or found.typical_s is None:
        return None
    lag_s = exact(run.lag_p95_s)
    if lag_s <= found.typical_s * _LAG_ALLOWED:
        return None
    late, median = (amount_text(seconds, "seconds") for seconds in (lag_s, found.typical_s))
    return f"this client was too busy ({late} late at a median of {median}): lower --ftgate-concurrency"


def _told(criterion: Criterion, metric: Metric, found: Measurement) -> str:
    """The measurement in words: `+5 points on 40 cases (from 80% to 85%)`."""
    assert found.observed is not None
    over = f"on {_counted(found.n, metric)}"
    if found.model is None or found.baseline is None:
        return f"{amount_text(found.observed, metric.unit, criterion.threshold)} {over}"
    sides = f"(from {amount_text(found.baseline, metric.unit)} to {amount_text(found.model, metric.unit)})"
    if criterion.compare == "ratio":
        return (
            f"{amount_text(found.observed, 'number', criterion.threshold)} times the baseline {over} {sides}"
        )
    if metric.unit == "rate":
        return f"{points_text(found.observed, criterion.threshold)} points {over} {sides}"
    sign = "+" if found.observed > 0 else ""
    return f"{sign}{amount_text(found.observed, metric.unit, criterion.threshold)} {over} {sides}"


def _counted(n: int, metric: Metric) -> str:
    return f"{n} {metric.counts if n != 1 else metric.counts.removesuffix('s')}"


def _advised(scope: Scope, gate: Gate, reason: str) -> str:
    """For the two default comparisons: what to add, or which lines of `gate:` to write."""
    if not gate.is_default or scope.criterion.name not in ALWAYS_DECIDING:
        return reason
    if "--baseline" in reason:
        return f"{reason}, {_WITHOUT_BASELINE}"
    return f"{reason}: {_WITHOUT_GENERAL}" if reason.endswith("`role: general`") else reason

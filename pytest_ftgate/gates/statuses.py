"""From what was measured to GO, NO-GO, INCONCLUSIVE or NOT MEASURED, with one plain sentence of why."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.gates.criteria import Criterion, Evidence, Status
from pytest_ftgate.gates.estimates import Unbounded
from pytest_ftgate.gates.evidence import Level, by_chance, is_extreme, near_bound, shown
from pytest_ftgate.gates.measuring import Measurement
from pytest_ftgate.gates.metrics import Metric
from pytest_ftgate.gates.needed_cases import what_decides
from pytest_ftgate.gates.selection import Scope
from pytest_ftgate.gates.sentences import bound_text, counted, told
from pytest_ftgate.gates.thresholds import amount_text
from pytest_ftgate.record.runs import RunInfo
from pytest_ftgate.summary.case_results import exact

#: Of an arm's median time: a client that is later than this measures itself.
_LAG_ALLOWED = Fraction(5, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One criterion, what was measured for it, and how sure its answer has to be."""

    scope: Scope
    found: Measurement
    level: Level

    @property
    def criterion(self) -> Criterion:
        """The rule."""
        return self.scope.criterion

    @property
    def metric(self) -> Metric:
        """What it measures."""
        return self.scope.metric

    @property
    def evidence(self) -> Evidence:
        """What decides: at the end of the scale always the estimate, since no bound reaches it."""
        return "point" if is_extreme(self.criterion, self.metric) else self.criterion.evidence

    @property
    def told(self) -> str:
        """The measurement in words."""
        return told(self.criterion, self.metric, self.found)


def answer(question: Question, run: RunInfo, *, errors_count: bool) -> tuple[Status, str]:
    """What the measurement says; without `errors_count` there were more errors than `max_errors`."""
    scope, found = question.scope, question.found
    if found.errored and not errors_count:
        return Status.INCONCLUSIVE, f"{found.errored} of {counted(found.n, scope.metric)} errored"
    if found.lost:
        return Status.INCONCLUSIVE, _lost(scope, found)
    if scope.items and scope.lacking:
        return Status.INCONCLUSIVE, scope.lacking
    if found.observed is None:
        return _without_number(question)
    if too_little := _too_little(scope, found, run):
        return Status.INCONCLUSIVE, f"{question.told}; {too_little}"
    return _by_bounds(question) if question.evidence == "strict" else _by_estimate(question)


def _lost(scope: Scope, found: Measurement) -> str:
    if scope.metric.calibrated:
        return f"{found.detail}: calibrate every check, on answers that can be judged"
    return f"{found.lost} {'value was' if found.lost == 1 else 'values were'} lost to errors"


def _without_number(question: Question) -> tuple[Status, str]:
    """Why there is none; people who were asked were not asked for nothing, so that nobody is left out."""
    metric, found = question.metric, question.found
    if found.n and metric.voted:
        return Status.INCONCLUSIVE, f"n/a on {counted(found.n, metric)}: {metric.voted.undefined}"
    no_ratio = f"the baseline's {metric.name} is 0, so there is no ratio"
    return Status.NOT_MEASURED, no_ratio if found.baseline == 0 else found.detail or metric.nothing


def _by_estimate(question: Question) -> tuple[Status, str]:
    """What the estimate says, and whether noise could explain it."""
    criterion, found = question.criterion, question.found
    assert found.observed is not None
    status = Status.GO if criterion.is_met_by(found.observed) else Status.NO_GO
    return status, f"{question.told}, {criterion.needed} is needed{_doubt(question, found.observed)}"


def _doubt(question: Question, observed: Fraction) -> str:
    estimate = question.found.estimate
    if isinstance(estimate, Unbounded):
        return f"; {estimate.why}" if estimate.flagged else ""
    if is_extreme(question.criterion, question.metric):
        return ""
    sure = shown(question.criterion, observed, estimate, question.level) is not Status.INCONCLUSIVE
    return "" if sure else "; noise could explain it"


def _by_bounds(question: Question) -> tuple[Status, str]:
    """What the bounds show; else what would decide."""
    criterion, metric, found, level = question.criterion, question.metric, question.found, question.level
    estimate, observed = found.estimate, found.observed
    assert observed is not None
    if isinstance(estimate, Unbounded):
        return Status.INCONCLUSIVE, f"{question.told}, {criterion.needed} is needed; {estimate.why}"
    bound = near_bound(criterion, observed, estimate, level)
    shows = bound_text(criterion, metric, found, bound, level.confidence)
    text = f"{question.told}, {shows}; {criterion.needed} is needed"
    status = shown(criterion, observed, estimate, level)
    if status is Status.GO and not _shown_without_errors(question):
        # Bounds of repeated values may close in when one more fails; an error must never gain by that.
        error = "the error" if found.errored == 1 else "errors"
        return Status.INCONCLUSIVE, f"{text}; it is not shown with {error} counted the other way round"
    if status is not Status.INCONCLUSIVE:
        return status, text
    if by_chance(criterion, observed, estimate, level):
        text += f", which one of {level.tests} parts may miss so by chance"
    return status, f"{text}; {what_decides(criterion, metric, found, estimate, level)}"


def _shown_without_errors(question: Question) -> bool:
    spared = question.found.spared
    if spared is None:
        return True
    if spared.observed is None or isinstance(spared.estimate, Unbounded):
        return False
    return shown(question.criterion, spared.observed, spared.estimate, question.level) is Status.GO


def _too_little(scope: Scope, found: Measurement, run: RunInfo) -> str | None:
    """Why what was measured decides nothing."""
    metric, least = scope.metric, scope.criterion.min_cases
    if busy := too_busy(found, run):
        return busy
    if metric.counts == "cases" and found.n < scope.planned:
        return f"{scope.planned - found.n} of {counted(scope.planned, metric)} {metric.lacking}"
    thinnest = min(part.n for part in found.parts.values()) if metric.split.contrast else found.n
    if thinnest < least:
        each = " on each side" if metric.split.contrast else ""
        return f"{counted(least, metric)}{each} are the least that decide (min_cases)"
    if found.decided is not None and found.decided < least:
        won = "1 was" if found.decided == 1 else f"{found.decided} were"
        return f"{won} won or lost, and {least} are the least that decide (min_cases)"
    return None


def too_busy(found: Measurement, run: RunInfo) -> str | None:
    """Why measured times say too little: the client that measured them was late itself."""
    if run.lag_p95_s is None or found.typical_s is None:
        return None
    lag_s = exact(run.lag_p95_s)
    if lag_s <= found.typical_s * _LAG_ALLOWED:
        return None
    late, median = (amount_text(seconds, "seconds") for seconds in (lag_s, found.typical_s))
    return f"this client was too busy ({late} late at a median of {median}): lower --ftgate-concurrency"

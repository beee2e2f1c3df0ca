"""What a criterion measures in the cases it reads: one exact number, and what errors cost it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates.metrics import Metric, Sample
from pytest_ftgate.gates.selection import Scope
from pytest_ftgate.record.plan import CaseKey
from pytest_ftgate.record.runs import RunInfo
from pytest_ftgate.record.trials import Outcome, Trial
from pytest_ftgate.summary.case_results import CaseResult, mean, share_passed
from pytest_ftgate.summary.latencies import nearest_rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What was measured: `observed` is compared with the threshold, None if there is nothing.

    `model` and `baseline` are the numbers that a comparison is made of. `n` counts cases or calls; `lost`
    counts errored trials that took a value away, `errored` the cases in which an error counts as an outcome.
    `typical_s` is the smallest median of an arm's times, None where no times are measured.
    """

    observed: Fraction | None = None
    model: Fraction | None = None
    baseline: Fraction | None = None
    n: int = 0
    lost: int = 0
    errored: int = 0
    typical_s: Fraction | None = None


def measure(scope: Scope, results: Mapping[CaseKey, CaseResult], run: RunInfo) -> Measurement:
    """The measurement of one criterion; exact, and independent of any order."""
    arms = (Arm.MODEL, Arm.BASELINE) if scope.compares else (Arm.MODEL,)
    rows = [
        [results[key].of(arm, items) for arm in arms] for key, items in scope.items.items() if key in results
    ]
    if scope.metric.passed is not None:
        return _passes(scope, rows)
    lost = _lost(scope.metric, rows, arms, run)
    samples = [found for row in rows if all(found := _samples(scope.metric, row))]
    if not samples:
        return Measurement(lost=lost)
    return _combined(scope, samples, lost)


def _passes(scope: Scope, rows: Sequence[Sequence[Sequence[Trial]]]) -> Measurement:
    """Shares of passes; an errored trial counts against shipping: for `at_most`, a pass of the model does."""
    assert scope.metric.passed is not None
    harmful = scope.criterion.bound == "at_most"
    values = []
    for row in rows:
        shares = [
            share_passed(trials, scope.metric.passed, error=harmful if arm == 0 else not harmful)
            for arm, trials in enumerate(row)
        ]
        known = [share for share in shares if share is not None]
        if len(known) == len(row):
            values.append(known)
    if not values:
        return Measurement()
    model, *baseline = (mean(column) for column in zip(*values, strict=True))
    observed = model - baseline[0] if baseline else model
    return Measurement(
        observed=observed,
        model=model,
        baseline=baseline[0] if baseline else None,
        n=len(values),
        errored=sum(
            any(trial.outcome is Outcome.ERRORED for trials in row for trial in trials) for row in rows
        ),
    )


def _lost(
    metric: Metric, rows: Sequence[Sequence[Sequence[Trial]]], arms: Sequence[Arm], run: RunInfo
) -> int:
    if metric.counts == "calls" and any(_is_recorded(arm, run) for arm in arms):
        return 0  # nothing is ever measured here, so an error takes nothing away
    return sum(_is_lost(metric, trial) for row in rows for trials in row for trial in trials)


def _is_recorded(arm: Arm, run: RunInfo) -> bool:
    return run.mode == "recorded" or run.models.get(arm, {}).get("kind") == "recorded"


def _is_lost(metric: Metric, trial: Trial) -> bool:
    return trial.outcome is Outcome.ERRORED and metric.is_lost(trial)


def _samples(metric: Metric, row: Sequence[Sequence[Trial]]) -> list[Sequence[Sample]]:
    """What each arm gives; calls are compared only where they were measured on both arms."""
    kept = [[trial for trial in trials if not _is_lost(metric, trial)] for trials in row]
    if metric.counts == "calls" and len(kept) > 1:
        measured = [{trial.key[3:] for trial in trials if metric.take([trial])} for trials in kept]
        both = set.intersection(*measured)
        kept = [[trial for trial in trials if trial.key[3:] in both] for trials in kept]
    return [metric.take(trials) for trials in kept]


def _combined(scope: Scope, samples: Sequence[Sequence[Sequence[Sample]]], lost: int) -> Measurement:
    columns = [[sample for row in samples for sample in row[arm]] for arm in range(len(samples[0]))]
    found = _of_columns(scope, columns, len(samples), lost)
    if (scope.metric.counts, scope.metric.unit) != ("calls", "seconds"):
        return found
    medians = [nearest_rank(sorted(sample[0] for sample in column), 50) for column in columns]
    return replace(found, typical_s=min(medians))


def _of_columns(scope: Scope, columns: Sequence[Sequence[Sample]], cases: int, lost: int) -> Measurement:
    metric, compare = scope.metric, scope.criterion.compare
    n = min(map(len, columns)) if metric.counts == "calls" else cases
    if metric.paired:
        pairs = [(*model, *baseline) for model, baseline in zip(*columns, strict=True)]
        return Measurement(observed=metric.combine(pairs), n=n, lost=lost)
    model, *others = (metric.combine(column) for column in columns)
    if not others:
        return Measurement(observed=model, model=model, n=n, lost=lost)
    baseline = others[0]
    if compare == "delta":
        observed: Fraction | None = model - baseline
    else:
        observed = model / baseline if baseline else None
    return Measurement(observed=observed, model=model, baseline=baseline, n=n, lost=lost)

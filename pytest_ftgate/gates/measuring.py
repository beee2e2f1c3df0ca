"""What a criterion measures in the cases it reads: one exact number, its bounds, and what errors cost it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import calibrating
from pytest_ftgate.gates.estimates import Unbounded
from pytest_ftgate.gates.metrics import Metric, Voted
from pytest_ftgate.gates.samples import Row, Sample, Sampled
from pytest_ftgate.gates.selection import Scope
from pytest_ftgate.gates.strata import StratumRate
from pytest_ftgate.record.calibrations import Calibration
from pytest_ftgate.record.plan import CaseKey
from pytest_ftgate.record.runs import RunInfo
from pytest_ftgate.record.trials import Outcome, Trial
from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.stats.weighted_sums import Part, WeightedSumEstimate
from pytest_ftgate.summary.case_results import CaseResult, repeat_outcomes, total
from pytest_ftgate.summary.latencies import nearest_rank

#: The trials of one case, by arm.
Trials = Sequence[Sequence[Trial]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What was measured: `observed` is compared with the threshold, None if there is nothing.

    `estimate` bounds it. `model` and `baseline` are the numbers that a comparison is made of, `parts` the
    rates of groups of cases where there are several. `n` counts cases or calls; `lost` counts errored trials
    that took a value away, `errored` the cases in which an error counts as an outcome; then `spared` is the
    measurement if each of them counted for shipping. `typical_s` is the smallest median of an arm's times,
    None where no times are measured. `p_value`, two-sided, is that of two equal arms, for differences only.
    """

    observed: Fraction | None = None
    estimate: Estimate | Unbounded = field(default=Unbounded(why="nothing was measured"))
    model: Fraction | None = None
    baseline: Fraction | None = None
    parts: Mapping[str, StratumRate] = field(default_factory=dict)
    n: int = 0
    lost: int = 0
    errored: int = 0
    spared: Measurement | None = None
    typical_s: Fraction | None = None
    p_value: float | None = None
    #: What `observed` is made of, in words; without one, why there is none.
    detail: str = ""
    #: Of cases that people voted on: how many say something of the number, as ties do not of a preference.
    decided: int | None = None


def measure(scope: Scope, results: Mapping[CaseKey, CaseResult], run: RunInfo) -> Measurement:
    """The measurement of one criterion; exact, and independent of any order."""
    if scope.metric.voted is not None and scope.metric.calibrated:
        return _of_calibrations(scope, scope.metric.voted, run)
    if scope.metric.voted is not None:
        voted = [results[key] for key in scope.items if key in results]
        return _of_votes(scope, scope.metric.voted, voted)
    arms = (Arm.MODEL, Arm.BASELINE) if scope.compares else (Arm.MODEL,)
    rows = {
        key: [results[key].of(arm, items) for arm in arms]
        for key, items in scope.items.items()
        if key in results
    }
    if scope.metric.passed is not None:
        return _passes(scope, rows)
    lost = _lost(scope.metric, list(rows.values()), arms, run)
    samples = [found for row in rows.values() if all(found := _samples(scope.metric, row))]
    return _combined(scope, samples, lost) if samples else Measurement(lost=lost)


def _of_votes(scope: Scope, voted: Voted, results: Sequence[CaseResult]) -> Measurement:
    """One number of what people said; votes on an answer that did not arrive are lost."""
    rows = [[found] for result in results if (found := voted.of_case(result.votes.choices))]
    lost = sum(result.votes.is_lost for result in results)
    samples = [sample for row in rows for sample in row[0]]
    observed = voted.number(samples) if rows else None
    if observed is None:
        some = any(result.votes.counted for result in results)
        return Measurement(n=len(rows), lost=lost, detail=voted.too_few if some and not rows else "")
    return Measurement(
        observed=observed,
        estimate=scope.metric.estimator(_sampled(scope, rows)),
        n=len(rows),
        lost=lost,
        detail=voted.detail(samples),
        decided=voted.decided(samples),
    )


def _of_calibrations(scope: Scope, voted: Voted, run: RunInfo) -> Measurement:
    """The least agreement of all calibrations of this run's judges; a check without one leaves it open."""
    found = calibrating.applicable(run)
    if not found:
        return Measurement()
    open_checks = len(calibrating.uncovered(run))
    measured = [_of_calibration(scope, voted, one, open_checks) for one in found]
    undefined = [one for one in measured if one.observed is None]
    return undefined[0] if undefined else min(measured, key=lambda one: (one.observed, one.n))


def _of_calibration(scope: Scope, voted: Voted, one: Calibration, open_checks: int) -> Measurement:
    samples = calibrating.samples_of(one)
    found = Measurement(n=len(samples), lost=one.errors + open_checks, detail=_left_open(one, open_checks))
    observed = voted.number(samples) if samples else None
    if observed is None:
        return found
    estimate = scope.metric.estimator(_sampled(scope, [[[sample]] for sample in samples]))
    return replace(found, observed=observed, estimate=estimate)


def _left_open(one: Calibration, open_checks: int) -> str:
    """What a calibration does not say: of answers without a judgement, and of other checks."""
    answers = "1 labelled answer was" if one.errors == 1 else f"{one.errors} labelled answers were"
    checks = "1 check of the judges is" if open_checks == 1 else f"{open_checks} checks of the judges are"
    lacks = [f"{answers} not judged"] * bool(one.errors) + [f"{checks} not calibrated"] * bool(open_checks)
    return ", ".join(lacks)


def _passes(scope: Scope, rows: Mapping[CaseKey, Trials]) -> Measurement:
    """Shares of passes; what errors count as decides, and the other way round they must not do better."""
    errored = sum(
        any(trial.outcome is Outcome.ERRORED for trials in row for trial in trials) for row in rows.values()
    )
    spared = _rates(scope, rows, errors_harm=False) if errored else None
    return replace(_rates(scope, rows, errors_harm=True), errored=errored, spared=spared)


def _rates(scope: Scope, rows: Mapping[CaseKey, Trials], *, errors_harm: bool) -> Measurement:
    """Rates by group of cases; the whole is the groups' rates times their weights, added up."""
    values: dict[str, list[Row]] = {}
    for key, row in rows.items():
        shares = [
            _share(scope, scope.strata_of[key], arm, trials, errors_harm=errors_harm)
            for arm, trials in enumerate(row)
        ]
        known = tuple(_sample(share) for share in shares if share is not None)
        if len(known) == len(row):
            values.setdefault(scope.strata_of[key], []).append(known)
    if values.keys() != scope.strata.keys():
        return Measurement(n=sum(map(len, values.values())))
    groups = {key: _sampled(scope, values[key]) for key in scope.strata}
    rates = {key: group.combined() for key, group in groups.items()}
    weights = {key: stratum.weight for key, stratum in scope.strata.items()}
    observed = {key: rate.observed or Fraction(0) for key, rate in rates.items()}
    model = {key: rate.model or Fraction(0) for key, rate in rates.items()}
    baseline = {key: rate.baseline or Fraction(0) for key, rate in rates.items()}
    return Measurement(
        observed=_weighted(observed, weights),
        estimate=_sum_estimate(scope.metric, groups, observed, weights),
        model=_weighted(model, weights),
        baseline=_weighted(baseline, weights) if scope.compares else None,
        parts={key: StratumRate(rate=model[key], n=len(values[key])) for key in groups},
        n=sum(map(len, values.values())),
        p_value=_p_value(scope, next(iter(groups.values()))) if len(groups) == 1 else None,
    )


@lru_cache(maxsize=4096)
def _sample(share: Fraction) -> Sequence[Sample]:
    """What one case gives on one arm; one object for all cases with this share."""
    return ((share,),)


def _p_value(scope: Scope, sampled: Sampled) -> float | None:
    test = scope.metric.test
    return test(sampled) if test and scope.criterion.compare == "delta" else None


def _share(
    scope: Scope, stratum: str, arm: int, trials: Sequence[Trial], *, errors_harm: bool
) -> Fraction | None:
    """One case's value on one arm. With `errors_harm` an errored trial counts against shipping.

    For `at_most`, and for groups that are taken off, it is a pass of the model's that does harm.
    """
    assert scope.metric.passed is not None
    pass_harms = (scope.criterion.bound == "at_most") is (scope.strata[stratum].weight > 0)
    passed = pass_harms is errors_harm
    outcomes = repeat_outcomes(trials, scope.metric.passed, error=passed if arm == 0 else not passed)
    return scope.metric.of_repeats(sum(outcomes), len(outcomes)) if outcomes else None


def _sampled(scope: Scope, rows: Sequence[Row]) -> Sampled:
    metric = scope.metric
    return Sampled(rows=rows, compare=scope.criterion.compare, combine=metric.combine, paired=metric.paired)


def _weighted(values: Mapping[str, Fraction], weights: Mapping[str, Fraction]) -> Fraction:
    return total(value * weights[key] for key, value in values.items())


def _sum_estimate(
    metric: Metric,
    groups: Mapping[str, Sampled],
    observed: Mapping[str, Fraction],
    weights: Mapping[str, Fraction],
) -> Estimate | Unbounded:
    estimates = {key: metric.estimator(group) for key, group in groups.items()}
    if len(estimates) == 1:
        return next(iter(estimates.values()))
    parts = []
    for key, estimate in estimates.items():
        if isinstance(estimate, Unbounded):
            return estimate
        parts.append(Part(weight=float(weights[key]), value=float(observed[key]), estimate=estimate))
    return WeightedSumEstimate(parts=parts)


def _lost(metric: Metric, rows: Sequence[Trials], arms: Sequence[Arm], run: RunInfo) -> int:
    if metric.counts == "calls" and any(_is_recorded(arm, run) for arm in arms):
        return 0  # nothing is ever measured here, so an error takes nothing away
    return sum(_is_lost(metric, trial) for row in rows for trials in row for trial in trials)


def _is_recorded(arm: Arm, run: RunInfo) -> bool:
    return run.mode == "recorded" or run.models.get(arm, {}).get("kind") == "recorded"


def _is_lost(metric: Metric, trial: Trial) -> bool:
    return trial.outcome is Outcome.ERRORED and metric.is_lost(trial)


def _samples(metric: Metric, row: Trials) -> list[Sequence[Sample]]:
    """What each arm gives; calls are compared only where they were measured on both arms."""
    kept = [[trial for trial in trials if not _is_lost(metric, trial)] for trials in row]
    if metric.counts == "calls":
        measured = [{trial.key[3:] for trial in trials if metric.take([trial])} for trials in kept]
        both = set.intersection(*measured)
        kept = [[trial for trial in trials if trial.key[3:] in both] for trials in kept]
    return [metric.take(trials) for trials in kept]


def _combined(scope: Scope, rows: Sequence[Row], lost: int) -> Measurement:
    metric, sampled = scope.metric, _sampled(scope, rows)
    columns = sampled.columns
    combined = sampled.combined()
    by_call = metric.counts == "calls"
    return Measurement(
        observed=combined.observed,
        estimate=Unbounded(why="there is no ratio")
        if combined.observed is None
        else metric.estimator(sampled),
        model=combined.model,
        baseline=combined.baseline,
        n=min(map(len, columns)) if by_call else len(rows),
        lost=lost,
        typical_s=min(map(_median, columns)) if by_call and metric.unit == "seconds" else None,
        p_value=_p_value(scope, sampled),
    )


def _median(column: Sequence[Sample]) -> Fraction:
    return nearest_rank(sorted((sample[0] for sample in column), key=float), 50)

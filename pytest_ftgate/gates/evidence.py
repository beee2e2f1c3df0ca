"""From bounds to GO, NO-GO or INCONCLUSIVE: what the evidence shows beyond the estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.gates.criteria import Criterion, Status
from pytest_ftgate.gates.metrics import Metric
from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.stats.multiplicity import holm


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How sure a decision has to be.

    Each bound holds with `confidence`, 0…1. Of the `tests` parts of a `per:` criterion one or the other
    misses its threshold by chance; `miss_p` is this part's p-value with that taken into account (Holm).
    """

    confidence: float
    tests: int = 1
    miss_p: float | None = None


def shown(criterion: Criterion, observed: Fraction, estimate: Estimate, level: Level) -> Status:
    """What the bounds show; never GO where the estimate misses the threshold, nor NO-GO where it meets it."""
    if criterion.is_met_by(observed):
        reached = _bound_meets(criterion, near_bound(criterion, observed, estimate, level))
        return Status.GO if reached else Status.INCONCLUSIVE
    return Status.NO_GO if _misses(criterion, observed, estimate, level) else Status.INCONCLUSIVE


def near_bound(criterion: Criterion, observed: Fraction, estimate: Estimate, level: Level) -> float:
    """The one-sided bound on the threshold's side of what was observed."""
    return (estimate.lower if looks_down(criterion, observed) else estimate.upper)(level.confidence)


def looks_down(criterion: Criterion, observed: Fraction) -> bool:
    """Whether the threshold lies below what was observed: then the lower bound decides."""
    return criterion.is_met_by(observed) is (criterion.bound == "at_least")


def by_chance(criterion: Criterion, observed: Fraction, estimate: Estimate, level: Level) -> bool:
    """Where nothing is shown: whether the bound misses the threshold, only not so far among so many parts."""
    reached = _bound_meets(criterion, near_bound(criterion, observed, estimate, level))
    return not criterion.is_met_by(observed) and not reached


def miss_p(criterion: Criterion, estimate: Estimate) -> float:
    """The p-value of a truth that meets the threshold."""
    threshold = float(criterion.threshold)
    return estimate.p_below(threshold) if criterion.bound == "at_least" else estimate.p_above(threshold)


def levels(confidence: Fraction, p_values: Sequence[float]) -> list[Level]:
    """The level of each part of one `per:` criterion, from the p-values of their misses."""
    if len(p_values) == 1:
        return [Level(confidence=float(confidence))]
    return [
        Level(confidence=float(confidence), tests=len(p_values), miss_p=adjusted)
        for adjusted in holm(p_values)
    ]


def is_extreme(criterion: Criterion, metric: Metric) -> bool:
    """Whether the threshold is the end of the scale, which no number of cases shows to be reached.

    Then the estimate decides, whatever evidence was asked for: 100 % of the cases must pass, or none may.
    """
    if metric.unit != "rate" or criterion.compare == "ratio":
        return False
    least = -1 if criterion.compare == "delta" or metric.split.contrast else 0
    return criterion.threshold == (1 if criterion.bound == "at_least" else least)


def _misses(criterion: Criterion, observed: Fraction, estimate: Estimate, level: Level) -> bool:
    if level.miss_p is not None:
        return level.miss_p <= 1 - level.confidence
    return not _bound_meets(criterion, near_bound(criterion, observed, estimate, level))


def _bound_meets(criterion: Criterion, bound: float) -> bool:
    threshold = float(criterion.threshold)
    return bound >= threshold if criterion.bound == "at_least" else bound <= threshold

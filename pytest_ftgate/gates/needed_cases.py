"""How many more cases would decide an open criterion, in words; what was seen is taken for the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache, singledispatch

from pytest_ftgate.gates.criteria import Criterion
from pytest_ftgate.gates.evidence import Level, near_bound
from pytest_ftgate.gates.measuring import Measurement
from pytest_ftgate.gates.metrics import Metric
from pytest_ftgate.gates.thresholds import percent_text, points_text
from pytest_ftgate.stats import difference_power, few_changes, rate_power
from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.stats.few_changes import FewChangesEstimate
from pytest_ftgate.stats.paired_passes import PairedEstimate
from pytest_ftgate.stats.ranks import RankComparison, RankEstimate
from pytest_ftgate.stats.rates import RateEstimate
from pytest_ftgate.stats.unseen import UnseenEstimate

#: Beyond so many cases the rule of thumb is as good as the exact count, and much quicker.
_EXACT_RATES_UP_TO, _EXACT_DIFFERENCES_UP_TO = 20_000, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """An open question: `n` cases, what was seen, its bound at this confidence, and the threshold."""

    n: int
    value: float
    bound: float
    threshold: float
    at_least: bool
    confidence: float


def what_decides(
    criterion: Criterion, metric: Metric, found: Measurement, estimate: Estimate, level: Level
) -> str:
    """What would decide it: `about 140 more cases would decide`, or why no number of cases does."""
    assert found.observed is not None
    if out_of_reach := _no_room(criterion, metric, found):
        return out_of_reach
    if found.observed == criterion.threshold:
        return f"exactly at the threshold, which no number of {metric.noun} decides"
    if math.isinf(near_bound(criterion, found.observed, estimate, level)):
        return _unbounded(estimate, found.n, level.confidence)
    needed = _needed(found.observed, criterion, found.n, estimate, level)
    if needed is None or needed > rate_power.MOST_CASES:
        return f"so near the threshold that no realistic number of {metric.noun} decides"
    more = _rounded(max(needed - found.n, 1))
    noun = metric.noun if more > 1 else metric.noun.removesuffix("s")
    return f"about {more} more {noun} would decide"


def _needed(observed: Fraction, criterion: Criterion, n: int, estimate: Estimate, level: Level) -> int | None:
    # On the side of misses, Holm's correction is at most Bonferroni's.
    miss = 1 - (1 - level.confidence) / level.tests
    question = _Open(
        n=n,
        value=float(observed),
        bound=near_bound(criterion, observed, estimate, level),
        threshold=float(criterion.threshold),
        at_least=criterion.bound == "at_least",
        confidence=level.confidence if criterion.is_met_by(observed) else miss,
    )
    rough = _by_scaling(question, level.confidence)
    return rough if rough is None else _cases(estimate, question, rough)


def _unbounded(estimate: Estimate, n: int, confidence: float) -> str:
    """What it takes to bound it at all."""
    if not isinstance(estimate, RankEstimate | RankComparison):
        return "nothing bounds it"
    more = max(estimate.values_to_bound(confidence) - n, 1)
    return f"it takes at least {more} more {'call' if more == 1 else 'calls'}"


def _by_scaling(question: _Open, confidence: float) -> int | None:
    return difference_power.cases_by_scaling(
        question.n,
        value=question.value,
        bound=question.bound,
        threshold=question.threshold,
        confidence=confidence,
    )


@singledispatch
def _cases(_: Estimate, __: _Open, rough: int) -> int | None:
    """The number of cases by the form of the estimate; for most forms only a rule of thumb is known."""
    return rough


@_cases.register
def _(_: RateEstimate, question: _Open, rough: int) -> int | None:
    if rough > _EXACT_RATES_UP_TO:
        return rough
    rate, threshold = question.value, question.threshold
    if not question.at_least:
        rate, threshold = 1 - rate, 1 - threshold
    found = rate_power.cases_to_decide(rate, threshold, question.confidence)
    return found.cases if found else None


@_cases.register
def _(estimate: PairedEstimate, question: _Open, rough: int) -> int | None:
    if rough > _EXACT_DIFFERENCES_UP_TO:
        return rough
    if question.at_least:
        return _pairs(estimate, question.threshold, question.confidence)
    turned = PairedEstimate(wins=estimate.losses, losses=estimate.wins, n=estimate.n)
    return _pairs(turned, -question.threshold, question.confidence)


@_cases.register
def _(estimate: FewChangesEstimate, question: _Open, rough: int) -> int | None:
    seen = replace(estimate, value=question.value)  # the exact mean: another rounding may hit the threshold
    return min(rough, few_changes.cases_to_decide(seen, question.threshold, question.confidence))


@_cases.register
def _(estimate: UnseenEstimate, question: _Open, _: int) -> int | None:
    side = estimate.seen.lower if question.value > question.threshold else estimate.seen.upper
    resampled = _by_scaling(replace(question, bound=side(question.confidence)), question.confidence)
    unseen = estimate.least_cases(question.threshold, question.confidence)
    return None if resampled is None else max(resampled, unseen)


# Small categories have the same few outcomes again and again, and each takes some milliseconds.
@lru_cache(maxsize=1024)
def _pairs(seen: PairedEstimate, at_least: float, confidence: float) -> int | None:
    found = difference_power.cases_to_decide(
        wins=seen.wins / seen.n, losses=seen.losses / seen.n, at_least=at_least, confidence=confidence
    )
    return found.cases if found else None


def _no_room(criterion: Criterion, metric: Metric, found: Measurement) -> str | None:
    """Why a rise can't be shown at all: a rate of 97 % can't rise by 5 points."""
    if criterion.compare != "delta" or criterion.bound != "at_least" or metric.unit != "rate":
        return None
    if found.baseline is None or 1 - found.baseline >= criterion.threshold:
        return None
    room = (
        f"room for {points_text(1 - found.baseline)} points only"
        if found.baseline < 1
        else "no room for a rise"
    )
    return f"a baseline at {percent_text(found.baseline)} leaves {room}, so it can't be met"


def _rounded(cases: int) -> int:
    """Up to two digits that count: more would promise too much."""
    step = int(10 ** max(math.floor(math.log10(cases)) - 1, 0))
    return math.ceil(cases / step) * step

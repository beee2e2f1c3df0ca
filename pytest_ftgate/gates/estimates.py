"""What the samples of a metric show of the truth: one estimator for each form that a metric may have.

Metrics name their estimator. Those that resample load numpy when they are called, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from pytest_ftgate.gates.samples import Sampled, mean_of
from pytest_ftgate.stats.estimates import Estimate, interval
from pytest_ftgate.stats.ranks import RankEstimate, compared_percentile
from pytest_ftgate.stats.rates import RateEstimate
from pytest_ftgate.stats.unseen import with_unseen
from pytest_ftgate.summary.amounts import ENOUGH, amount_estimate, amount_ratio
from pytest_ftgate.summary.estimating import SEED, change_estimate, change_p, rate_estimate
from pytest_ftgate.summary.latencies import enough_calls

if TYPE_CHECKING:  # loads numpy
    from pytest_ftgate.stats.totals import Formula

Score = Literal["bleu", "chrf", "perplexity"]

#: Bounds near the ends of all resamples (200 or more), and how near each other if those are alike.
_NEARLY_SURE, _ALIKE = 0.99, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbounded:
    """No bound can be told, and why; `flagged` if the number itself says little, whatever the evidence."""

    why: str
    flagged: bool = False


Estimator = Callable[[Sampled], Estimate | Unbounded]
#: The two-sided p-value, 0…1, of two equal arms.
Test = Callable[[Sampled], float]


def graded(sampled: Sampled) -> Estimate | Unbounded:
    """Of values in 0…1, one a case: Wilson and Tango where all are 0 or 1, else by resampling cases."""
    model, *baseline = (_values(sampled, arm) for arm in range(len(sampled.rows[0])))
    return change_estimate(list(zip(model, *baseline, strict=True))) if baseline else rate_estimate(model)


def graded_p(sampled: Sampled) -> float:
    """Of values in 0…1 of both arms: the exact McNemar test where all are 0 or 1, else flips of signs."""
    return change_p(list(zip(_values(sampled, 0), _values(sampled, 1), strict=True)))


def wins(sampled: Sampled) -> Estimate | Unbounded:
    """Of wins of all pairs: Wilson."""
    pairs = zip(_values(sampled, 0), _values(sampled, 1), strict=True)
    return RateEstimate(passed=sum(model > baseline for model, baseline in pairs), n=len(sampled.rows))


def amounts(sampled: Sampled) -> Estimate | Unbounded:
    """Of means of values without an upper end, one a case: BCa; for ratios, by percentiles."""
    if few := _too_few(len(sampled.rows), "cases"):
        return few
    model, *baseline = (_values(sampled, arm) for arm in range(len(sampled.rows[0])))
    if not baseline:
        return amount_estimate(model)
    if sampled.compare == "ratio":
        return amount_ratio(model, baseline[0]) or Unbounded(why="the baseline may be 0")
    return amount_estimate([ours - theirs for ours, theirs in zip(model, baseline[0], strict=True)])


def totals(sampled: Sampled, score: Score) -> Estimate | Unbounded:
    """Of a score of all cases' summed statistics: paired bootstrap by case; nothing is scored anew."""
    if few := _too_few(len(sampled.rows), "cases"):
        return few
    from pytest_ftgate.stats import totals as stats  # noqa: PLC0415  (loads numpy)

    formula = _formula(score)
    model, *baseline = _statistics(sampled)
    if not baseline:
        found = stats.total_estimate(formula, model, seed=SEED)
        return found if score == "perplexity" else _on_a_scale(found, sampled)
    compare: Literal["delta", "ratio"] = "ratio" if sampled.compare == "ratio" else "delta"
    compared = stats.compared_estimate(formula, model, baseline[0], compare=compare, seed=SEED)
    if compared is None:
        return Unbounded(why="the baseline may be 0")
    return compared if score == "perplexity" else _on_a_scale(compared, sampled)


def totals_p(sampled: Sampled, score: Score) -> float:
    """Of a score of all cases' summed statistics: approximate randomization by case."""
    from pytest_ftgate.stats import totals as stats  # noqa: PLC0415  (loads numpy)

    model, baseline = _statistics(sampled)
    return stats.randomization_p(_formula(score), model, baseline, seed=SEED)


def percentile(sampled: Sampled, percent: int) -> Estimate | Unbounded:
    """Of a percentile of calls, or of two arms' ratio or difference: by ranks.

    Of conversations that took more calls on one arm, the bounds use the calls that both made.
    """
    calls = [call for row in sampled.rows for call in zip(*row, strict=False)]
    if len(calls) < enough_calls(percent):
        why = f"p{percent} of fewer than {enough_calls(percent)} calls is just their largest"
        return Unbounded(why=why, flagged=True)
    if few := _too_few(len(calls), "calls"):
        return few
    model, *baseline = ([float(sample[0]) for sample in column] for column in zip(*calls, strict=True))
    if not baseline:
        return RankEstimate(ordered=sorted(model), percent=percent)
    compare: Literal["delta", "ratio"] = "ratio" if sampled.compare == "ratio" else "delta"
    if compare == "ratio" and not (all(model) and all(baseline[0])):
        arm = "model" if all(baseline[0]) else "baseline"
        return Unbounded(why=f"a call of the {arm} took no time at all")
    return compared_percentile(model, baseline[0], percent, compare)


def by_resampling(sampled: Sampled) -> Estimate | Unbounded:
    """Of any metric, by its own `combine`: bootstrap by case, for metrics that say nothing of their form."""
    one_each = all(len(samples) == 1 for row in sampled.rows for samples in row)
    if sampled.combine is mean_of and one_each and not sampled.paired:
        return amounts(sampled)
    if few := _too_few(len(sampled.rows), "cases"):
        return few
    from pytest_ftgate.stats.any_statistic import statistic_estimate  # noqa: PLC0415  (loads numpy)

    found = statistic_estimate(lambda drawn: _number(sampled, drawn), len(sampled.rows), seed=SEED)
    return found or Unbounded(why="so many cases are too slow to resample for a metric without `estimate`")


def rate_by_resampling(sampled: Sampled) -> Estimate | Unbounded:
    """Of a metric in 0…1 that says nothing of its form: as graded values where it is their mean."""
    values = [sample[0] for row in sampled.rows for samples in row for sample in samples]
    one_each = all(len(samples) == 1 for row in sampled.rows for samples in row)
    is_mean = sampled.combine is mean_of and not sampled.paired and sampled.compare != "ratio"
    if is_mean and one_each and all(0 <= value <= 1 for value in values):
        return graded(sampled)
    found = by_resampling(sampled)
    return found if isinstance(found, Unbounded) else _on_a_scale(found, sampled)


def _on_a_scale(found: Estimate, sampled: Sampled) -> Estimate:
    """Of a number in 0…1: no surer than as many passes. Of a difference of two: where resamples are alike."""
    observed = sampled.combined().observed
    least, most = (-1.0 if sampled.compare == "delta" else 0.0), 1.0
    if observed is None or not least <= observed <= most:
        return found
    low, high = interval(found, _NEARLY_SURE)
    if sampled.compare == "delta" and high - low > _ALIKE:
        return found
    return with_unseen(found, value=float(observed), n=len(sampled.rows), least=least, most=most)


def _formula(score: Score) -> Formula:
    from pytest_ftgate.stats import totals as stats  # noqa: PLC0415  (loads numpy)

    return {"bleu": stats.bleu, "chrf": stats.chrf, "perplexity": stats.perplexity}[score]


def _statistics(sampled: Sampled) -> list[list[list[float]]]:
    return [[list(map(float, sample)) for sample in column] for column in sampled.columns]


def _number(sampled: Sampled, drawn: Sequence[int]) -> float | None:
    observed = sampled.combined([sampled.rows[case] for case in drawn]).observed
    return None if observed is None else float(observed)


def _values(sampled: Sampled, arm: int) -> list[Fraction]:
    return [row[arm][0][0] for row in sampled.rows]


def _too_few(n: int, what: str) -> Unbounded | None:
    return Unbounded(why=f"{n} {what if n != 1 else what[:-1]} can't be resampled") if n < ENOUGH else None

"""What the values of cases show of the truth: the estimates of rates and differences, by case.

Passes and failures need the standard library only; graded and repeated values are resampled, which loads
numpy where it is needed and not before. The same values in the same order give the same bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.stats.paired_passes import PairedEstimate, mcnemar_p
from pytest_ftgate.stats.rates import RateEstimate

#: Of every resampling, in every run: the same trials give the same bounds. It stands in the reports.
SEED = 20_250_601
#: Cases drawn in one resampling, over all its resamples: a fraction of a second.
_MOST_DRAWS = 5_000_000
#: So many have one beyond the surest bound that a gate may ask for, 99.9 %.
_LEAST_RESAMPLES = 1000

#: The values of one case: of the model, of the baseline.
Pair = tuple[Fraction, Fraction]


def resamples(n: int, most: int) -> int:
    """How many resamples of `n` cases: fewer of very many, whose bounds lie close together anyway."""
    return min(most, max(_LEAST_RESAMPLES, _MOST_DRAWS // n))


def rate_estimate(values: Sequence[Fraction]) -> Estimate:
    """Of the mean of values in 0…1, at least one: Wilson for passes, by resampling for shares between."""
    if all(value.denominator == 1 for value in values):
        return RateEstimate(passed=sum(value.numerator for value in values), n=len(values))
    return _graded_mean(tuple(map(float, values)))


def change_estimate(pairs: Sequence[Pair]) -> Estimate:
    """Of the mean difference, model minus baseline, -1…1: Tango for passes, else by resampling.

    There is at least one pair.
    """
    if _all_whole(pairs):
        return PairedEstimate(wins=gained(pairs), losses=lost(pairs), n=len(pairs))
    return _graded_difference(_differences(pairs))


def change_p(pairs: Sequence[Pair]) -> float:
    """The two-sided p-value of no difference: exact McNemar for passes, else flips of signs by case."""
    if _all_whole(pairs):
        return mcnemar_p(gained(pairs), lost(pairs))
    return _sign_flip_p(_differences(pairs))


def gained(pairs: Sequence[Pair]) -> int:
    """The cases on which the model is better."""
    return sum(_is_less(baseline, model) for model, baseline in pairs)


def lost(pairs: Sequence[Pair]) -> int:
    """The cases on which the baseline is better."""
    return sum(_is_less(model, baseline) for model, baseline in pairs)


def _is_less(one: Fraction, other: Fraction) -> bool:
    # Denominators are positive; comparing fractions as such takes five times as long.
    return one.numerator * other.denominator < other.numerator * one.denominator


def _all_whole(pairs: Sequence[Pair]) -> bool:
    return all(model.denominator == 1 == baseline.denominator for model, baseline in pairs)


def _differences(pairs: Sequence[Pair]) -> tuple[float, ...]:
    return tuple(float(model - baseline) for model, baseline in pairs)


# The table, the gate and the reports ask for the same few: a handful is kept.
@lru_cache(maxsize=16)
def _graded_mean(values: tuple[float, ...]) -> Estimate:
    from pytest_ftgate.stats.bootstrap import RESAMPLES  # noqa: PLC0415  (loads numpy)
    from pytest_ftgate.stats.means import mean_estimate  # noqa: PLC0415  (loads numpy)

    return mean_estimate(values, seed=SEED, resamples=resamples(len(values), RESAMPLES))


@lru_cache(maxsize=16)
def _graded_difference(values: tuple[float, ...]) -> Estimate:
    from pytest_ftgate.stats.bootstrap import RESAMPLES  # noqa: PLC0415  (loads numpy)
    from pytest_ftgate.stats.means import difference_estimate  # noqa: PLC0415  (loads numpy)

    return difference_estimate(values, seed=SEED, resamples=resamples(len(values), RESAMPLES))


@lru_cache(maxsize=16)
def _sign_flip_p(values: tuple[float, ...]) -> float:
    from pytest_ftgate.stats.bootstrap import RESAMPLES  # noqa: PLC0415  (loads numpy)
    from pytest_ftgate.stats.means import sign_flip_p  # noqa: PLC0415  (loads numpy)

    return sign_flip_p(values, seed=SEED, resamples=resamples(len(values), RESAMPLES))

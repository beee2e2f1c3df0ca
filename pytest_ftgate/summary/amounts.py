"""What answers are made of in amounts, tokens and money: means by case, and what they show of the truth.

Amounts have no upper end, so there is nothing but resampling to bound them. Loads numpy where bounds are
asked for, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from pytest_ftgate.record.trials import Trial
from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.summary.case_results import exact, mean
from pytest_ftgate.summary.estimating import SEED, resamples

#: Fewer values than this are not resampled: their resamples are too much alike.
ENOUGH = 5

Amount = Callable[[Trial], float | None]


def output_tokens(trial: Trial) -> float | None:
    """The tokens of an answer; None where the endpoint did not say."""
    return trial.completion.usage.output_tokens if trial.completion else None


def cost(trial: Trial) -> float | None:
    """What an answer cost; None without a price."""
    return trial.completion.cost if trial.completion else None


def mean_amount(trials: Iterable[Trial], amount: Amount) -> Fraction | None:
    """The exact mean over the trials of one case and arm that have one; None if none has."""
    found = [exact(value) for trial in trials if (value := amount(trial)) is not None]
    return mean(found) if found else None


def amount_estimate(values: Sequence[Fraction]) -> Estimate:
    """Of a mean by case, by BCa bootstrap, in the unit of the values; at least five."""
    from pytest_ftgate.stats.bootstrap import RESAMPLES  # noqa: PLC0415  (loads numpy)
    from pytest_ftgate.stats.means import bca_mean  # noqa: PLC0415  (loads numpy)

    floats = list(map(float, values))
    return bca_mean(floats, seed=SEED, resamples=resamples(len(floats), RESAMPLES))


def amount_ratio(model: Sequence[Fraction], baseline: Sequence[Fraction]) -> Estimate | None:
    """Of the ratio of two means, model to baseline, of the same cases; None if the baseline may be 0."""
    from pytest_ftgate.stats import totals  # noqa: PLC0415  (loads numpy)

    ours, theirs = ([[float(value), 1.0] for value in side] for side in (model, baseline))
    return totals.compared_estimate(totals.mean, ours, theirs, compare="ratio", seed=SEED)

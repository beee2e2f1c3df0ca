"""Scores of a whole corpus from sums over its cases: paired bootstrap and approximate randomization.

Loads numpy. A case is a row of statistics; a formula makes one score of their sum. Nothing is scored anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_ftgate.stats.bootstrap import BootstrapEstimate, Floats, percentile_estimate, resample, swap

#: From rows of summed statistics to a score each.
Formula = Callable[[Floats], Floats]

RESAMPLES = 1000
ORDERS = 4
CHAR_ORDERS = 6
_BETA_SQUARED = 4  # chrF2: recall counts twice as much as precision
_MOST_NATS = 700.0  # exp of more than this is no float any more


def bleu(sums: Floats) -> Floats:
    """Corpus BLEU, 0…1, from rows of 4 counts, 4 totals, and the lengths of answers and references.

    Papineni et al. 2002 with the exponential smoothing of NIST's mteval-v13a (Chen and Cherry 2014, method
    3), as sacrebleu's `corpus_score` computes it by default.
    """
    counts, totals = sums[:, :ORDERS], sums[:, ORDERS : 2 * ORDERS]
    answered, wanted = sums[:, 2 * ORDERS], sums[:, 2 * ORDERS + 1]
    scored = counts.any(axis=1) & totals.all(axis=1)
    # Each order without a match counts half as much as the one before.
    smoothed = np.where(counts > 0, counts, 0.5 ** np.cumsum(counts == 0, axis=1))
    logs = np.log(smoothed / np.where(totals > 0, totals, 1)).mean(axis=1)
    brevity = np.minimum(0, 1 - wanted / np.where(answered > 0, answered, 1))
    return np.where(scored, np.minimum(np.exp(brevity + logs), 1), 0)


def chrf(sums: Floats) -> Floats:
    """Corpus chrF2, 0…1, from rows of [of the answers, of the references, shared] for each order.

    Popović 2015 with effective order, as sacrebleu's `corpus_score` computes it by default.
    """
    got, wanted, shared = (sums[:, start::3] for start in range(3))
    known = (got > 0) & (wanted > 0)
    orders = np.maximum(known.sum(axis=1), 1)
    precision, recall = (
        np.where(known, shared / np.where(known, whole, 1), 0).sum(axis=1) / orders for whole in (got, wanted)
    )
    below = _BETA_SQUARED * precision + recall
    scores: Floats = (1 + _BETA_SQUARED) * precision * recall / np.where(below > 0, below, 1)
    return scores


def perplexity(sums: Floats) -> Floats:
    """Perplexity from rows of [sum of log-probabilities, tokens]: exp of minus their mean, finite."""
    return np.exp(np.minimum(-sums[:, 0] / sums[:, 1], _MOST_NATS))


def mean(sums: Floats) -> Floats:
    """The mean from rows of [sum of values, cases]; for the ratio of two means."""
    return sums[:, 0] / sums[:, 1]


def total_estimate(
    formula: Formula, statistics: ArrayLike, *, seed: int, resamples: int = RESAMPLES
) -> BootstrapEstimate:
    """Bounds of one arm's score by percentile bootstrap; `statistics` has a row a case, at least one."""
    rows = np.asarray(statistics, dtype=np.float64)
    drawn = resample(len(rows), resamples, seed, lambda cases: formula(_times_drawn(cases) @ rows))
    return percentile_estimate(_score(formula, rows), drawn)


def compared_estimate(
    formula: Formula,
    model: ArrayLike,
    baseline: ArrayLike,
    *,
    compare: Literal["delta", "ratio"],
    seed: int,
    resamples: int = RESAMPLES,
) -> BootstrapEstimate | None:
    """Bounds of model - baseline or model / baseline by paired bootstrap (Koehn 2004, section 5).

    Both arms have the same cases in the same order. None for the ratio to a baseline that scores 0, also in
    a resample.
    """
    ours, theirs = (np.asarray(arm, dtype=np.float64) for arm in (model, baseline))

    def scores(cases: NDArray[np.intp]) -> Floats:
        times = _times_drawn(cases)
        return np.stack([formula(times @ ours), formula(times @ theirs)], axis=1)

    drawn = resample(len(ours), resamples, seed, scores)
    observed = np.array([[_score(formula, ours), _score(formula, theirs)]])
    if compare == "delta":
        return percentile_estimate(float(observed[0, 0] - observed[0, 1]), drawn[:, 0] - drawn[:, 1])
    if not (observed[0, 1] and drawn[:, 1].all()):
        return None
    return percentile_estimate(float(observed[0, 0] / observed[0, 1]), drawn[:, 0] / drawn[:, 1])


def randomization_p(
    formula: Formula, model: ArrayLike, baseline: ArrayLike, *, seed: int, resamples: int = RESAMPLES
) -> float:
    """The two-sided p-value, 0…1, of the arms being exchangeable in every case, by approximate randomization.

    Riezler and Maxwell 2005, figure 1: the share of exchanges that set the two scores as far apart.
    """
    ours, theirs = (np.asarray(arm, dtype=np.float64) for arm in (model, baseline))
    both = (ours + theirs).sum(axis=0)
    reached = abs(_score(formula, ours) - _score(formula, theirs)) - 1e-12

    def apart(coins: Floats) -> Floats:
        one = theirs.sum(axis=0) + coins @ (ours - theirs)
        return np.abs(formula(one) - formula(both - one))

    found = swap(len(ours), resamples, seed, apart)
    # Plus one on both sides: an observed split is itself one of the possible ones, so p is never 0.
    return (int((found >= reached).sum()) + 1) / (resamples + 1)


def _score(formula: Formula, rows: Floats) -> float:
    return float(formula(rows.sum(axis=0, keepdims=True))[0])


def _times_drawn(cases: NDArray[np.intp]) -> Floats:
    """How often each case was drawn, a row for each row of drawn cases."""
    rows, n = cases.shape
    flat = (cases + n * np.arange(rows)[:, None]).ravel()
    return np.bincount(flat, minlength=rows * n).reshape(rows, n).astype(np.float64)

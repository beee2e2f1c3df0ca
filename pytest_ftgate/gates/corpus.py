"""Corpus scores from summed sufficient statistics: BLEU, chrF, perplexity. Formulas on plain numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

ORDERS = 4
CHAR_ORDERS = 6
_BETA_SQUARED = 4  # chrF2: recall counts twice as much as precision
_MOST_NATS = 700.0  # exp of more than this is no float any more


def bleu(statistics: Sequence[Fraction]) -> float:
    """Corpus BLEU, 0…1, from 4 counts, 4 totals, and the lengths of the answers and of the references.

    Papineni et al. 2002 with the exponential smoothing of NIST's mteval-v13a (Chen and Cherry 2014, method
    3), as sacrebleu's `corpus_score` computes it by default.
    """
    counts, totals = statistics[:ORDERS], statistics[ORDERS : 2 * ORDERS]
    answered, wanted = statistics[2 * ORDERS :]
    if not any(counts) or not all(totals):
        return 0.0
    logs, smooth = 0.0, 1
    for count, whole in zip(counts, totals, strict=True):
        smooth = smooth if count else smooth * 2
        logs += math.log(count / whole if count else 1 / (smooth * whole))
    brevity = min(0.0, 1 - float(wanted / answered))
    return min(math.exp(brevity + logs / ORDERS), 1.0)


def chrf(statistics: Sequence[Fraction]) -> float:
    """Corpus chrF2, 0…1, from [of the answers, of the references, shared] for each order of characters.

    Popović 2015 with effective order, as sacrebleu's `corpus_score` computes it by default.
    """
    orders = [statistics[start : start + 3] for start in range(0, len(statistics), 3)]
    shares = [(shared / got, shared / wanted) for got, wanted, shared in orders if got and wanted]
    if not any(precision for precision, _ in shares):
        return 0.0
    precision = sum(share for share, _ in shares) / len(shares)
    recall = sum(share for _, share in shares) / len(shares)
    return float((1 + _BETA_SQUARED) * precision * recall / (_BETA_SQUARED * precision + recall))


def perplexity(logprob_sum: Fraction, tokens: Fraction) -> float:
    """Perplexity: exp of minus the mean log-probability of all tokens (Jelinek et al. 1977), finite."""
    return math.exp(min(-float(logprob_sum / tokens), _MOST_NATS))

"""From the scores of the next token to the token that is taken, and to log-probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .transformer import Floats

#: Dividing by less than this leaves only the likeliest token anyway, or overflows.
_GREEDY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to choose: temperature 0 takes the likeliest token; `top_p` leaves out the unlikely rest."""

    temperature: float = 1.0
    top_p: float = 1.0


def choose(scores: Floats, sampling: Sampling, random: np.random.Generator) -> int:
    """The id of the next token, never one with a score of -inf; of equals at temperature 0, the first."""
    if sampling.temperature < _GREEDY:
        return int(scores.argmax())
    weights = np.exp((scores.astype(np.float64) - scores.max()) / sampling.temperature)
    order = np.argsort(-weights, kind="stable")
    reached = np.cumsum(weights[order])
    # The likeliest tokens that together reach top_p.
    last = np.searchsorted(reached, sampling.top_p * reached[-1])
    drawn = np.searchsorted(reached, random.random() * reached[last], side="right")
    return int(order[min(drawn, last)])


def log_probabilities(scores: Floats) -> NDArray[np.float64]:
    """The natural logarithm of each token's probability at temperature 1."""
    shifted = scores.astype(np.float64) - scores.max()
    logarithms: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum())
    return logarithms


def likeliest(values: NDArray[np.float64], count: int) -> list[int]:
    """The ids of the `count` highest values, highest first."""
    return [int(token) for token in np.argsort(-values, kind="stable")[:count]]

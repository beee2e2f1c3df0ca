"""Choosing the next token."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_project.assistant.sampling import Sampling, choose, likeliest, log_probabilities

SCORES = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=30).map(
    lambda values: np.array(values, np.float64)
)
TEMPERATURES, TOP_PS, SEEDS = st.floats(0, 2), st.floats(0, 1, exclude_min=True), st.integers(0, 2**64 - 1)


@given(SCORES, TOP_PS, SEEDS)
def test_at_temperature_zero_the_highest_score_wins(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]], top_p: float, seed: int
) -> None:
    chosen = choose(scores, Sampling(temperature=0, top_p=top_p), np.random.default_rng(seed))

    assert chosen == int(np.argmax(scores))


@given(SCORES, TEMPERATURES, TOP_PS, SEEDS)
def test_equal_seeds_choose_equal_tokens(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]], temperature: float, top_p: float, seed: int
) -> None:
    sampling = Sampling(temperature=temperature, top_p=top_p)

    assert len({choose(scores, sampling, np.random.default_rng(seed)) for _ in range(2)}) == 1


@given(SCORES, st.floats(0.1, 2), TOP_PS, SEEDS)
def test_tokens_beyond_top_p_are_never_chosen(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]], temperature: float, top_p: float, seed: int
) -> None:
    chosen = choose(scores, Sampling(temperature=temperature, top_p=top_p), np.random.default_rng(seed))

    weights = np.exp((scores.astype(np.float64) - scores.max()) / temperature)
    likelier = weights[weights > weights[chosen]].sum() / weights.sum()
    assert likelier < top_p + 1e-9


@given(SCORES, TEMPERATURES, SEEDS, st.data())
def test_a_forbidden_token_is_never_chosen(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]], temperature: float, seed: int, data: st.DataObject
) -> None:
    forbidden = data.draw(st.sets(st.integers(0, len(scores) - 1), max_size=len(scores) - 1))
    scores[list(forbidden)] = -np.inf

    chosen = choose(scores, Sampling(temperature=temperature), np.random.default_rng(seed))

    assert chosen not in forbidden


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_chosen_as_often_as_they_are_likely(temperature: float) -> None:
    scores = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float64))
    random = np.random.default_rng(7)

    counts = np.bincount([choose(scores, Sampling(temperature=temperature), random) for _ in range(4000)])

    expected = np.exp(scores / temperature) / np.exp(scores / temperature).sum()
    np.testing.assert_allclose(counts / 4000, expected, atol=0.03)


@given(SCORES)
def test_probabilities_add_up_to_one(scores: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    assert np.exp(log_probabilities(scores)).sum() == pytest.approx(1)


def test_log_probabilities_are_natural_logarithms() -> None:
    found = log_probabilities(np.log(np.array([2, 6], np.float64)))

    assert found.tolist() == pytest.approx([np.log(0.25), np.log(0.75)])


def test_the_likeliest_come_first() -> None:
    assert likeliest(np.array([-3.0, -1.0, -2.0, -1.0]), 3) == [1, 3, 2]

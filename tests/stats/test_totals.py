"""Corpus scores and their comparison: sacrebleu's scores and its own significance tests."""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from pytest_ftgate.gates import corpus
from pytest_ftgate.scorers.translation import chrf_statistics
from pytest_ftgate.stats import totals
from pytest_ftgate.stats.bootstrap import Floats
from pytest_ftgate.stats.estimates import interval

WORDS = [
    "the",
    "model",
    "says",
    "that",
    "a",
    "small",
    "suite",
    "of",
    "cases",
    "lies",
    "more",
    "than",
    "it",
    "tells",
    "and",
    "we",
    "measure",
    "it",
]


def texts(seed: int, noise: float, size: int = 80) -> list[str]:
    """Sentences, the same for a seed, of which a share of words is another one."""
    plain, other = np.random.default_rng(1), np.random.default_rng(seed)
    made = []
    for _ in range(size):
        words = plain.choice(WORDS, size=plain.integers(5, 25))
        made.append(" ".join(str(other.choice(WORDS) if other.random() < noise else word) for word in words))
    return made


REFERENCES = texts(2, 0.0)
MODEL, BASELINE = texts(3, 0.25), texts(4, 0.32)


def bleu_rows(answers: list[str]) -> Floats:
    found = [
        BLEU(effective_order=True).sentence_score(answer, [reference])
        for answer, reference in zip(answers, REFERENCES, strict=True)
    ]
    return np.array([[*score.counts, *score.totals, score.sys_len, score.ref_len] for score in found], float)


def chrf_rows(answers: list[str]) -> Floats:
    pairs = zip(answers, REFERENCES, strict=True)
    return np.array([np.ravel(chrf_statistics(*pair)) for pair in pairs], float)


METRICS: dict[str, tuple[Any, Any, totals.Formula]] = {
    "BLEU": (BLEU, bleu_rows, totals.bleu),
    "chrF2": (CHRF, chrf_rows, totals.chrf),
}


def sacrebleu_p(name: str, test: str, monkeypatch: pytest.MonkeyPatch, samples: int) -> float:
    monkeypatch.setenv("SACREBLEU_SEED", "7")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paired = PairedTest(
            [("baseline", BASELINE), ("model", MODEL)],
            {name: METRICS[name][0]()},
            [REFERENCES],
            test_type=test,
            n_samples=samples,
        )
        _, scores = paired()
    result: Any = scores[name][1]
    return float(result.p_value)


@pytest.mark.parametrize("name", METRICS)
def test_scores_are_those_of_sacrebleu(name: str) -> None:
    metric, rows, formula = METRICS[name]

    for answers in (MODEL, BASELINE, ["the"] * 80, [""] * 80, [*MODEL[:40], *[""] * 40]):
        expected = metric().corpus_score(answers, [REFERENCES]).score / 100
        assert formula(rows(answers).sum(axis=0, keepdims=True))[0] == pytest.approx(expected, abs=1e-12)


COUNTS = st.integers(0, 12)


@settings(deadline=None)
@given(st.lists(COUNTS, min_size=10, max_size=10))
def test_bleu_is_the_gates_own(row: list[int]) -> None:
    counts = [min(count, whole) for count, whole in zip(row[:4], row[4:8], strict=True)]
    statistics = [*counts, *row[4:8], max(row[8], 1), row[9]]

    found = totals.bleu(np.array([statistics], float))[0]

    assert found == pytest.approx(corpus.bleu([Fraction(value) for value in statistics]))


@settings(deadline=None)
@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS), min_size=6, max_size=6))
def test_chrf_is_the_gates_own(orders: list[tuple[int, int, int]]) -> None:
    row = [value for got, wanted, shared in orders for value in (got, wanted, min(got, wanted, shared))]

    found = totals.chrf(np.array([row], float))[0]

    assert found == pytest.approx(corpus.chrf([Fraction(value) for value in row]))


@settings(deadline=None)
@given(st.floats(-2000, 0), st.integers(1, 500))
def test_perplexity_is_the_gates_own(logprobs: float, tokens: int) -> None:
    found = totals.perplexity(np.array([[logprobs, tokens]], float))[0]

    assert found == pytest.approx(corpus.perplexity(Fraction(logprobs), Fraction(tokens)))


@pytest.mark.parametrize("name", METRICS)
def test_randomization_p_is_that_of_sacrebleu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, rows, formula = METRICS[name]

    expected = sacrebleu_p(name, "ar", monkeypatch, samples=4000)
    found = totals.randomization_p(formula, rows(MODEL), rows(BASELINE), seed=1, resamples=4000)

    assert 0.0005 < expected < 0.5
    assert found == pytest.approx(expected, abs=4 * np.sqrt(2 * expected / 4000))


@pytest.mark.parametrize("name", METRICS)
def test_the_bootstrap_interval_agrees_with_sacrebleus_bootstrap_test(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, rows, formula = METRICS[name]

    expected = sacrebleu_p(name, "bs", monkeypatch, samples=3000)
    estimate = totals.compared_estimate(
        formula, rows(MODEL), rows(BASELINE), compare="delta", seed=1, resamples=3000
    )

    assert estimate is not None
    # What sacrebleu counts: resampled differences further above their mean than the observed one is above 0.
    apart = np.abs(estimate.resampled)
    centred = (np.sum(apart - apart.mean() > estimate.value) + 1) / 3001
    assert centred == pytest.approx(expected, abs=4 * np.sqrt(2 * expected / 3000) + 1e-3)


def test_identical_arms_differ_by_nothing() -> None:
    rows = bleu_rows(MODEL)

    estimate = totals.compared_estimate(totals.bleu, rows, rows, compare="delta", seed=1, resamples=50)

    assert estimate is not None
    assert (estimate.value, *interval(estimate, 0.95)) == (0, 0, 0)
    assert totals.randomization_p(totals.bleu, rows, rows, seed=1, resamples=50) == 1


def test_one_arms_interval_holds_its_score() -> None:
    estimate = totals.total_estimate(totals.bleu, bleu_rows(MODEL), seed=1)

    low, high = interval(estimate, 0.95)
    assert low < estimate.value < high
    assert estimate.value == pytest.approx(BLEU().corpus_score(MODEL, [REFERENCES]).score / 100)


def test_a_ratio_of_means_is_resampled_in_pairs() -> None:
    tokens = np.random.default_rng(1).integers(10, 500, size=200)
    baseline = np.stack([tokens, np.ones(200)], axis=1)
    model = np.stack([tokens * 1.5, np.ones(200)], axis=1)

    estimate = totals.compared_estimate(totals.mean, model, baseline, compare="ratio", seed=1)

    assert estimate is not None
    assert (estimate.value, *interval(estimate, 0.95)) == pytest.approx((1.5, 1.5, 1.5))


@pytest.mark.parametrize("spent", [[0, 0, 0, 0], [0, 0, 0, 5]])
def test_a_baseline_of_nothing_has_no_ratio(spent: list[int]) -> None:
    baseline = np.stack([np.array(spent), np.ones(4)], axis=1)

    assert totals.compared_estimate(totals.mean, baseline + 1, baseline, compare="ratio", seed=1) is None

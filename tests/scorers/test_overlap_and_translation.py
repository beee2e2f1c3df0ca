from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from tests.scorers.build import problem, score

WORDS = st.lists(st.sampled_from(["the", "cat", "Cat's", "sat", "on", "1,000", "mat.", "-", "é"]), min_size=1)
TEXTS = WORDS.map(" ".join)
ROUGE = {"rouge_l": "rougeL", "rouge_1": "rouge1", "rouge_2": "rouge2"}


@cache
def oracle() -> Any:
    return RougeScorer(list(ROUGE.values()), use_stemmer=False)


@given(reference=st.one_of(TEXTS, st.text(min_size=1)), answer=st.one_of(TEXTS, st.text()))
def test_rouge_is_that_of_rouge_score(reference: str, answer: str) -> None:
    expected = oracle().score(reference, answer)

    for name, theirs in ROUGE.items():
        ours = score(answer, name, reference=reference, at_least=0.5).value
        assert ours == pytest.approx(expected[theirs].fmeasure, abs=1e-12)


def test_rouge_splits_plainly_when_asked() -> None:
    assert score("Der Zug", "rouge_1", reference="der Zug", at_least=0, tokenizer="whitespace").value == 0.5
    assert score("Der Zug", "rouge_1", reference="der Zug", at_least=0).value == 1.0


def test_rouge_refuses_a_reference_of_which_it_sees_nothing() -> None:
    assert problem("rouge_l", reference="北京", at_least=0.5) == (
        "ROUGE counts a-z and 0-9 only and finds none in '北京'; use `tokenizer: whitespace`"
    )
    assert problem("rouge_l", reference="北京", at_least=0.5, tokenizer="whitespace") is None


@pytest.mark.parametrize(
    ("at_least", "message"),
    [
        (80, "'at_least' is 80, it must be a number from 0 to 1; write 0.8 for 80 %"),
        (-0.1, "'at_least' is -0.1, it must be a number from 0 to 1"),
        (float("nan"), "'at_least' is NaN, it must be a number from 0 to 1"),
        (True, "'at_least' is true, it must be a number from 0 to 1"),
    ],
)
@pytest.mark.parametrize("scorer", ["rouge_l", "bleu", "chrf", "token_f1"])
def test_a_threshold_outside_0_to_1_is_refused(scorer: str, at_least: Any, message: str) -> None:
    assert problem(scorer, reference="a cat", at_least=at_least) == message


def test_a_threshold_is_inclusive_in_spite_of_rounding() -> None:
    found = score("a b c d e f g", "rouge_1", reference="a b c x y z w v u t", at_least=6 / 17)

    assert found.value == pytest.approx(6 / 17)
    assert found.passed
    assert score("x", "token_f1", reference="x y z", at_least=0.5).passed


def test_token_f1_is_that_of_squad() -> None:
    found = score("The cat sat", "token_f1", reference="a cat sat down", at_least=0.8)

    assert found.value == pytest.approx(0.8)
    assert found.explanation == "token_f1: 0.8, at least 0.8 wanted, of 'The cat sat' and 'a cat sat down'"


def test_levenshtein_counts_edits() -> None:
    found = score("kitten", "levenshtein", reference="sitting", at_most=3)

    assert found.passed
    assert found.value == pytest.approx(1 - 3 / 7)
    assert found.explanation == "levenshtein: 3 edits, at most 3 wanted, from 'kitten' to 'sitting'"
    assert not score("kitten", "levenshtein", reference="sitting", at_most=2).passed
    assert problem("levenshtein", reference="x", at_most=-1) == (
        "'at_most' is -1, it must be a number that is 0 or more"
    )


@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_sums_of_the_statistics_of_bleu_give_corpus_bleu(pairs: list[tuple[str, str]]) -> None:
    details = [score(answer, "bleu", reference=wanted, at_least=0).details for answer, wanted in pairs]
    expected = BLEU().corpus_score([answer for answer, _ in pairs], [[wanted for _, wanted in pairs]])

    ours = BLEU.compute_bleu(
        correct=[sum(column) for column in zip(*(d["counts"] for d in details), strict=True)],
        total=[sum(column) for column in zip(*(d["totals"] for d in details), strict=True)],
        sys_len=sum(d["sys_len"] for d in details),
        ref_len=sum(d["ref_len"] for d in details),
        smooth_method="exp",
    )

    assert ours.score == pytest.approx(expected.score)


@given(answer=TEXTS, references=st.lists(TEXTS, min_size=1, max_size=3))
def test_sentence_bleu_is_that_of_sacrebleu(answer: str, references: list[str]) -> None:
    expected = BLEU(effective_order=True).sentence_score(answer, references).score / 100

    assert score(answer, "bleu", reference=references, at_least=0).value == pytest.approx(expected)


@given(pairs=st.lists(st.tuples(st.text(), TEXTS), min_size=1, max_size=5))
def test_sums_of_the_statistics_of_chrf_give_corpus_chrf(pairs: list[tuple[str, str]]) -> None:
    details = [score(answer, "chrf", reference=wanted, at_least=0).details for answer, wanted in pairs]
    expected = CHRF().corpus_score([answer for answer, _ in pairs], [[wanted for _, wanted in pairs]])

    orders = zip(*(d["statistics"] for d in details), strict=True)
    sums = [[sum(column) for column in zip(*order, strict=True)] for order in orders]

    assert chrf_of(sums) == pytest.approx(expected.score / 100)


def chrf_of(statistics: list[list[int]]) -> float:
    """The formula of Popović 2015 with beta 2, over the orders that both texts have."""
    orders = [(shared / got, shared / wanted) for got, wanted, shared in statistics if got and wanted]
    if not orders:
        return 0.0
    precision, recall = (sum(column) / len(orders) for column in zip(*orders, strict=True))
    return 5 * precision * recall / (4 * precision + recall) if precision + recall else 0.0


def test_chrf_takes_the_best_reference() -> None:
    found = score("the cat", "chrf", reference=["a dog", "the cat"], at_least=1)

    assert found.passed
    assert found.explanation == "chrf: 1, at least 1 wanted, of 'the cat' and 'the cat'"

"""Scorers of overlap with a reference: ROUGE, token F1, edit distance."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_ftgate.scorers.explain import best, meets, number, quote
from pytest_ftgate.scorers.options import (
    AT_LEAST,
    IGNORE_CASE,
    REFERENCE,
    check_limit,
    check_share,
    check_texts,
    first_problem,
    texts,
)
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scorers.text import check_normalized, squad_normalized
from pytest_ftgate.scores import Score

_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


def rouge_tokens(text: str) -> list[str]:
    """Runs of a-z and 0-9 of the text in lower case, as rouge-score 0.1.2 cuts them without a stemmer."""
    return _NOT_ALPHANUMERIC.sub(" ", text.lower()).split()


def rouge_n(reference: Sequence[str], answer: Sequence[str], n: int) -> float:
    """F1 of shared n-grams, counted with repetition (Lin 2004, section 2)."""
    wanted, got = (
        Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
        for tokens in (reference, answer)
    )
    return _f1((wanted & got).total(), wanted.total(), got.total())


def rouge_l(reference: Sequence[str], answer: Sequence[str]) -> float:
    """F1 of the longest common subsequence of tokens (Lin 2004, section 3.1)."""
    from rapidfuzz.distance import LCSseq  # noqa: PLC0415 (loaded when used)

    return _f1(LCSseq.similarity(reference, answer), len(reference), len(answer))


def token_f1(reference: str, answer: str) -> float:
    """F1 of shared words after SQuAD's normalization (`f1_score` of its evaluation script)."""
    wanted, got = (Counter(squad_normalized(text).split()) for text in (reference, answer))
    return _f1((wanted & got).total(), wanted.total(), got.total())


def _f1(shared: int, wanted: int, got: int) -> float:
    if not shared:
        return 0.0
    precision, recall = shared / got, shared / wanted
    return 2 * precision * recall / (precision + recall)


def _graded(
    name: str, doc: str, measure: Callable[[Mapping[str, Any], str, str], float], **extra: Option
) -> ScorerSpec:
    """A scorer whose value is a share, compared with `at_least`; `measure` gets options, reference, text."""

    def score(options: Mapping[str, Any], subject: Subject) -> Score:
        return best([judge(options, reference, subject.text) for reference in texts(options)])

    def judge(options: Mapping[str, Any], reference: str, answer: str) -> Score:
        value, at_least = min(measure(options, reference, answer), 1.0), options["at_least"]
        passed = meets(value, at_least)
        compared = (
            f"{number(value)}, at least {number(at_least)} wanted, of {quote(answer)} and {quote(reference)}"
        )
        return Score(scorer=name, value=value, passed=passed, explanation=f"{name}: {compared}")

    return ScorerSpec(
        name=name,
        doc=doc,
        score=score,
        options={"reference": REFERENCE, "at_least": AT_LEAST, **extra},
        main="reference",
        required=("reference", "at_least"),
        check=_check_token_f1 if name == "token_f1" else _check_rouge,
    )


def _tokens(options: Mapping[str, Any], text: str) -> list[str]:
    return text.split() if options.get("tokenizer") == "whitespace" else rouge_tokens(text)


def _check_rouge(options: Mapping[str, Any]) -> str | None:
    problem = first_problem(check_texts(options), check_share(options))
    if problem:
        return problem
    for text in texts(options):
        if not _tokens(options, text):
            return (
                f"ROUGE counts a-z and 0-9 only and finds none in {quote(text)}; use `tokenizer: whitespace`"
            )
    return None


def _check_token_f1(options: Mapping[str, Any]) -> str | None:
    return first_problem(check_texts(options), check_share(options)) or check_normalized(options)


def _rouge(name: str, what: str, measure: Callable[[Sequence[str], Sequence[str]], float]) -> ScorerSpec:
    return _graded(
        name,
        f"F1 of {what} shared with the reference, as rouge-score 0.1.2 computes it without stemming.",
        lambda options, reference, answer: measure(_tokens(options, reference), _tokens(options, answer)),
        tokenizer=Option(
            schema={"enum": ["rouge", "whitespace"]},
            doc="`rouge`: runs of a-z and 0-9 in lower case (default); `whitespace`: plain split, case kept.",
        ),
    )


def _levenshtein(options: Mapping[str, Any], subject: Subject) -> Score:
    from rapidfuzz.distance import Levenshtein  # noqa: PLC0415 (loaded when used)

    fold = str.casefold if options.get("ignore_case") else str

    def judge(reference: str) -> Score:
        edits = Levenshtein.distance(fold(reference), fold(answer))
        longest = max(len(fold(reference)), len(fold(answer)))
        compared = (
            f"{edits} edits, at most {options['at_most']} wanted, from {quote(answer)} to {quote(reference)}"
        )
        return Score(
            scorer="levenshtein",
            value=1 - edits / longest,
            passed=edits <= options["at_most"],
            explanation=f"levenshtein: {compared}",
            details={"edits": edits},
        )

    answer = subject.text.strip()
    return best([judge(reference.strip()) for reference in texts(options)])


SCORERS = (
    _rouge("rouge_l", "the longest common subsequence", rouge_l),
    _rouge("rouge_1", "words", lambda reference, answer: rouge_n(reference, answer, 1)),
    _rouge("rouge_2", "pairs of words", lambda reference, answer: rouge_n(reference, answer, 2)),
    _graded(
        "token_f1",
        "F1 of the words shared with the reference, by SQuAD's rules.",
        lambda _, reference, answer: token_f1(reference, answer),
    ),
    ScorerSpec(
        name="levenshtein",
        doc="Characters to insert, delete or replace to get the reference; value 1 - edits / longer length.",
        score=_levenshtein,
        options={
            "reference": REFERENCE,
            "at_most": Option(
                schema={"type": "integer", "minimum": 0}, doc="Passes with at most this many edits."
            ),
            "ignore_case": IGNORE_CASE,
        },
        main="reference",
        required=("reference", "at_most"),
        check=lambda options: first_problem(check_texts(options), check_limit(options)),
    ),
)

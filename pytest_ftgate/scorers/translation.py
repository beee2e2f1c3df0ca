"""BLEU and chrF of one answer, as sacrebleu computes them, with the statistics that corpus scores add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ftgate.scorers.explain import best, meets, number, quote, show_any
from pytest_ftgate.scorers.options import (
    AT_LEAST,
    IGNORE_CASE,
    REFERENCE,
    check_share,
    check_texts,
    first_problem,
    texts,
)
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

_CHAR_ORDER = 6


def _bleu(options: Mapping[str, Any], subject: Subject) -> Score:
    """Sentence BLEU with effective order (Papineni et al. 2002; Post 2018); all references together.

    `details` are counts and totals of 1- to 4-grams and both lengths; sums over a corpus give corpus BLEU.
    """
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415 (loaded when used)

    tokenize, lowercase = options.get("tokenize", "13a"), options.get("ignore_case", False)
    references = texts(options)
    metric = BLEU(effective_order=True, tokenize=tokenize, lowercase=lowercase)
    found = metric.sentence_score(subject.text, list(references))
    value = min(found.score / 100, 1.0)
    return Score(
        scorer="bleu",
        value=value,
        passed=meets(value, options["at_least"]),
        explanation=_compared("bleu", value, options, subject.text, show_any(references)),
        details={
            "counts": [int(count) for count in found.counts],
            "totals": [int(total) for total in found.totals],
            "sys_len": int(found.sys_len),
            "ref_len": int(found.ref_len),
        },
    )


def _chrf(options: Mapping[str, Any], subject: Subject) -> Score:
    """chrF2 (Popović 2015): character 1- to 6-grams without white space, beta 2; the best reference counts.

    `details.statistics`: [of the answer, of the reference, shared] for each order; sums give corpus chrF.
    """
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415 (loaded when used)

    lowercase = options.get("ignore_case", False)
    metric = CHRF(char_order=_CHAR_ORDER, lowercase=lowercase)

    def judge(reference: str) -> Score:
        value = min(metric.sentence_score(subject.text, [reference]).score / 100, 1.0)
        pair = (subject.text.lower(), reference.lower()) if lowercase else (subject.text, reference)
        return Score(
            scorer="chrf",
            value=value,
            passed=meets(value, options["at_least"]),
            explanation=_compared("chrf", value, options, subject.text, quote(reference)),
            details={"statistics": chrf_statistics(*pair)},
        )

    return best([judge(reference) for reference in texts(options)])


def chrf_statistics(answer: str, reference: str) -> list[list[int]]:
    """For each order: n-grams of the answer (0 if the reference has none), of the reference, shared."""
    from sacrebleu.metrics.helpers import extract_all_char_ngrams  # noqa: PLC0415 (loaded when used)

    pairs = zip(
        *(extract_all_char_ngrams(text, _CHAR_ORDER, False) for text in (answer, reference)), strict=True
    )
    return [[got.total() if wanted else 0, wanted.total(), (got & wanted).total()] for got, wanted in pairs]


def _compared(name: str, value: float, options: Mapping[str, Any], answer: str, wanted: str) -> str:
    at_least = number(options["at_least"])
    return f"{name}: {number(value)}, at least {at_least} wanted, of {quote(answer)} and {wanted}"


def _check(options: Mapping[str, Any]) -> str | None:
    return first_problem(check_texts(options), check_share(options))


SCORERS = (
    ScorerSpec(
        name="bleu",
        doc="Sentence BLEU of sacrebleu with effective order, from 0 to 1.",
        score=_bleu,
        options={
            "reference": REFERENCE,
            "at_least": AT_LEAST,
            "ignore_case": IGNORE_CASE,
            "tokenize": Option(
                schema={"enum": ["13a", "intl", "char", "zh", "none"]},
                doc="sacrebleu's tokenizer. Default: 13a; `char` or `zh` for languages without spaces.",
            ),
        },
        main="reference",
        required=("reference", "at_least"),
        check=_check,
    ),
    ScorerSpec(
        name="chrf",
        doc="Sentence chrF2 of sacrebleu, from 0 to 1.",
        score=_chrf,
        options={"reference": REFERENCE, "at_least": AT_LEAST, "ignore_case": IGNORE_CASE},
        main="reference",
        required=("reference", "at_least"),
        check=_check,
    ),
)

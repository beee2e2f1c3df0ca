"""Scorers that look for a text in the answer: exact_match, contains, starts_with, ends_with, regex."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from typing import Any

from pytest_ftgate.scorers.explain import quote, quote_pattern, quote_patterns, show_any, verdict
from pytest_ftgate.scorers.options import (
    IGNORE_CASE,
    REFERENCE,
    TEXTS,
    as_list,
    check_limit,
    check_texts,
    first_problem,
    texts,
)
from pytest_ftgate.scorers.patterns import SEARCH_LIMIT_S, check_pattern, search
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def squad_normalized(text: str) -> str:
    """Lower case without ASCII punctuation, articles and surplus space.

    Source: `normalize_answer` in the evaluation script of SQuAD 1.1 (Rajpurkar et al. 2016).
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split())


def check_normalized(options: Mapping[str, Any]) -> str | None:
    """What is wrong with references of which SQuAD's rules leave nothing."""
    for text in texts(options):
        if not squad_normalized(text):
            return f"of the reference {quote(text)} nothing is left after SQuAD's normalization"
    return None


def _exact_match(options: Mapping[str, Any], subject: Subject) -> Score:
    form = _form(options)
    answer, references = subject.text.strip(), texts(options)
    if form(answer) in {form(reference.strip()) for reference in references}:
        return verdict("exact_match", True, f"got {quote(answer)}, as expected")
    return verdict("exact_match", False, f"got {quote(answer)}, expected {show_any(references)}")


def _check_exact_match(options: Mapping[str, Any]) -> str | None:
    normalize = options.get("normalize")
    return first_problem(check_texts(options), check_normalized(options) if normalize else None)


def _form(options: Mapping[str, Any]) -> Callable[[str], str]:
    if options.get("normalize"):
        return squad_normalized
    return str.casefold if options.get("ignore_case") else str


def _finder(name: str, verb: str, finds: Callable[[str, str], bool]) -> ScorerSpec:
    def score(options: Mapping[str, Any], subject: Subject) -> Score:
        fold = str.casefold if options.get("ignore_case") else str
        answer, references = fold(subject.text.strip()), texts(options)
        found = next((text for text in references if finds(answer, fold(text))), None)
        if found is not None:
            return verdict(name, True, f"{quote(subject.text)} {verb} {quote(found)}")
        return verdict(
            name, False, f"got {quote(subject.text)}, which should {_INFINITIVE[name]} {show_any(references)}"
        )

    return ScorerSpec(
        name=name,
        doc=f"The answer {verb} the text; white space around the answer does not count.",
        score=score,
        options={"reference": REFERENCE, "ignore_case": IGNORE_CASE},
        main="reference",
        required=("reference",),
        check=check_texts,
        quick=True,
    )


_INFINITIVE = {"contains": "contain", "starts_with": "start with", "ends_with": "end with"}


def _regex(options: Mapping[str, Any], subject: Subject) -> Score:
    limit_s = options.get("timeout_s", SEARCH_LIMIT_S)
    patterns = texts(options, "pattern")
    for pattern in patterns:
        found = search(pattern, subject.text, limit_s=limit_s)
        if found is not None:
            return verdict(
                "regex", True, f"{quote_pattern(pattern)} matches {quote(found[0])} in {quote(subject.text)}"
            )
    return verdict(
        "regex", False, f"got {quote(subject.text)}, which should match {quote_patterns(patterns)}"
    )


def _check_regex(options: Mapping[str, Any]) -> str | None:
    patterns = as_list(options.get("pattern"))
    if not patterns:
        return "'pattern' is an empty list; give at least one pattern"
    return first_problem(*map(check_pattern, patterns), check_limit(options, "timeout_s"))


SCORERS = (
    ScorerSpec(
        name="exact_match",
        doc="The answer equals the reference, white space around both removed.",
        score=_exact_match,
        options={
            "reference": REFERENCE,
            "ignore_case": IGNORE_CASE,
            "normalize": Option(
                schema={"type": "boolean"},
                doc="Compare by SQuAD's rules: lower case, no punctuation, no articles. Default: false.",
            ),
        },
        main="reference",
        required=("reference",),
        check=_check_exact_match,
        quick=True,
    ),
    _finder("contains", "contains", lambda answer, text: text in answer),
    _finder("starts_with", "starts with", lambda answer, text: answer.startswith(text.lstrip())),
    _finder("ends_with", "ends with", lambda answer, text: answer.endswith(text.rstrip())),
    ScorerSpec(
        name="regex",
        doc="The pattern matches somewhere in the answer (syntax of Python's `re`; a list: any of them).",
        score=_regex,
        options={
            "pattern": Option(
                schema=TEXTS, text=True, doc="The regular expression; searched, so anchor it to match all."
            ),
            "timeout_s": Option(
                schema={"type": "number", "exclusiveMinimum": 0},
                doc=f"Seconds for one search; a longer one is an error. Default: {SEARCH_LIMIT_S:g}.",
            ),
        },
        main="pattern",
        required=("pattern",),
        check=_check_regex,
    ),
)

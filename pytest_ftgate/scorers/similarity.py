"""The scorer `similarity`: the cosine of the embeddings of the answer and of a reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers.explain import meets, number, quote
from pytest_ftgate.scorers.grading import Need, Question
from pytest_ftgate.scorers.json_values import NotJsonError, parse_json
from pytest_ftgate.scorers.options import AT_LEAST, REFERENCE, check_share, check_texts, first_problem, texts
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score


def _needs(options: Mapping[str, Any]) -> list[Need]:
    return [Need("embeddings", options.get("by"), 1 + len(texts(options)))]


def _questions(options: Mapping[str, Any], subject: Subject) -> list[Question]:
    """The answer, then each reference; nothing for an empty answer, which no endpoint embeds."""
    if not subject.text.strip():
        return []
    return [
        Question(role="embeddings", by=options.get("by"), messages=({"role": "user", "content": text},))
        for text in (subject.text, *texts(options))
    ]


def _similarity(options: Mapping[str, Any], subject: Subject) -> Score:
    questions = _questions(options, subject)
    if not questions:
        nothing = "similarity: the answer has no text to compare"
        return Score(scorer="similarity", value=0.0, passed=False, explanation=nothing)
    answer, *references = (_vector(subject.bench.ask(question).text) for question in questions)
    cosines = [_cosine(answer, reference) for reference in references]
    best = max(range(len(cosines)), key=cosines.__getitem__)
    value, passed = cosines[best], meets(cosines[best], options["at_least"])
    said = f"similarity: {number(value)}, at least {number(options['at_least'])} wanted"
    compared = f"{quote(subject.text)} and {quote(texts(options)[best])}"
    return Score(scorer="similarity", value=value, passed=passed, explanation=f"{said}: {compared}")


def _vector(text: str) -> Sequence[float]:
    try:
        vector = parse_json(text)
    except NotJsonError as error:
        raise ScorerError(f"the embedding {quote(text)} is no list of numbers: {error}") from None
    if not isinstance(vector, list) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in vector
    ):
        raise ScorerError(f"the embedding {quote(text)} is no list of numbers")
    return vector


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two vectors' angle; a negative one counts as 0, since a value lies in [0, 1]."""
    if len(one) != len(other):
        raise ScorerError(f"embeddings of {len(one)} and of {len(other)} numbers can't be compared")
    lengths = math.hypot(*one), math.hypot(*other)
    if 0 in lengths or not all(map(math.isfinite, lengths)):
        raise ScorerError("an embedding has no length: all of its numbers are 0")
    cosine = math.fsum(a / lengths[0] * (b / lengths[1]) for a, b in zip(one, other, strict=True))
    return min(max(cosine, 0.0), 1.0)


def _check(options: Mapping[str, Any]) -> str | None:
    return first_problem(check_texts(options), check_share(options))


SCORERS = (
    ScorerSpec(
        name="similarity",
        doc="Cosine of the embeddings of the answer and the reference, from 0 to 1, by the endpoint that "
        "`embeddings:` of ftgate.yaml names; the best of several references counts.",
        score=_similarity,
        options={
            "reference": REFERENCE,
            "at_least": AT_LEAST,
            "by": Option(
                schema={"type": "string"},
                text=True,
                doc="Who embeds: a name under `models:` of ftgate.yaml. Default: `embeddings:` of that file.",
            ),
        },
        main="reference",
        required=("reference", "at_least"),
        check=_check,
        needs=_needs,
        questions=_questions,
    ),
)

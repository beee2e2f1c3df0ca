from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers import Question
from tests.scorers.benches import Judge, score_by
from tests.scorers.build import problem


def embedding(vectors: Mapping[str, Sequence[float]]) -> Judge:
    def reply(question: Question) -> str:
        assert question.role == "embeddings"
        return json.dumps(vectors[str(question.messages[0]["content"])])

    return Judge(reply)


@pytest.mark.parametrize(
    ("vector", "value"),
    [
        ([3, 4], 1.0),
        ([4, 3], 0.96),
        ([-3, -4], 0.0),
        ([4, -3], 0.0),
        ([6e300, 8e300], 1.0),
        ([3e-300, 4e-300], 1.0),
    ],
)
def test_the_cosine_of_both_is_the_value(vector: list[float], value: float) -> None:
    judge = embedding({"Hi": [3, 4], "Hello": vector})

    found = score_by(judge, "Hi", "similarity", reference="Hello", at_least=0.9)

    assert found.value == pytest.approx(value)
    assert found.passed is (value >= 0.9)


def test_the_best_of_several_references_counts() -> None:
    judge = embedding({"Hi": [3, 4], "Bye": [4, -3], "Hello": [4, 3]})

    found = score_by(judge, "Hi", "similarity", reference=["Bye", "Hello"], at_least=0.95)

    assert found.explanation == "similarity: 0.96, at least 0.95 wanted: 'Hi' and 'Hello'"


def test_an_empty_answer_fails_and_nothing_is_asked() -> None:
    judge = embedding({})

    found = score_by(judge, " ", "similarity", reference="Hello", at_least=0.5)

    assert (found.passed, found.value) == (False, 0)
    assert found.explanation == "similarity: the answer has no text to compare"
    assert judge.asked == []


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ([1, 2, 3], "embeddings of 2 and of 3 numbers can't be compared"),
        ([0, 0], "an embedding has no length: all of its numbers are 0"),
        ("text", "the embedding '\"text\"' is no list of numbers"),
        ([True, False], "the embedding '[true, false]' is no list of numbers"),
    ],
)
def test_what_is_no_embedding_is_an_error(vector: list[float], said: str) -> None:
    with pytest.raises(ScorerError) as raised:
        score_by(
            embedding({"Hi": [3, 4], "Hello": vector}), "Hi", "similarity", reference="Hello", at_least=0.5
        )

    assert str(raised.value) == f"scorer 'similarity': {said}"


numbers = st.floats(-1e6, 1e6).filter(lambda value: abs(value) > 1e-6)


@for_all(st.lists(numbers, min_size=3, max_size=3), st.lists(numbers, min_size=3, max_size=3))
def test_it_is_symmetric_and_lies_between_0_and_1(one: list[float], other: list[float]) -> None:
    there = score_by(embedding({"a": one, "b": other}), "a", "similarity", reference="b", at_least=0.5)
    back = score_by(embedding({"a": one, "b": other}), "b", "similarity", reference="a", at_least=0.5)

    assert 0 <= there.value <= 1
    assert math.isclose(there.value, back.value, abs_tol=1e-12)


def test_options_that_make_no_sense_are_named() -> None:
    assert problem("similarity", reference="x", at_least=80) == (
        "'at_least' is 80, it must be a number from 0 to 1; write 0.8 for 80 %"
    )

"""What a stored answer is kept under, and which process asks for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pytest_ftgate.cases import Arm, Expectation
from pytest_ftgate.completions import Completion
from pytest_ftgate.models import Request
from pytest_ftgate.models.answer_store.answer_key import AnswerKeys, is_lasting, model_digest
from tests.support.requests import request

MODEL = {"kind": "openai", "name": "tuned", "host": "localhost", "revision": "step-1"}


class Described:
    """A model that says who it is, and no more."""

    name = "tuned"
    concurrency = None

    def __init__(self, described: Mapping[str, Any]) -> None:
        self.described = dict(described)

    def describe(self) -> dict[str, Any]:
        return self.described

    def missing(self, requests: Sequence[Request]) -> Sequence[str]:
        return ()

    def remarks(self) -> Sequence[str]:
        return ()

    async def complete(self, request: Request) -> Completion:
        raise NotImplementedError

    async def aclose(self) -> None:
        pass


def key_of(asked: Request, **model: Any) -> str:
    return AnswerKeys("session").of(Described(MODEL | model), asked)


PLAIN = key_of(request(params={"seed": 1}))


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": "Capital of Spain?"},
        {"id": "other"},
        {"suite": "other"},
        {"arm": Arm.BASELINE},
        {"repeat": 2},
        {"params": {"seed": 2}},
        {"params": {"seed": "1"}},
        {"params": {"seed": 1.5}},
        {"params": {}},
        {"tools": ({"type": "function"},)},
        {"expect": (Expectation(scorer="perplexity", options={"at_most": 5}),)},
    ],
)
def test_whatever_is_asked_otherwise_has_a_key_of_its_own(changed: dict[str, Any]) -> None:
    assert key_of(request(**{"params": {"seed": 1}} | changed)) != PLAIN


@pytest.mark.parametrize(
    "model", [{"name": "x"}, {"host": "x"}, {"revision": "x"}, {"kind": "x"}, {"more": None}]
)
def test_whoever_else_is_asked_has_a_key_of_its_own(model: dict[str, Any]) -> None:
    assert key_of(request(params={"seed": 1}), **model) != PLAIN


def test_a_folders_own_model_has_keys_of_its_own() -> None:
    case = request(params={"seed": 1}).case

    assert key_of(Request(case=case, arm=Arm.MODEL, via="folder")) != PLAIN
    assert key_of(Request(case=case, arm=Arm.MODEL)) == PLAIN


def test_the_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert key_of(request(suite="ab", id="c")) != key_of(request(suite="a", id="bc"))
    assert key_of(request(suite='a","b', id="c")) != key_of(request(suite="a", id='b","c'))


def test_what_says_nothing_of_the_answer_is_not_in_the_key() -> None:
    moved = request(params={"seed": 1}, path="elsewhere.evalcase.yaml", line=99, tags=("slow",))

    assert key_of(moved) == PLAIN
    assert model_digest(dict(reversed(MODEL.items()))) == model_digest(MODEL)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_no_request_can_hold_has_no_key(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        key_of(request(params={"temperature": number}))
    with pytest.raises(ValueError, match="not JSON compliant"):
        model_digest({"name": "tuned", "temperature": number})


def test_keys_are_those_of_their_own_case_in_whatever_order_they_are_made() -> None:
    keys, model = AnswerKeys("session"), Described(MODEL)
    cases = [request("one", id="a"), request("two", id="a"), request("one", id="a")]

    made = [keys.of(model, one) for one in cases]

    assert made == [key_of(one) for one in cases]
    assert made[0] == made[2] != made[1]


def test_models_are_told_apart_by_what_they_say_of_themselves() -> None:
    keys = AnswerKeys("session")

    assert keys.who(Described(MODEL)) == keys.who(Described(MODEL)) == model_digest(MODEL)
    assert keys.who(Described(MODEL)) != keys.who(Described(MODEL | {"revision": "step-2"}))


def test_only_a_revision_makes_an_answer_of_code_last_beyond_its_session() -> None:
    plain = Described({"name": "app"})

    assert not is_lasting(plain)
    assert is_lasting(Described(MODEL))
    assert AnswerKeys("one").of(plain, request()) != AnswerKeys("two").of(plain, request())
    assert AnswerKeys("one").of(Described(MODEL), request()) == AnswerKeys("two").of(
        Described(MODEL), request()
    )

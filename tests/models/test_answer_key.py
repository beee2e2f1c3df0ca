"""What a stored answer is kept under, and which process asks for it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_ftgate.cases import Arm, Expectation
from pytest_ftgate.models import Request
from pytest_ftgate.models.answer_store.answer_key import answer_key, model_digest, share_of
from tests.support.requests import request

MODEL = {"kind": "openai", "name": "tuned", "host": "localhost", "revision": "step-1"}


def key_of(asked: Request, **model: Any) -> str:
    return answer_key(asked, model_digest(MODEL | model), asked.case.asked)


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


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_case_is_asked_by_one_worker_and_each_worker_asks_about_as_many(count: int) -> None:
    shares = [share_of(("facts", str(number)), count) for number in range(100 * count)]

    assert set(shares) == set(range(count))
    assert all(70 <= shares.count(worker) <= 130 for worker in range(count))


def test_every_process_knows_the_same_shares_whatever_its_hash_seed() -> None:
    # Workers of one run may differ in nothing, but machines that share a folder may be of two versions.
    assert [share_of(("facts", name), 1000) for name in ("capital", "é", "a b")] == [807, 603, 151]

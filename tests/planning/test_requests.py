from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_ftgate.cases import Arm, Turn
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.planning import Answerer, Demand, Observed, plan_run
from pytest_ftgate.planning.tokens import estimated_tokens
from pytest_ftgate.record import Outcome, Trial, TrialKey
from tests.planning.previews import LIVE, case, preview

PRICED = Answerer(name="gpt", kind="openai", price=(2.0, 8.0))


def demand(*of: Any, answerer: Answerer = LIVE, observed: Observed | None = None) -> Demand:
    """What the model is asked in these cases."""
    made = preview(of, arms=[Arm.MODEL], answerers={Arm.MODEL: answerer})
    (found,) = plan_run(made, observed=observed).demands
    return found


def answered(case_id: str, text: str = "", tokens: int | None = None) -> Observed:
    key = TrialKey("tools", case_id, Arm.MODEL, 1, f"evals/tools.evalcase.yaml::{case_id}")
    completion = Completion(text=text, usage=Usage(output_tokens=tokens))
    return Observed("run.jsonl", [Trial(key=key, outcome=Outcome.PASSED, completion=completion)])


def test_a_token_is_four_bytes_rounded_up() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "four", "fives", "日本")] == [0, 1, 1, 2, 2]


def test_a_request_sends_all_messages_and_tools() -> None:
    system, user = {"role": "system", "content": "x" * 40}, {"role": "user", "content": "y" * 20}
    bare = case(messages=(system, user), params={"max_tokens": 100})

    found = demand(bare)

    assert (found.requests, found.tokens_in, found.tokens_out) == (1, 10 + 4 + 5 + 4, 100)
    assert demand(replace(bare, tools=({"name": "f"},))).tokens_in == 23 + 4 + 4


def test_repeats_are_asked_each() -> None:
    assert demand(case(repeat=3, params={"max_tokens": 10})).tokens_out == 30


def test_each_turn_sends_again_what_was_said() -> None:
    turns = (Turn(user="a" * 40), Turn(user="b" * 40))
    talk = case(messages=(), turns=turns, params={"max_tokens": 100})

    found = demand(talk)

    assert found.requests == 2
    assert found.tokens_out == 200
    assert found.tokens_in == 14 + (14 + 104 + 14)


def test_an_entrys_parameters_and_system_prompt_win() -> None:
    asked = case(
        messages=({"role": "system", "content": "x" * 400}, {"role": "user", "content": "y" * 20}),
        params={"max_tokens": 100},
    )
    entry = replace(LIVE, params={"max_tokens": None, "max_completion_tokens": 7}, system="z" * 4)

    found = demand(asked, answerer=entry)

    assert (found.tokens_in, found.tokens_out) == (1 + 4 + 5 + 4, 7)


def test_an_answer_without_a_limit_leaves_the_cost_open() -> None:
    found = demand(case("a", "y" * 16), case("b", "y" * 16, params={"max_tokens": 100}), answerer=PRICED)

    assert (found.tokens_out, found.unlimited) == (None, 1)
    assert found.cost == pytest.approx((16 * 2.0 + 100 * 8.0) / 1e6)


def test_an_earlier_run_tells_how_long_answers_are() -> None:
    asked = case(params={"max_tokens": 100})

    counted = demand(asked, observed=answered("c0", tokens=12))
    estimated = demand(asked, observed=answered("c0", text="x" * 40))
    other = demand(asked, observed=answered("other", tokens=12))

    assert (counted.tokens_out, counted.observed) == (12, 1)
    assert (estimated.tokens_out, estimated.observed) == (10, 1)
    assert (other.tokens_out, other.observed) == (100, 0)


def test_saved_answers_are_not_asked_for_and_cost_nothing() -> None:
    found = demand(case(), answerer=Answerer(name="recorded:a.jsonl", kind="recorded"))

    assert not found.sends
    assert found.cost == 0


def test_a_price_is_needed_for_a_cost() -> None:
    assert demand(case(params={"max_tokens": 1})).cost is None


def test_arms_and_answerers_are_told_apart_the_model_first() -> None:
    made = preview([case("a"), case("b")], answerers={Arm.BASELINE: PRICED})

    found = plan_run(made).demands

    assert [(one.arm, one.answerer, one.requests, one.cases) for one in found] == [
        (Arm.MODEL, LIVE, 2, 2),
        (Arm.BASELINE, PRICED, 2, 2),
    ]

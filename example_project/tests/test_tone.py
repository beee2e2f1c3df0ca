"""How the assistant speaks, said in Python: these tests judge cases of the suites, and one of their own.

A case that several tests judge counts once, and passes if all of them pass.
"""

import re

import pytest

SUPPORT = "evals/support_tools.evalcase.yaml"
SYSTEM = "You are the assistant of a parcel company. Use the tools."
#: More than this nobody reads on a phone.
BRIEF = 140


@pytest.mark.eval_case(SUPPORT, tag="decline")
def test_a_refusal_says_what_the_assistant_can_do(eval_case, model, baseline):
    for ask in (model, baseline):
        answer = ask(eval_case)
        # A failed assert under `judge` counts for the arm whose answer it is, and the lines below still run.
        with eval_case.judge(answer):
            assert "parcel" in answer.text.casefold()
            assert len(answer.text) <= BRIEF


@pytest.mark.eval_case(SUPPORT, tag="ask")
def test_the_assistant_asks_one_thing_at_a_time(eval_case, model, baseline):
    for ask in (model, baseline):
        answer = ask(eval_case)
        with eval_case.judge(answer):
            assert answer.text.count("?") == 1
            assert len(answer.text) <= BRIEF


@pytest.mark.eval_case(SUPPORT, category=["edge_case", "adversarial"])
def test_no_parcel_number_is_made_up(eval_case, model, baseline):
    for ask in (model, baseline):
        answer = ask(eval_case)
        with eval_case.judge(answer):
            called = {call.arguments.get("number") for call in answer.tool_calls if call.arguments} - {None}
            assert called <= set(re.findall(r"PX\d{6}", eval_case.prompt))


# A case that is written here counts like those of a file: its suite is this module, its role is target.
@pytest.mark.eval_case(
    id="two_cities",
    category="edge_case",
    prompt="My parcel is in Berlin and I am in Bologna. Is there a shop in Bologna?",
    system=SYSTEM,
    tools="../evals/tools.json",
    params={"temperature": 0, "max_tokens": 100},
    expect={"tool_call": {"name": "find_shop", "arguments": {"city": "Bologna"}}},
)
def test_the_city_of_the_customer_is_meant(eval_case, model, baseline):
    for ask in (model, baseline):
        eval_case.check(ask(eval_case))  # by the case's own `expect`

"""Evals that say in Python what a case file can't: they count in the same gate as the cases in YAML."""

import pytest
from assistant import details

BRIEF = 80
ABOUT = "You are the support assistant of a parcel company. Use the tools; refuse what is not about parcels."


@pytest.mark.eval_case("evals/support_tools.evalcase.yaml", category="edge_case")
def test_no_parcel_number_is_made_up(eval_case, model, baseline):
    for ask in (model, baseline):
        answer = ask(eval_case)
        with eval_case.judge(answer):
            called = {call.arguments["number"] for call in answer.tool_calls if "number" in call.arguments}
            assert called <= set(details.parcel_numbers(eval_case.prompt))


@pytest.mark.eval_case(
    id="hello",
    category="simple",
    prompt="Good morning!",
    system=ABOUT,
    tools="tools.json",
    expect={"no_tool_call": True},
)
@pytest.mark.eval_case(
    id="thanks",
    category="simple",
    prompt="Thanks a lot!",
    system=ABOUT,
    tools="tools.json",
    expect={"no_tool_call": True},
)
def test_small_talk_is_brief_and_calls_no_tool(eval_case, model, baseline):
    for ask in (model, baseline):
        answer = ask(eval_case)
        eval_case.check(answer)
        with eval_case.judge(answer):
            assert 0 < len(answer.text) <= BRIEF

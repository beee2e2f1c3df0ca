from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import AnswerRule, EvalCase, Expectation, Turn
from pytest_ftgate.files.case_file import InlinePlace, parse_cases
from pytest_ftgate.scorers import BUILTIN
from tests.files.conftest import Complaints, ReadSuite

TOOLS = "[{name: get_order, parameters: {type: object, properties: {id: {type: string}}}}, {name: refund}]"


def only(suite_of: ReadSuite, case: str, defaults: str = "{}") -> EvalCase:
    suite = suite_of(f"defaults: {defaults}\ncases:\n  - {{id: a, {case}}}\n")
    assert suite.mistakes == ()
    (found,) = suite.cases
    return found


def test_turns_are_read_with_all_that_belongs_to_them(suite_of: ReadSuite) -> None:
    suite = suite_of(
        f"""\
cases:
  - id: refund
    system: Be kind.
    tools: {TOOLS}
    tool_results: {{get_order: {{status: paid, days: 12}}, refund: 'no'}}
    answer: {{after: 'A:'}}
    turns:
      - user: 010
        expect: {{contains: order number}}
      - user: [{{type: text, text: It is}}, {{type: image_url, image_url: 'data:x'}}]
        expect: [{{tool_call: {{name: get_order}}}}, {{contains: 30 days}}]
        answer: {{lines: 1}}
        tool_results: {{get_order: null}}
      - {{user: Thanks, answer: null}}
    expect: {{not: {{contains: sorry}}}}
"""
    )

    assert suite.mistakes == ()
    (case,) = suite.cases
    assert case.messages == ({"role": "system", "content": "Be kind."},)
    first, second, third = case.turns
    assert first == Turn(
        user="010",
        expect=(Expectation(scorer="contains", options={"reference": "order number"}, line=9),),
        answer=AnswerRule(after="A:"),
        tool_results={"get_order": {"status": "paid", "days": 12}, "refund": "no"},
    )
    assert second.user == [
        {"type": "text", "text": "It is"},
        {"type": "image_url", "image_url": {"url": "data:x"}},
    ]
    assert [check.scorer for check in second.expect] == ["tool_call", "contains"]
    assert second.answer == AnswerRule(lines=1)
    assert second.tool_results == {"get_order": None, "refund": "no"}
    assert (third.expect, third.answer) == ((), None)
    assert [check.scorer for check in case.expect] == ["not"]


def test_a_conversation_may_expect_something_in_a_turn_alone(suite_of: ReadSuite) -> None:
    case = only(suite_of, "turns: [{user: x}, {user: y, expect: z}]")

    assert case.expect == ()
    assert [check.options for check in case.checks] == [{"reference": "z"}]


def test_results_of_the_defaults_are_for_conversations(suite_of: ReadSuite) -> None:
    defaults = "{tool_results: {f: 1}, answer: {lines: 1}}"

    conversation = only(suite_of, "turns: [{user: x}], expect: y", defaults)
    plain = only(suite_of, "prompt: x, expect: y", defaults)

    assert conversation.turns == (Turn(user="x", answer=AnswerRule(lines=1), tool_results={"f": 1}),)
    assert plain.turns == ()


def test_a_prompt_of_the_defaults_can_be_left_out(suite_of: ReadSuite) -> None:
    assert only(suite_of, "prompt: null, turns: [{user: x, expect: y}]", "{prompt: p}").prompt == "x"


def test_rows_of_a_data_set_become_conversations(suite_of: ReadSuite, tmp_path: Path) -> None:
    rows = [
        {"id": "r1", "q": "One?", "a": "1", "order": {"n": 7}, "talk": [{"user": "Hi", "expect": "Hello"}]},
        {
            "id": "r2",
            "q": "Two?",
            "a": "2",
            "order": [1],
            "talk": [{"user": "Ho"}, {"user": "Hm", "expect": {"contains": "?"}}],
        },
    ]
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    suite = suite_of(
        "datasets:\n"
        "  - {path: rows.jsonl, id: 'script-{{id}}', tool_results: {get: '{{order}}'},\n"
        "     turns: [{user: Hello}, {user: 'Now: {{q}}', expect: {contains: '{{a}}'}}]}\n"
        "  - {path: rows.jsonl, id: 'talk-{{id}}', turns: '{{talk}}'}\n"
    )

    assert suite.mistakes == ()
    cases = {case.id: case for case in suite.cases}
    assert cases["script-r2"].prompt == "Hello\nNow: Two?"
    assert cases["script-r2"].turns[1].expect[0].options == {"reference": "2"}
    assert [cases[f"script-r{n}"].turns[0].tool_results for n in (1, 2)] == [{"get": {"n": 7}}, {"get": [1]}]
    assert [turn.user for turn in cases["talk-r2"].turns] == ["Ho", "Hm"]
    assert cases["talk-r1"].checks[0].options == {"reference": "Hello"}


def test_an_inline_case_may_have_turns(tmp_path: Path) -> None:
    place = InlinePlace(path=tmp_path / "test_x.py", rootdir=tmp_path, line=3, suite="test_x")
    given: list[dict[str, Any]] = [{"id": "a", "turns": [{"user": "x"}, {"user": "y", "expect": "z"}]}]

    (case,), mistakes = parse_cases(given, place, BUILTIN)

    assert mistakes == ()
    assert [turn.user for turn in case.turns] == ["x", "y"]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("turns: []", ["2:20: 'turns' is an empty list"]),
        ("turns: x", ["2:20: 'turns' takes a list, and this is 'x'"]),
        ("turns: [x]", ["2:21: a turn takes a mapping, and this is 'x'"]),
        ("turns: [{expect: x}]", ["2:21: a turn needs 'user': what the user says"]),
        ("turns: [{user: ''}]", ["2:28: 'user' is empty"]),
        (
            "turns: [{user: null}]",
            ["2:28: a turn needs 'user': what the user says; if it is the word null, quote it"],
        ),
        ("turns: [{user: []}]", ["2:28: 'user' is an empty list"]),
        ("turns: [{user: {a: b}}]", ["2:28: 'user' takes text, and this is a mapping"]),
        (
            "turns: [{user: [{type: txt, txt: x}]}]",
            ["2:36: 'type' is 'txt'. Did you mean 'text'?"],
        ),
        (
            "turns: [{usr: x}, {user: y, expect: {contain: z}, answr: {lines: 1}}]",
            [
                "2:21: a turn needs 'user': what the user says",
                "2:22: unknown key 'usr'. Did you mean 'user'?",
                "2:50: unknown scorer 'contain'. Did you mean 'contains'?",
                "2:63: unknown key 'answr'. Did you mean 'answer'?",
            ],
        ),
        (
            "turns: [{user: x, tool_results: [1]}]",
            ["2:45: 'tool_results' takes a mapping, and this is a list"],
        ),
        (
            "turns: [{user: x, tool_results: {f: .nan}}]",
            ["2:49: '.nan' is no finite number: quote it if it is text"],
        ),
        (
            "turns: [{user: x}]",
            ["2:5: a case needs 'expect': what the answer must be, or 'expect: none'"],
        ),
        (
            "prompt: x, turns: [{user: x, expect: y}]",
            ["2:5: a case has 'prompt' or 'turns', not both"],
        ),
        (
            "prompt: x, messages: [{role: user, content: x}], turns: [{user: x, expect: y}]",
            ["2:5: a case has 'prompt' or 'messages' or 'turns', not all three"],
        ),
        (
            "prompt: x, expect: y, tool_results: {f: 1}",
            ["2:35: 'tool_results' goes with 'turns': write the prompt as turns: [{user: …}]"],
        ),
        (
            f"tools: {TOOLS}, tool_results: {{get_ordr: 1}}, "
            "turns: [{user: x, expect: y, tool_results: {pay: 2}}]",
            [
                "2:134: the case has no tool 'get_ordr'. Did you mean 'get_order'?",
                "2:192: the case has no tool 'pay'. Its tools: get_order, refund",
            ],
        ),
        (
            f"tools: {TOOLS}, turns: [{{user: x, expect: {{tool_call: {{name: get_ordr}}}}}}]",
            ["2:145: tool_call: the case has no tool 'get_ordr'. Did you mean 'get_order'?"],
        ),
    ],
)
def test_a_mistake_in_turns_is_named_with_its_place(
    complaints: Complaints, case: str, expected: list[str]
) -> None:
    found = [message.replace("case 'a': ", "") for message in complaints(f"cases:\n  - {{id: a, {case}}}\n")]

    assert found == [f"evals/tools.evalcase.yaml:{message}" for message in expected]


def test_a_row_may_not_name_code_in_a_turn(complaints: Complaints, tmp_path: Path) -> None:
    row = {"id": "r", "talk": [{"user": "x", "expect": {"python": "os:system"}}]}
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")

    assert complaints("datasets: [{path: rows.jsonl, id: '{{id}}', turns: '{{talk}}'}]") == [
        "evals/rows.jsonl:1:1: case 'r': python runs the repository's own code, which a data set's row may "
        "not name (asked for in evals/tools.evalcase.yaml:1:52)"
    ]

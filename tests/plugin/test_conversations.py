"""Scripted conversations as their users meet them: through pytest, from YAML to the verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.plugin.conftest import Project
from tests.support.server import ChatServer, Reply

SHOP = """
suite: shop
defaults:
  system: You answer for a shop.
  tools: [{name: get_order, parameters: {type: object, properties: {id: {type: string}}}}]
cases:
  - id: refund
    tool_results: {get_order: {status: delivered}}
    turns:
      - {user: Can I return my order?, expect: {contains: order number}}
      - user: It is 4711
        expect: [{tool_call: {name: get_order, arguments: {id: '4711'}}}, {contains: delivered}]
    expect: {not: {contains: sorry}}
  - id: unknown_order
    turns:
      - {user: Where is 4711?, expect: [{any_tool_call: true}, {contains: unavailable}]}
      - {user: Thanks, expect: {no_tool_call: true}}
  - {id: hello, prompt: Hello, expect: {contains: order number}}
"""

BOTS = """
CALL = {"tool_calls": [{"name": "get_order", "arguments": {"id": "4711"}}]}

def shop(messages):
    last = messages[-1]
    if last["role"] == "tool":
        return "It says " + last["content"]
    return CALL if "4711" in last["content"] else "Your order number, please."

def rude(messages):
    return shop(messages) if messages[-1]["content"] != "Can I return my order?" else "No."

def stubborn(messages):
    return CALL | {"text": "order number"}

def forgetful(messages):
    if messages[-1]["content"] == "Thanks":
        raise RuntimeError("out of memory")
    return shop(messages)
"""

GATE = "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 100%}}}\n"
CALL = {"name": "get_order", "arguments": '{"id": "4711"}'}


@pytest.fixture
def shop(empty_project: Project) -> Project:
    empty_project.write("bots.py", BOTS)
    empty_project.write("ftgate.yaml", GATE)
    empty_project.write("evals/shop.evalcase.yaml", SHOP)
    return empty_project


def report(project: Project) -> dict[str, Any]:
    """The cases of the JSON report by id."""
    text = (project.pytester.path / "report.json").read_text(encoding="utf-8")
    return {case["id"]: case for case in json.loads(text)["cases"]}


def comparable(project: Project) -> dict[str, Any]:
    """What of the verdict two live runs have in common."""
    return {key: project.verdict[key] for key in ("verdict", "sentence", "criteria", "plan", "reasons")}


def served(body: dict[str, Any]) -> Reply:
    """The shop as a server; the model `rude` answers the first question badly."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        return Reply(text=f"It says {last['content']}", usage=(30, 6))
    if "4711" in last["content"]:
        return Reply(tool_calls=[CALL], finish_reason="tool_calls", usage=(20, 4))
    is_rude = body["model"] == "rude" and "return" in last["content"]
    return Reply(text="No." if is_rude else "Your order number, please.", usage=(10, 2))


def test_conversations_pass_beside_other_cases(shop: Project) -> None:
    result = shop.run("--model=python:bots:shop", "--ftgate-report=report.json", "evals")

    result.assert_outcomes(passed=3)
    assert (result.ret, shop.verdict["verdict"]) == (0, "SHIP")
    (trial,) = report(shop)["refund"]["trials"]
    steps = trial["completion"]["steps"]
    assert [(step["turn"], step["text"]) for step in steps] == [
        (1, "Your order number, please."),
        (2, ""),
        (2, 'It says {"status": "delivered"}'),
    ]
    assert trial["completion"]["text"] == 'It says {"status": "delivered"}'
    assert "steps" not in report(shop)["hello"]["trials"][0]["completion"]


def test_a_miss_in_the_first_turn_fails_the_case_and_shows_the_conversation(shop: Project) -> None:
    result = shop.run("--model=python:bots:rude", "--baseline=python:bots:shop", "evals")

    assert result.parseoutcomes() == {"missed": 1, "passed": 2, "failed": 2}
    assert shop.verdict["verdict"] == "ITERATE"
    result.stdout.fnmatch_lines(
        [
            "regression: contains: turn 1: got 'No.', which should contain 'order number' (the baseline*",
            "prompts of a conversation of 2 turns",
            "  | Can I return my order?",
            "  | It is 4711",
            "expected",
            '  turn 1: contains: "order number"',
            '  turn 2: tool_call: {"name": "get_order", "arguments": {"id": "4711"}}',
            '  turn 2: contains: "delivered"',
            '  not: [[]contains: "sorry"]',
            "model: failed, score 0.75",
            "  turn 1: Can I return my order?",
            "  | No.",
            "  turn 2: It is 4711",
            '  tool call: get_order(id="4711")',
            '  | It says {"status": "delivered"}',
            "  FAIL contains: turn 1: got 'No.', which should contain 'order number'",
            "  pass tool_call: turn 2: got get_order(id='4711'), as expected",
        ],
        consecutive=False,
    )


def test_a_model_that_never_stops_calling_is_heard_six_times_and_judged_as_it_is(shop: Project) -> None:
    result = shop.run(
        "--model=python:bots:stubborn", "--ftgate-report=report.json", "evals", "-k", "refund", "-rf"
    )

    result.assert_outcomes(failed=1)
    (trial,) = report(shop)["refund"]["trials"]
    assert [step["turn"] for step in trial["completion"]["steps"]] == [1] * 6 + [2] * 6
    assert [score["passed"] for score in trial["scores"]] == [True, False, False, True]
    assert trial["outcome"] == "failed"


def test_an_error_in_any_call_is_an_error_of_the_trial(shop: Project) -> None:
    result = shop.run("--model=python:bots:forgetful", "evals")

    assert result.parseoutcomes() == {"errors": 1, "passed": 2, "failed": 2}
    assert shop.verdict["verdict"] == "INCOMPLETE"
    result.stdout.fnmatch_lines(["error: raised: python:bots:forgetful raised RuntimeError: out of memory*"])


def test_saved_answers_give_the_verdict_of_the_run_that_saved_them(shop: Project) -> None:
    models = ("--model=rude", "--baseline=shop")
    with ChatServer(served) as server:
        shop.write("ftgate.yaml", f"{GATE}models:\n  rude: {{base_url: '{server.url}', name: rude}}\n"
                                  f"  shop: {{base_url: '{server.url}', name: shop}}\n")  # fmt: skip
        shop.run(*models, "--ftgate-save-answers=answers.jsonl", "--ftgate-report=report.json", "evals")
    live, live_cases = comparable(shop), report(shop)
    rows = (shop.pytester.path / "answers.jsonl").read_text(encoding="utf-8").splitlines()[1:]

    result = shop.run(
        "--model=recorded:answers.jsonl#model",
        "--baseline=recorded:answers.jsonl#baseline",
        "--ftgate-report=report.json",
        "evals",
    )

    assert result.parseoutcomes() == {"missed": 1, "passed": 2, "failed": 2}
    assert [(row["id"], row["turn"]) for row in map(json.loads, rows) if row["arm"] == "model"] == [
        ("hello", 1),
        ("refund", 1),
        ("refund", 2),
        ("unknown_order", 1),
        ("unknown_order", 2),
    ]
    assert comparable(shop) == live
    for case in live_cases.values():
        played = report(shop)[case["id"]]["trials"]
        assert [trial["scores"] for trial in played] == [trial["scores"] for trial in case["trials"]]
        usages = [trial["completion"]["usage"] for trial in played]
        assert usages == [trial["completion"]["usage"] for trial in case["trials"]]


def test_missing_turns_are_listed_before_anything_is_sent(shop: Project) -> None:
    rows = [{"id": "hello", "text": "order number"}, {"id": "refund", "turn": 2, "text": "x"}]
    shop.write("answers.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    with ChatServer(served) as server:
        shop.write("ftgate.yaml", f"{GATE}models: {{shop: {{base_url: '{server.url}', name: shop}}}}\n")
        result = shop.run("--model=shop", "--baseline=recorded:answers.jsonl", "evals")

    assert result.ret == 4
    assert server.count == 0
    result.stderr.fnmatch_lines(
        [
            "*evals/shop.evalcase.yaml:7: case 'refund': no answer for turn 1 in answers.jsonl",
            "*evals/shop.evalcase.yaml:14: case 'unknown_order': no answer for turn 1 in answers.jsonl",
            "*evals/shop.evalcase.yaml:14: case 'unknown_order': no answer for turn 2 in answers.jsonl",
        ]
    )


def test_two_processes_come_to_the_verdict_of_one(shop: Project) -> None:
    models = ("--model=rude", "--baseline=shop")
    with ChatServer(served) as server:
        shop.write("ftgate.yaml", f"{GATE}models:\n  rude: {{base_url: '{server.url}', name: rude}}\n"
                                  f"  shop: {{base_url: '{server.url}', name: shop}}\n")  # fmt: skip
        shop.run_apart(*models, "evals")
        one, sent = comparable(shop), server.count
        result = shop.run_apart(*models, "-n2", "evals")

    assert result.parseoutcomes() == {"missed": 1, "passed": 2, "failed": 2}
    assert comparable(shop) == one
    # hello 1; refund 1 + 2; unknown_order 2 + 1: of both models.
    assert sent == 2 * 7
    assert server.count == 2 * sent


def test_each_repeat_is_a_conversation_of_its_own(shop: Project) -> None:
    shop.write(
        "evals/shop.evalcase.yaml",
        "cases: [{id: a, repeat: 3, turns: [{user: One}, {user: Two, expect: {contains: order number}}]}]",
    )
    with ChatServer(served) as server:
        shop.write("ftgate.yaml", f"{GATE}models: {{shop: {{base_url: '{server.url}', name: shop}}}}\n")
        result = shop.run("--model=shop", "--ftgate-report=report.json", "evals")

    result.assert_outcomes(passed=1)
    assert server.count == 6
    trials = report(shop)["a"]["trials"]
    assert [(trial["repeat"], len(trial["completion"]["steps"])) for trial in trials] == [
        (1, 2),
        (2, 2),
        (3, 2),
    ]


def test_an_expected_failure_changes_how_it_is_shown_and_no_number(shop: Project) -> None:
    shop.write(
        "evals/shop.evalcase.yaml",
        "cases: [{id: a, xfail: known, turns: [{user: Can I return my order?, expect: yes!}, {user: Two}]}]",
    )

    result = shop.run("--model=python:bots:rude", "evals")

    assert result.parseoutcomes() == {"xfailed": 1, "failed": 2}
    assert shop.verdict["verdict"] == "ITERATE"


def test_every_call_of_a_conversation_is_a_measurement(shop: Project) -> None:
    shop.write("evals/shop.evalcase.yaml", SHOP.partition("  - id: unknown_order")[0])
    criteria = "{fast: {metric: latency_p99, at_most: 10, min_cases: 3}}"
    with ChatServer(served) as server:
        models = f"models: {{shop: {{base_url: '{server.url}', name: shop}}}}\n"
        shop.write("ftgate.yaml", f"gate: {{criteria: {criteria}}}\n{models}")
        shop.run("--model=shop", "evals")

    (fast, *_) = shop.verdict["criteria"]
    assert (fast["name"], fast["n"], fast["status"]) == ("fast", 3, "GO")


def test_a_metric_of_a_scorers_name_sees_the_turns(shop: Project) -> None:
    shop.write("ftgate.yaml", "gate: {min_cases: 1, criteria: {said: {metric: contains, at_least: 50%}}}\n")

    shop.run("--model=python:bots:rude", "evals")

    said = shop.verdict["criteria"][0]
    assert (said["name"], said["observed"], said["n"]) == ("said", pytest.approx(2 / 3), 3)


def test_a_python_test_is_handed_the_conversation(shop: Project) -> None:
    shop.write(
        "evals/test_shop.py",
        """
import pytest

@pytest.mark.eval_case("evals/shop.evalcase.yaml", id="refund")
def test_refund(eval_case, model):
    answer = model(eval_case)
    assert [step.turn for step in answer.steps] == [1, 2, 2]
    assert len(eval_case.check(answer)) == 4

TURNS = [{"user": "Hi"}, {"user": "4711", "expect": {"contains": "unavailable"}}]

@pytest.mark.eval_case(id="inline", turns=TURNS)
def test_inline(eval_case, model):
    with eval_case.judge(model(eval_case)):
        assert "says" in model(eval_case).text
    eval_case.check(model(eval_case))
""",
    )

    result = shop.run("--model=python:bots:shop", "evals")

    result.assert_outcomes(passed=5)
    assert shop.verdict["verdict"] == "SHIP"

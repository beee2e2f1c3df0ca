from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.scorers import score_case
from pytest_ftgate.scores import Score
from tests.scorers.build import calls, case, check, problem, score, tool

WEATHER = tool(
    "get_weather",
    {
        "location": {"type": "string"},
        "days": {"type": "integer"},
        "share": {"type": "number"},
        "metric": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
)
DOTTED = tool("weather.get", {"location": {"type": "string"}})


LITERAL = "; if this is the value itself, write it under `equals`"


def judged(answer: Completion, scorer: str, *tools: Mapping[str, Any], **options: Any) -> Score:
    (found,) = score_case(case(check(scorer, **options), tools=tools), answer)
    return found


def one(wanted: Mapping[str, Any], got: Mapping[str, Any], **options: Any) -> Score:
    return judged(
        calls(("get_weather", got)), "tool_call", WEATHER, name="get_weather", arguments=wanted, **options
    )


def test_a_call_of_the_tool_passes_with_any_arguments_where_none_are_named() -> None:
    assert judged(calls(("get_weather", {"x": 1})), "tool_call", WEATHER, name="get_weather").explanation == (
        "tool_call: got get_weather(x=1), as expected"
    )


@pytest.mark.parametrize(
    ("wanted", "got", "difference"),
    [
        ({"location": "Tokyo"}, {"location": "Kyoto"}, "argument location: got 'Kyoto', expected 'Tokyo'"),
        ({"location": "Tokyo"}, {}, "argument location is missing, expected 'Tokyo'"),
        ({}, {"unit": "c"}, "argument unit: got 'c', expected no such argument"),
        ({"days": 1}, {"days": True}, "argument days: got true, expected 1"),
        ({"days": 3}, {"days": 3.0}, "argument days: got 3.0, expected type integer"),
        ({"days": 3}, {"days": "3"}, "argument days: got '3', expected 3"),
        (
            {"location": {"any_of": ["A", "B"]}},
            {"location": "C"},
            "argument location: got 'C', expected one of 'A', 'B'",
        ),
        ({"tags": ["a", "b"]}, {"tags": ["a", "c"]}, "argument tags[1]: got 'c', expected 'b'"),
        ({"tags": ["a"]}, {"tags": ["a", "b"]}, 'argument tags: got ["a", "b"], expected ["a"]'),
        ({"where": {"city": "A"}}, {"where": {"city": "B"}}, "argument where.city: got 'B', expected 'A'"),
        ({"where": {"city": "A"}}, {"where": {}}, "argument where.city is missing, expected 'A'"),
        ({"days": {"equals": {"any": 1}}}, {"days": {"any": 2}}, "argument days.any: got 2, expected 1"),
    ],
)
def test_the_first_difference_is_named(
    wanted: Mapping[str, Any], got: Mapping[str, Any], difference: str
) -> None:
    found = one(wanted, got)

    assert not found.passed
    assert found.explanation == f"tool_call: get_weather: {difference}"


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ({"location": "Tokyo, JP"}, {"location": "tokyo jp"}),
        ({"share": 1.0}, {"share": 1}),
        ({"days": "soon"}, {"days": "soon"}),
        ({"location": {"any_of": ["A", "B"]}}, {"location": "B"}),
        ({"location": {"any_of": ["A"], "optional": True}}, {}),
        ({"location": {"any": True}}, {"location": ["whatever"]}),
        (
            {"where": {"city": {"any_of": ["A", "B"]}, "zip": {"any": True, "optional": True}}},
            {"where": {"city": "B"}},
        ),
        ({"days": {"equals": {"any": 1}}}, {"days": {"any": 1}}),
        ({"note": None}, {"note": None}),
    ],
)
def test_arguments_match_by_value_and_by_matchers(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> None:
    assert one(wanted, got).passed


def test_strings_are_compared_exactly_when_asked() -> None:
    assert not one({"location": "Tokyo"}, {"location": "tokyo"}, strings="exact").passed


def test_more_or_fewer_calls_than_one_fail_a_tool_call() -> None:
    assert judged(calls(("a", {}), ("b", {})), "tool_call", name="a").explanation == (
        "tool_call: got 2 calls (a, b), expected 1 call (a)"
    )
    assert (
        score("Sunny!", "tool_call", name="a").explanation
        == "tool_call: no tool call in 'Sunny!', expected a"
    )
    assert (
        judged(calls(("b", {})), "tool_call", name="a").explanation
        == "tool_call: got b(), expected a call of a"
    )


def test_arguments_that_are_no_json_object_fail_whatever_is_expected() -> None:
    answer = Completion(tool_calls=(ToolCall(name="f", arguments=None, text='{"a": '),))

    assert (
        judged(answer, "tool_call", name="f").explanation
        == """tool_call: f: the arguments can't be read: '{"a": '"""
    )


def test_dots_and_underscores_are_one_where_one_tool_can_be_meant() -> None:
    flat = calls(("weather_get", {"location": "A"}))
    twin = tool("weather_get", {})

    assert judged(flat, "tool_call", DOTTED, name="weather.get").passed
    assert not judged(flat, "tool_call", DOTTED, twin, name="weather.get").passed
    assert not judged(flat, "tool_call", name="weather.get").passed


def test_calls_match_in_any_order_unless_it_is_strict() -> None:
    wanted = [{"name": "f", "arguments": {"a": 1}}, {"name": "g"}]
    answer = calls(("g", {}), ("f", {"a": 1}))

    assert judged(answer, "tool_calls", calls=wanted).passed
    assert judged(answer, "tool_calls", calls=wanted[::-1], order="strict").passed
    assert judged(answer, "tool_calls", calls=wanted, order="strict").explanation == (
        "tool_calls: call 1: got g(), expected a call of f"
    )


def test_a_loose_expectation_does_not_take_the_call_that_a_strict_one_needs() -> None:
    wanted = [{"name": "f", "arguments": {"a": {"any": True}}}, {"name": "f", "arguments": {"a": 1}}]

    assert judged(calls(("f", {"a": 1}), ("f", {"a": 2})), "tool_calls", calls=wanted).passed


def test_the_value_of_tool_calls_is_the_share_that_matched() -> None:
    wanted = [{"name": "f", "arguments": {"a": 1}}, {"name": "f", "arguments": {"a": 2}}]
    found = judged(calls(("f", {"a": 1}), ("f", {"a": 3})), "tool_calls", calls=wanted)

    assert found.value == 0.5
    assert found.explanation == "tool_calls: f: argument a: got 3, expected 2"


def test_bfcls_form_lets_arguments_be_left_out_and_lists_the_keys_of_objects() -> None:
    wanted = [
        {
            "name": "f",
            "arguments_any_of": {"a": [10], "unit": ["units", ""], "o": [{"k": ["x", "y"], "z": [""]}]},
        }
    ]

    assert judged(calls(("f", {"a": 10, "o": {"k": "y"}})), "tool_calls", calls=wanted).passed
    assert judged(calls(("f", {"a": 10, "o": {"k": "z"}})), "tool_calls", calls=wanted).explanation == (
        "tool_calls: f: argument o.k: got 'z', expected one of 'x', 'y'"
    )


@given(st.permutations([("f", {"a": 1}), ("f", {"a": 2}), ("g", {}), ("f", {"a": 3})]))
def test_the_order_of_parallel_calls_never_counts(made: list[tuple[str, dict[str, int]]]) -> None:
    wanted = [{"name": "f", "arguments": {"a": n}} for n in (3, 1, 2)] + [{"name": "g"}]

    assert judged(calls(*made), "tool_calls", calls=wanted).passed


def test_any_and_no_tool_call_tell_calls_from_prose() -> None:
    prose = 'You could use f(a=1), e.g. `{"name": "f", "arguments": {}}`.'

    assert score("f(a=1)", "any_tool_call").explanation == "any_tool_call: got f(a=1), as expected"
    assert score("f(a=1)", "no_tool_call").explanation == "no_tool_call: got f(a=1), expected no call"
    assert score(prose, "no_tool_call").passed
    assert not score(prose, "any_tool_call").passed
    assert score("[]", "no_tool_call").passed


def test_an_unreadable_call_is_neither_any_nor_none() -> None:
    broken = '<tool_call>{"name": "f", "argum</tool_call>'

    assert not score(broken, "no_tool_call").passed
    assert score(broken, "any_tool_call").explanation == (
        """any_tool_call: the arguments can't be read: an unreadable call '{"name": "f", "argum'"""
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": " "}, "'name' is ' ', it must be a tool's name"),
        (
            {"name": "f", "arguments": {}, "arguments_any_of": {}},
            "f: give 'arguments' or 'arguments_any_of', not both",
        ),
        (
            {"name": "f", "arguments": [1]},
            "f: 'arguments' is [1], it must be a mapping of argument names to values",
        ),
        (
            {"name": "f", "arguments": {"a": {"any_of": []}}},
            "f: a: 'any_of' must be a list of at least one value" + LITERAL,
        ),
        (
            {"name": "f", "arguments": {"a": {"b": [{"any_of": [1], "optinal": True}]}}},
            "f: a.b[0]: unknown key 'optinal'. Did you mean 'optional'?" + LITERAL,
        ),
        (
            {"name": "f", "arguments": {"a": {"optional": True}}},
            "f: a: give exactly one of 'any_of', 'equals', 'any'" + LITERAL,
        ),
        ({"name": "f", "arguments_any_of": {"a": 1}}, "f: a is 1, it must be a list of the allowed values"),
    ],
)
def test_mistakes_in_an_expected_call_are_named(options: dict[str, Any], message: str) -> None:
    assert problem("tool_call", **options) == message


def test_mistakes_in_a_list_of_calls_are_named() -> None:
    assert (
        problem("tool_calls", calls=[])
        == "'calls' must be a list of calls; for none at all use `no_tool_call: true`"
    )
    assert (
        problem("tool_calls", calls=["f"])
        == "a call is 'f', it must be a mapping such as {name: get_weather}"
    )
    assert problem("tool_calls", calls=[{"name": "f", "argumnets": {}}]) == (
        "unknown key 'argumnets'. Did you mean 'arguments'?"
    )

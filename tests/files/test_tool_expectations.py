"""Expected calls are checked against the tools of their case: a typo there could never be met."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.files.conftest import Complaints, ReadSuite

TOOLS = """
defaults:
  tools:
    - name: get_weather
      parameters:
        properties: {location: {type: string}, unit: {type: string}}
        additionalProperties: false
    - {name: places.find, parameters: {properties: {location: {type: string}}}}
    - {name: ask}
"""


def one(expect: str, more: str = "") -> str:
    return f"{TOOLS}cases:\n  - id: a\n    prompt: Hi\n    expect: {expect}\n{more}"


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        (
            "{tool_call: get_wether}",
            "tool_call: the case has no tool 'get_wether'. Did you mean 'get_weather'?",
        ),
        (
            "{tool_call: refuse}",
            "tool_call: the case has no tool 'refuse': its tools are ask, get_weather, places.find",
        ),
        (
            "{tool_call: {name: get_weather, arguments: {locaton: Tokyo}}}",
            "tool_call: the tool 'get_weather' has no argument 'locaton'. Did you mean 'location'?",
        ),
        (
            "{tool_call: {name: get_weather, arguments: {zip: 1}}}",
            "tool_call: the tool 'get_weather' has no argument 'zip': its arguments are location, unit",
        ),
        (
            "{tool_call: {name: ask, arguments: {zip: 1}}}",
            "tool_call: the tool 'ask' has no argument 'zip': it takes none",
        ),
        (
            "{tool_call: {name: places.find, arguments: {locaton: Tokyo}}}",
            "tool_call: the tool 'places.find' has no argument 'locaton'. Did you mean 'location'?",
        ),
        (
            "{tool_calls: [{name: ask}, {name: get_weather, arguments_any_of: {units: [C]}}]}",
            "tool_calls: the tool 'get_weather' has no argument 'units'. Did you mean 'unit'?",
        ),
        ("{not: {tool_call: askk}}", "tool_call: the case has no tool 'askk'. Did you mean 'ask'?"),
    ],
)
def test_a_call_that_the_tools_do_not_allow_is_a_mistake(
    complaints: Complaints, expect: str, message: str
) -> None:
    (complaint,) = complaints(one(expect))

    column = 19 if expect.startswith("{not") else 13
    assert complaint == f"evals/tools.evalcase.yaml:13:{column}: case 'a': {message}"


@pytest.mark.parametrize(
    "expect",
    [
        "{tool_call: get_weather}",
        "{tool_call: places_find}",
        "{tool_call: {name: places.find, arguments: {radius: 3}}}",
        "{tool_calls: [{name: ask}, {name: get_weather, arguments: {unit: C, location: {any: true}}}]}",
        "{no_tool_call: true}",
    ],
)
def test_calls_that_the_tools_allow_are_none(complaints: Complaints, expect: str) -> None:
    assert complaints(one(expect)) == []


def test_without_tools_any_call_may_be_expected(complaints: Complaints) -> None:
    assert complaints(one("{tool_call: whatever}", "    tools: null\n")) == []


def test_all_mistaken_calls_of_a_case_are_told(complaints: Complaints) -> None:
    expect = (
        "\n      - tool_call: {name: as}\n      - tool_calls: [{name: x}, {name: ask, arguments: {y: 1}}]"
    )

    assert complaints(one(expect)) == [
        "evals/tools.evalcase.yaml:14:9: case 'a': tool_call: the case has no tool 'as'. Did you mean 'ask'?",
        "evals/tools.evalcase.yaml:15:9: case 'a': tool_calls: the case has no tool 'x': "
        "its tools are ask, get_weather, places.find",
        "evals/tools.evalcase.yaml:15:9: case 'a': tool_calls: the tool 'ask' has no argument 'y': "
        "it takes none",
    ]


def test_a_row_that_names_no_tool_is_told_with_its_line(
    suite_of: ReadSuite, complaints: Complaints, tmp_path: Path
) -> None:
    suite_of("cases: [{id: x, prompt: Hi, expect: none}]")
    (tmp_path / "evals/rows.jsonl").write_text('{"id": "r", "tool": "ask"}\n{"id": "s", "tool": "asq"}\n')

    assert complaints(
        TOOLS
        + "datasets:\n  - {path: rows.jsonl, id: '{{id}}', prompt: Hi, expect: {tool_call: '{{tool}}'}}\n"
    ) == [
        "evals/rows.jsonl:2:1: case 's': tool_call: the case has no tool 'asq'. Did you mean 'ask'? "
        "(asked for in evals/tools.evalcase.yaml:11:58)"
    ]

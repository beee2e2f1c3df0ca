from __future__ import annotations

from typing import Any

import pytest

from pytest_ftgate.files.tools import json_schema, openai_tools
from tests.data import data_folder

BARE = {"name": "a.b", "description": "d", "parameters": {"type": "object", "properties": {}}}


@pytest.mark.parametrize(
    "written",
    [BARE, {"type": "function", **BARE}, {"type": "function", "function": BARE}, {"function": BARE}],
)
def test_three_forms_of_a_tool_are_one(written: dict[str, Any]) -> None:
    assert openai_tools([written]) == ({"type": "function", "function": BARE},)


def test_bfcl_types_become_those_of_json_schema() -> None:
    written = {
        "type": "dict",
        "required": ["type"],
        "properties": {
            "type": {"type": "string", "enum": ["dict", "float"], "default": "any"},
            "x": {"type": "float", "description": "any"},
            "pair": {"type": "tuple", "items": {"type": "float"}},
            "free": {"type": "any", "description": "whatever"},
            "either": {"anyOf": [{"type": "dict"}, {"type": ["float", "null"]}]},
        },
    }

    assert json_schema(written) == {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"type": "string", "enum": ["dict", "float"], "default": "any"},
            "x": {"type": "number", "description": "any"},
            "pair": {"type": "array", "items": {"type": "number"}},
            "free": {"description": "whatever"},
            "either": {"anyOf": [{"type": "object"}, {"type": ["number", "null"]}]},
        },
    }


def test_all_tools_of_the_berkeley_leaderboard_become_valid_schemas() -> None:
    import json

    import jsonschema

    rows = (data_folder("bfcl_toolcalling") / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    tools = [tool for row in rows for tool in openai_tools(json.loads(row)["tools"])]

    for tool in tools:
        jsonschema.Draft202012Validator.check_schema(tool["function"]["parameters"])
    assert len(tools) > 441

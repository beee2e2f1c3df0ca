from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from pytest_ftgate.files import values
from pytest_ftgate.files.schema import case_file_schema
from pytest_ftgate.files.yaml_nodes import parse_yaml
from pytest_ftgate.scorers import BUILTIN
from tests.files.test_case_file import TOKYO
from tests.files.test_datasets import ENTRY

SCHEMA = case_file_schema(BUILTIN)


TURNS = """\
defaults: {tool_results: {get_order: null}}
cases:
  - id: refund
    turns:
      - {user: 010, expect: {contains: x}, answer: {lines: 1}, tool_results: {get_order: [1, {a: b}]}}
      - {user: [{type: text, text: x}], expect: null}
    expect: none
"""


def problems(source: str) -> list[str]:
    """What an editor would underline in a file."""
    node = parse_yaml(source.encode())
    assert node is not None
    return [error.json_path for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(values.plain(node))]


def test_it_is_a_schema_of_draft_07() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "source",
    [
        TOKYO,
        ENTRY,
        ENTRY + "    where: {a: [1]}\n    limit: 3\n    seed: 1\n    tags: ['{{t}}']\n    repeat: '{{n}}'\n",
        "defaults: {category: '{{topic}}'}\n" + ENTRY,
        TURNS,
        "datasets: [{path: f.parquet, id: '{{id}}', turns: [{user: '{{q}}', expect: '{{a}}'}]}]",
        "datasets: [{path: f.jsonl, id: '{{id}}', turns: '{{talk}}', tool_results: {f: '{{result}}'}}]",
    ],
)
def test_valid_files_are_valid(source: str) -> None:
    assert problems(source) == []


VALID = [
    "none",
    "1.10",
    "{contains: [a, 010]}",
    "[{contains: a, weight: 2, name: x}, {not: {regex: b}}, {not: c}]",
    "{any_of: [{contains: a}, {all_of: [{starts_with: b}, {json_valid: true}]}]}",
    "{tool_call: {name: f, arguments: {x: {any_of: [1], optional: true}, y: {any: true}, z: {a: 1}}}}",
    "{tool_calls: {calls: [{name: f, arguments_any_of: {base: [10]}}], order: any}}",
    "{json_schema: schema.json}",
    "{json_schema: {schema: {type: object}, extract: true}}",
    "{json_match: {reference: {a: 1}, tolerance: {a: 0.1}}}",
    "{numeric: {reference: 42, after: 'A:', abs: 0.5}}",
    "{rouge_l: {reference: a, at_least: 0.5}}",
    "{latency: 2}",
    "{refusal: true}",
    "{python: 'checks:tone'}",
]


@pytest.mark.parametrize("expect", VALID)
def test_valid_expectations_are_valid(expect: str) -> None:
    assert problems(f"cases: [{{id: a, prompt: x, expect: {expect}}}]") == []


@pytest.mark.parametrize(
    "source",
    [
        "case: []",
        "cases: [{id: a, promt: x, expect: y}]",
        "cases: [{id: a/b, prompt: x, expect: y}]",
        "cases: [{prompt: x, expect: y}]",
        "cases: [{id: a, prompt: x, repeat: 0}]",
        "cases: [{id: a, prompt: x, must_pass: yes}]",
        "cases: [{id: a, prompt: x, messages: [{role: usr, content: y}]}]",
        "cases: [{id: a, prompt: x, answer: {aftr: y}}]",
        "role: targt",
        "datasets: [{path: x.jsonl, id: x}]",
        "datasets: [{path: x.jsonl, id: '{{id}}', wher: {}}]",
        *(
            f"cases: [{{id: a, prompt: x, expect: {expect}}}]"
            for expect in (
                "{exact: y}",
                "[a]",
                "[]",
                "{contains: {refernce: a}}",
                "{bleu: a}",
                "{bleu: {reference: a, at_least: 85}}",
                "{tool_call: {nam: f}}",
                "{any_tool_call: false}",
                "{contains: a, weight: 0}",
                "{any_of: [{contians: a}]}",
                "{python: '{{code}}'}",
            )
        ),
        "datasets: [{path: x.jsonl, id: '{{id}}', expect: {python: '{{code}}'}}]",
    ],
)
def test_misspelt_files_are_not_valid(source: str) -> None:
    assert problems(source) != []


def test_every_scorer_and_every_option_carries_its_doc() -> None:
    properties: dict[str, Any] = SCHEMA["definitions"]["entry"]["properties"]

    for spec in BUILTIN.values():
        assert properties[spec.name]["description"] == spec.doc
        (options,) = [
            form["properties"]
            for form in properties[spec.name].get("anyOf", [properties[spec.name]])
            if "properties" in form
        ] or [{}]
        assert {name: option["description"] for name, option in options.items()} == {
            name: option.doc for name, option in spec.options.items()
        }

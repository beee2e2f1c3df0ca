from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers import score_case
from pytest_ftgate.scorers.json_values import NotJsonError, parse_json
from tests.scorers.build import case, check, problem, score

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=12,
)
PERSON = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]}


@pytest.mark.parametrize("text", ['{"a": 1}', " [1]\n", '"x"', "1", "null"])
def test_one_json_value_is_valid(text: str) -> None:
    assert score(text, "json_valid").passed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1} done', "Extra data at character 10"),
        ("{'a': 1}", "Expecting property name enclosed in double quotes at character 2"),
        ("", "Expecting value at character 1"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("1e999", "1e999 is too large a number"),
    ],
)
def test_what_is_no_json_is_said(text: str, why: str) -> None:
    assert score(text, "json_valid").explanation == f"json_valid: {text!r} is not JSON: {why}"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 10_000])
def test_json_that_cannot_be_read_is_a_failure_not_an_error(text: str) -> None:
    assert not score(text, "json_valid").passed
    assert not score(text, "json_valid", extract=True).passed


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"a": 1}\n```',
        'Here [1] it is:\n```\n{"a": 1}\n```\nDone.',
        'As said in [1], it is {"a": 1}.',
        '{broken} {"a": 1}',
    ],
)
def test_a_value_in_a_fence_or_in_prose_counts_only_when_asked(text: str) -> None:
    assert parse_json(text, extract=True) == {"a": 1}
    assert not score(text, "json_match", reference={"a": 1}).passed
    assert score(text, "json_match", reference={"a": 1}, extract=True).passed


@given(JSON)
def test_every_json_value_is_read_back_and_matches_itself(value: Any) -> None:
    text = json.dumps(value)

    assert parse_json(text) == value
    if not isinstance(value, str):
        assert score(text, "json_match", reference=value).passed


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(NotJsonError):
        json.dumps(parse_json(text, extract=True), allow_nan=False)


@pytest.mark.parametrize(
    ("reference", "answer", "options", "difference"),
    [
        ({"a": {"b": 4}}, {"a": {"b": 3}}, {}, "at a.b: got 3, expected 4"),
        ({"a": 1}, {}, {}, "at a: nothing, expected 1"),
        ({}, {"a": 1}, {}, "at a: got 1, expected nothing"),
        ({"a": 1}, {"a": True}, {}, "at a: got true, expected 1"),
        ([1, 2], [2, 1], {}, "at 0: got 2, expected 1"),
        ([1, 2], [1], {}, "at the top: got 1 elements [1], expected 2 [1, 2]"),
        ([1, 2], [1, 3], {"ignore_order": True}, "at *: got 3, expected 2"),
        ([{"p": 1.0}], [{"p": 1.2}], {"tolerance": {"*.p": 0.1}}, "at 0.p: got 1.2, expected 1.0"),
        (1, "1", {}, "at the top: got '1', expected 1"),
    ],
)
def test_json_match_names_the_first_difference(
    reference: Any, answer: Any, options: dict[str, Any], difference: str
) -> None:
    found = score(json.dumps(answer), "json_match", reference=reference, **options)

    assert not found.passed
    assert found.explanation == f"json_match: {difference}"


@pytest.mark.parametrize(
    ("reference", "answer", "options"),
    [
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}, {"subset": True}),
        ([1, [2, 3]], [[3, 2], 1], {"ignore_order": True}),
        ([{"p": 1.0}], [{"p": 1.05}], {"tolerance": {"*.p": 0.1}}),
        (
            [{"p": 1.0}, {"p": 5}],
            [{"p": 5.05}, {"p": 1.05}],
            {"tolerance": {"*.p": 0.1}, "ignore_order": True},
        ),
        ([1, 2], [2.1, 0.9], {"tolerance": 0.2, "ignore_order": True}),
        ('{"a": 1}', {"a": 1}, {}),
    ],
)
def test_json_match_passes_within_its_options(reference: Any, answer: Any, options: dict[str, Any]) -> None:
    assert score(json.dumps(answer), "json_match", reference=reference, **options).passed


def test_wrong_options_of_json_match_are_refused() -> None:
    assert problem("json_match", reference={"a": float("nan")}) == (
        "'reference' is {\"a\": NaN}, which is not a JSON value"
    )
    assert problem("json_match", reference={}, subset=True) == (
        "a subset of {} matches every object; name the keys that are expected"
    )
    assert problem("json_match", reference=1, tolerance={"a": -1}) == (
        "'a' is -1, it must be a number that is 0 or more"
    )


def test_json_schema_says_where_the_answer_is_invalid() -> None:
    assert score('{"age": -1}', "json_schema", schema=PERSON).explanation == (
        'json_schema: at age: -1 is less than the minimum of 0, in {"age": -1}'
    )
    assert score('{"age": 1}', "json_schema", schema=PERSON).explanation == 'json_schema: {"age": 1} is valid'
    assert not score("NaN", "json_schema", schema={"type": "number"}).passed


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date-time", "2024-02-29T12:30:00Z", "2023-02-29T12:30:00Z"),
        ("date", "2024-02-29", "2023-02-29"),
        ("time", "12:30:00+02:00", "25:00:00Z"),
        ("duration", "P1DT2H", "P"),
        ("uri", "https://example.com/a?b", "no uri"),
        ("hostname", "a.example", "-a.example"),
        ("email", "a@b.example", "ab"),
        ("ipv4", "127.0.0.1", "127.0.0.256"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
    ],
)
def test_formats_are_checked(name: str, good: str, bad: str) -> None:
    schema = {"type": "string", "format": name}

    assert problem("json_schema", schema=schema) is None
    assert score(json.dumps(good), "json_schema", schema=schema).passed
    assert not score(json.dumps(bad), "json_schema", schema=schema).passed


NOT_HERE = "which is not in this schema; nothing is fetched"
EVERYTHING = "the schema accepts everything; say what the answer must look like"


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({}, EVERYTHING),
        (True, EVERYTHING),
        ({"description": "x"}, EVERYTHING),
        ({"properties": {"a": {}}}, EVERYTHING),
        ({"anyOf": [{"type": "string"}, {}]}, EVERYTHING),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"title": "x"}}}, EVERYTHING),
        ({"requird": ["a"]}, "unknown schema keyword 'requird'. Did you mean 'required'?"),
        ({"properties": {"a": {"typ": "string"}}}, "unknown schema keyword 'typ'. Did you mean 'type'?"),
        ({"format": "emial"}, "the format 'emial' can't be checked here. Did you mean 'email'?"),
        ({"$ref": "http://example.com/s"}, f"'$ref' is 'http://example.com/s', {NOT_HERE}"),
        ({"$ref": "file:///etc/passwd"}, f"'$ref' is 'file:///etc/passwd', {NOT_HERE}"),
        ({"$ref": "#/$defs/x"}, f"'$ref' is '#/$defs/x', {NOT_HERE}"),
        ({"$ref": "#"}, "the schema refers to itself without end ('$ref' '#')"),
        (
            {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"$ref": "#/$defs/x"}}},
            "the schema refers to itself without end ('$ref' '#/$defs/x')",
        ),
        (
            {"type": "objct"},
            "the schema is invalid at type: 'objct' is not valid under any of the given schemas",
        ),
        (
            {"$schema": "http://x", "type": "null"},
            "'$schema' is 'http://x', which is no known draft of JSON Schema; leave it out for 2020-12",
        ),
        ([], "the schema is [], it must be a mapping"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_judge_is_refused(schema: Any, message: str) -> None:
    assert problem("json_schema", schema=schema) == message


@pytest.mark.parametrize(
    "schema",
    [
        PERSON,
        {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]},
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "null"}]},
        {"$id": "https://example.com/s", "$ref": "other", "$defs": {"o": {"$id": "other", "type": "string"}}},
        {"properties": {"$ref": {"type": "string"}, "typ": {}}},
        {"not": {"required": ["error"]}},
        {"const": {"$ref": "http://example.com"}},
        {"type": "string", "x-note": "ours"},
    ],
)
def test_a_schema_that_can_judge_is_accepted(schema: Any) -> None:
    assert problem("json_schema", schema=schema) is None


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"type": "string", "pattern": "^(a|a)*$"}, "a" * 40 + "b"),
        ({"uniqueItems": True}, [{"a": i, "b": [i] * 3} for i in range(6000)]),
    ],
)
# An alarm may fall into a callback of the garbage collector, which can't raise: the timer repeats.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_schema_that_takes_for_ever_is_an_error_on_time(schema: Any, answer: Any) -> None:
    started = time.monotonic()

    with pytest.raises(ScorerError) as raised:
        score_case(
            case(check("json_schema", schema=schema)), Completion(text=json.dumps(answer)), deadline_s=0.3
        )

    assert str(raised.value) == "scorer 'json_schema' did not finish within 0.3 s"
    assert time.monotonic() - started < 30  # a bound against hanging

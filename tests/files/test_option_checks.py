from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.files.option_checks import compiled, in_words
from pytest_ftgate.scorers import BUILTIN

SCHEMAS: list[Any] = [option.schema for spec in BUILTIN.values() for option in spec.options.values()]
SCHEMAS += [
    {"type": "integer", "minimum": 0},
    {"type": ["string", "null"], "minLength": 1},
    {"oneOf": [{"type": "number", "exclusiveMinimum": 0}, {"const": "auto"}]},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    {"type": "object", "required": ["a"], "minProperties": 2},
    {"type": "string", "format": "date", "maxLength": 3},
    {"type": "array", "items": {"enum": ["a", 1, True]}, "uniqueItems": True},
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.floats(-2, 3)
    | st.sampled_from(["", "a", "auto", "x:y", "exact"]),
    lambda below: (
        st.lists(below, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "any", "any_of", "name", "optional"]), below, max_size=2)
    ),
    max_leaves=6,
)


@given(schema=st.sampled_from(SCHEMAS), value=VALUES)
def test_the_quick_tests_agree_with_jsonschema(schema: Any, value: Any) -> None:
    check = compiled(schema)

    accepted = check.shape(value) and (check.whole is None or check.whole(value))

    assert accepted == jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "a value"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "number", "minimum": 0, "maximum": 1}, "a number from 0 to 1"),
        ({"type": "integer", "exclusiveMinimum": 0}, "a whole number above 0"),
        ({"type": ["string", "null"], "minLength": 1}, "text or null, not empty"),
        ({"enum": ["any", 1]}, "one of 'any', 1"),
        ({"const": True}, "true"),
        (
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]},
            "text or a list of texts, not empty",
        ),
        ({"type": "string", "pattern": "^a$"}, "text that matches ^a$"),
    ],
)
def test_a_schema_is_said_in_words(schema: Any, words: str) -> None:
    assert in_words(schema) == words

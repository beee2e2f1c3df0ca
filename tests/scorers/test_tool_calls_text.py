from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.scorers.tool_calls_text import decode_calls

F = [("f", {"a": 1})]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)


def decoded(text: str) -> list[tuple[str, Any]]:
    return [(call.name, call.arguments) for call in decode_calls(text)]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("f(a=1)", F),
        (" [f(a=1)]\n", F),
        ("f(a=1), g.h()", [*F, ("g.h", {})]),
        ("f(a=1)\ng.h()", [*F, ("g.h", {})]),
        (
            "f(x=[1, (2, -3.5)], y={'k': None}, z=true)",
            [("f", {"x": [1, [2, -3.5]], "y": {"k": None}, "z": True})],
        ),
        ("f(city=Paris)", [("f", {"city": "Paris"})]),
        ('{"name": "f", "arguments": {"a": 1}}', F),
        ('[{"name": "f", "parameters": {"a": 1}}]', F),
        ('{"name": "f", "arguments": "{\\"a\\": 1}"}', F),
        ('{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}', F),
        ('{"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}', F),
        ('{"name": "f", "arguments": {"a": 1}}; {"name": "g", "arguments": {}}', [*F, ("g", {})]),
        ('```json\n{"name": "f", "arguments": {"a": 1}}\n```', F),
        ("```python\nf(a=1)\n```", F),
        ("`f(a=1)`", F),
        ('<|python_tag|>{"name": "f", "parameters": {"a": 1}}', F),
        ('Let me look. <tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>', F),
        ('<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n', F),
        ('<tool_call>{"name": "f"</tool_call>', [("", None)]),
        ('{"name": "f", "arguments": [1]}', [("f", None)]),
        ("f(1, a=2)", [("f", None)]),
        ("f(a=g(1))", [("f", None)]),
        ("f(a=2*3)", [("f", None)]),
        ("f(**{'a': 1})", [("f", None)]),
        ("f(a=__import__('os').system('true'))", [("f", None)]),
    ],
)
def test_calls_are_read_in_the_forms_that_models_write(text: str, made: list[tuple[str, Any]]) -> None:
    assert decoded(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "", "Sunny.", "You can call f(a=1).", "Paris (France)", "[None]", "[]", "[5 * 9, 2]", "[1, 2]",
        '{"name": "Bob"}', '{"answer": 42}', "f(a=1", "f(a=1).g()", "lambda: f()", "x = f(a=1)", "(f)(a=1)",
        "f(ip=1.2.3.4)", "null", "Use this:\n```\nf(a=1)\n```", "(" * 5000, "-" * 90_000, "[" * 5000,
        "[{" * 5000, '{"a":' * 5000, "f(" + "9" * 6000 + ")",
    ],
)  # fmt: skip
def test_text_that_is_not_made_of_calls_has_none(text: str) -> None:
    assert decoded(text) == []


def test_a_text_beyond_the_limit_is_not_read() -> None:
    assert decoded("f(a='" + "x" * 100_000 + "')") == []


def test_arguments_nested_beyond_the_limit_are_unreadable() -> None:
    assert decoded("f(a=" + "[" * 60 + "]" * 60 + ")") == [("f", None)]


@given(st.text())
def test_any_text_can_be_looked_through(text: str) -> None:
    for form in (text, f"f({text})", f"[{text}]", f'{{"name": {text}', f"<tool_call>{text}"):
        decode_calls(form)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True).map(lambda name: f"{name}_"), JSON, max_size=3
    )
)
def test_calls_written_as_python_or_json_are_read_back(arguments: dict[str, Any]) -> None:
    python = f"f({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"

    assert decoded(python) == [("f", arguments)]
    assert decoded(json.dumps({"name": "f", "arguments": arguments})) == [("f", arguments)]

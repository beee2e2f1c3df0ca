from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.models.boundary import parse_json, public_url, quoted, safe_json, safe_message, safe_text

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_safe_text_can_be_encoded_and_holds_nothing_invisible_but_tab_and_newline(text: str) -> None:
    safe = safe_text(text)

    safe.encode("utf-8")
    assert not [char for char in safe if char < " " and char not in "\n\t"]
    assert not [char for char in safe if "\x7f" <= char < "\xa0" or char in "\ufffe\uffff"]


@given(ANY_TEXT)
def test_making_safe_twice_changes_nothing(text: str) -> None:
    assert safe_text(safe_text(text)) == safe_text(text)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn"))))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a\ud800b", "a\\ud800b"),
        ("a\x00b", "a\\x00b"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("\ufffe\uffff", "\\ufffe\\uffff"),
        ("one\r\ntwo\rthree\tx\n", "one\ntwo\\x0dthree\tx\n"),
        ("é 日本 🎉", "é 日本 🎉"),
    ],
)
def test_unsafe_code_points_become_visible(text: str, safe: str) -> None:
    assert safe_text(text) == safe


def test_names_and_values_within_json_are_made_safe() -> None:
    assert safe_json({"a\x00": ["\ud800", {"b": ("x\r\ny", 1, None, True)}]}) == {
        "a\\x00": ["\\ud800", {"b": ["x\ny", 1, None, True]}]
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 2}', 'the name "a" occurs twice'),
        ('{"a": NaN}', "NaN is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("[1e999]", "1e999 is too large a number"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_json_that_others_would_let_through_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_json(text)

    assert str(caught.value) == said


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    )
)
def test_json_is_read_as_it_was_written(value: object) -> None:
    assert parse_json(json.dumps(value)) == value


def test_a_quotation_is_short_and_on_one_line() -> None:
    assert quoted("a\nb\x1b") == '"a\\nb\\\\x1b"'
    assert quoted("x" * 201) == '"' + "x" * 200 + '"…'


@pytest.mark.parametrize(
    "text", ["[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65, '[1, {"a": ' + "[" * 63 + "]" * 63 + "}]"]
)
def test_json_that_nests_deeper_than_everybody_can_walk_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(text)
    with pytest.raises(ValueError, match="nested too deeply"):
        safe_json(json.loads(text))

    assert parse_json(text, 65) == json.loads(text)
    assert safe_json(json.loads(text), 65) == json.loads(text)


def test_a_message_is_bounded() -> None:
    assert safe_message("a\x00" + "x" * 4998) == "a\\x00" + "x" * 3998 + "… (1,000 more characters)"


def test_a_public_url_holds_no_user_password_query_or_fragment() -> None:
    assert public_url("https://user:pass@host:8443/v1?token=x#y") == "https://host:8443/v1"

"""What is taken for a secret, in which forms it is found, and what stays readable beside it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_ftgate.models.boundary import parse_json, quoted
from pytest_ftgate.models.redaction import Redactor

KEY = 'tok/0123+"é\\abcdefghijkl'  # each encoding changes it
#: A variable of the environment whose bytes are no UTF-8, as Python hands it over.
BYTES = "key-\udce9-0123456789"


@pytest.mark.parametrize("length", [6, 19, 20, 200])
def test_a_secret_from_six_characters_on_is_replaced_whole(length: int) -> None:
    secret = "abcd1efghij023456789"[:length].ljust(length, "z")

    assert Redactor([secret])(f"<{secret}>") == "<[redacted]>"


def test_a_shorter_text_is_a_word() -> None:
    assert Redactor(["hello"])("hello, world") == "hello, world"


def test_the_ends_of_a_long_key_are_secrets_too_and_those_of_a_short_one_are_words() -> None:
    long, short = "sk-proj-abcd-wxyz-01", "sk-proj-abcd-wxyz-1"

    assert Redactor([long])("sk-proj-abcd… …-wxyz-01") == "[redacted]… …[redacted]"
    assert Redactor([short])("sk-proj-abcd… …-wxyz-1") == "sk-proj-abcd… …-wxyz-1"
    assert Redactor([long])("sk-proj-") == "sk-proj-"


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        quote(KEY, safe=""),
        json.dumps(KEY)[1:-1],
        base64.b64encode(KEY.encode()).decode().rstrip("="),
    ],
)
def test_nothing_of_an_encoded_secret_is_left(form: str) -> None:
    redact = Redactor([KEY])

    assert redact(f"<{form}>") == "<[redacted]>"
    assert redact.scrub(f"<{form}>".encode()) == b"<[redacted]>"


@pytest.mark.parametrize("secret", ["abcd1W", "abcd1f", "abcd1?"])
def test_base64_is_replaced_up_to_its_last_character(secret: str) -> None:
    assert Redactor([secret])(f"<{base64.b64encode(secret.encode()).decode()}>") == "<[redacted]>"


def test_base64_is_found_with_its_padding_and_without() -> None:
    secret = "pass-word"[:7]
    padded = base64.b64encode(secret.encode()).decode()

    assert padded.endswith("==")
    assert Redactor([secret])(f"{padded} {padded.rstrip('=')}") == "[redacted]== [redacted]"


@pytest.mark.parametrize(
    "form",
    [
        b"key-\xe9-0123456789",
        b"key-%E9-0123456789",
        b"key-\\udce9-0123456789",
        base64.b64encode(b"key-\xe9-0123456789").rstrip(b"="),
    ],
)
def test_a_key_that_is_no_utf_8_is_found_as_the_bytes_that_it_is(form: bytes) -> None:
    redact = Redactor([BYTES])

    assert redact.scrub(b"<" + form + b">") == b"<[redacted]>"
    assert redact(f"<{form.decode('utf-8', 'surrogateescape')}>") == "<[redacted]>"


@given(st.text(min_size=6).filter(lambda text: len(text) >= 12 or not text.isalpha()), st.text(), st.text())
def test_no_form_of_a_secret_is_ever_left(secret: str, before: str, after: str) -> None:
    forms = [secret, quote(secret, safe=""), json.dumps(secret)[1:-1]]
    forms.append(base64.b64encode(secret.encode()).decode().rstrip("="))
    assume(not any(form in "[redacted]" for form in forms))

    shown = Redactor([secret])(before + "\n".join(forms) + after)

    # What comes before may join what was put there, and be a secret by accident: only then one is left.
    assume(not any(form in f"{before}[redacted]{after}" for form in forms))
    assert not [form for form in forms if form in shown]


def test_one_secret_within_another_leaves_no_rest_of_the_longer() -> None:
    assert Redactor(["abcdef", "abcdef-ghijkl"])("abcdef-ghijkl") == "[redacted]"


def test_a_quotation_of_200_characters_is_whole_and_readable() -> None:
    assert quoted("é" * 200) == '"' + "é" * 200 + '"'


@pytest.mark.parametrize("text", ['{"a": [1.5, null, {"a": "b"}]}', "[]", "1.5"])
def test_plain_json_is_read(text: str) -> None:
    assert parse_json(text) == json.loads(text)


def test_the_name_that_occurs_twice_is_named() -> None:
    with pytest.raises(ValueError, match='the name "b" occurs twice'):
        parse_json('{"a": 1, "b": 2, "b": 3, "c": 4}')

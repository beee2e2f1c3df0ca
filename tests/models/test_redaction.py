from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.files.config_file import ConfigFile
from pytest_ftgate.files.model_entries import ModelEntry
from pytest_ftgate.models.redaction import REDACTED, Redactor
from pytest_ftgate.models.run_secrets import secrets_of

SECRET = 'sk-proj-0123456789/+abc"def=='
PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=6, max_size=60)
SECRETS = PRINTABLE.filter(lambda text: not text.isalpha())


def spellings(secret: str) -> list[str]:
    """The ways in which a text, a URL, JSON or HTML writes it."""
    escaped = json.dumps(secret)[1:-1]
    urls = [quote(secret), quote(secret, safe=""), quote_plus(secret)]
    return [secret, *urls, escaped, escaped.replace("/", "\\/"), html.escape(secret), secret.encode().hex()]


@given(SECRETS, PRINTABLE, PRINTABLE)
def test_no_spelling_of_a_secret_is_left(secret: str, before: str, after: str) -> None:
    redact = Redactor([secret])

    for spelling in spellings(secret):
        shown = redact(f"{before} {spelling} {after}")
        assert spelling not in shown.replace(REDACTED, "\n")
        assert spelling.encode() not in redact.scrub(f"{before} {spelling} {after}".encode()).replace(
            REDACTED.encode(), b"\n"
        )


@given(SECRETS, st.binary(max_size=40), st.binary(max_size=40), st.booleans())
def test_of_a_secret_within_base64_hardly_a_byte_is_left(
    secret: str, before: bytes, after: bytes, is_for_urls: bool
) -> None:
    """Whatever stands around it, and so wherever in a group of three bytes it begins."""
    encode = base64.urlsafe_b64encode if is_for_urls else base64.b64encode
    data = before + secret.encode() + after
    encoded = encode(data).decode()

    shown = Redactor([secret])(encoded)

    # Of six bits each, the digits that hold nothing but the secret.
    first, last = -(-len(before) * 8 // 6), (len(before) + len(secret)) * 8 // 6
    assert encoded[first:last] not in shown
    assert REDACTED in shown


def test_the_ends_of_a_long_secret_are_redacted_in_their_spellings() -> None:
    redact = Redactor([SECRET])

    for end in (SECRET[:12], SECRET[-8:]):
        for spelling in (end, json.dumps(end)[1:-1], quote(end, safe="")):
            assert redact(f"<{spelling}>") == "<[redacted]>"


@pytest.mark.parametrize("word", ["abc", "", "dummy", "secret", "openai", "password"])
def test_a_short_word_is_no_secret(word: str) -> None:
    """It protects nothing and occurs in answers, which must be judged as they are."""
    assert Redactor([word])(f"the {word} is") == f"the {word} is"


def test_names_and_values_in_builtins_are_redacted() -> None:
    redact = Redactor([SECRET])

    assert redact.json({SECRET: [f"a {SECRET}", 1, None, ({"b": SECRET},)]}) == {
        REDACTED: [f"a {REDACTED}", 1, None, [{"b": REDACTED}]]
    }


def test_a_redactor_finds_what_it_would_replace() -> None:
    redact = Redactor([SECRET])

    assert redact.finds(f"x{SECRET}")
    assert not redact.finds("x")


def test_the_redactors_repr_shows_no_secret() -> None:
    assert SECRET not in repr(Redactor([SECRET]))


def test_the_secrets_of_a_run_are_those_of_all_entries_and_what_the_environment_calls_one() -> None:
    config = ConfigFile(
        models={
            "a": ModelEntry(name="a", kind="openai", line=1, api_key_env="WEAK", base_url_env="ADDRESS"),
            "b": ModelEntry(name="b", kind="openai", line=2, api_key_env="UNSET"),
            "c": ModelEntry(name="c", kind="python", line=3, python="bots:answer"),
        }
    )
    environ = {
        "WEAK": "hunter2",
        "ADDRESS": "https://me:p%2Fss-w0rd@host/v1?token=t0ken-of-mine&api-version=1",
        "OPENAI_API_KEY": "sk-1",
        "OTHER_TOKEN": "abcdefgh12345678",
        "DATABASE": "postgres://me:other-pass@db/x",
        "GOOGLE_APPLICATION_CREDENTIALS": "/home/me/key-0123456789.json",
        "MONKEY": "a-word-without-digits",
        "BROKEN": "http://[",
        "HOME": "/home/user0123456789abcdef",
    }

    assert secrets_of(config, environ) == [
        *("abcdefgh12345678", "hunter2", "me", "other-pass", "p%2Fss-w0rd", "p/ss-w0rd"),
        *("sk-1", "t0ken-of-mine"),
    ]

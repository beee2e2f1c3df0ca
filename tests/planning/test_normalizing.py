from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.planning.normalizing import normalized

WORDS = st.lists(
    st.text(string.ascii_letters, min_size=1, max_size=8) | st.sampled_from(["Größe", "Ωmega", "東京"]),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(st.text())
def test_a_normal_form_is_its_own(text: str) -> None:
    assert normalized(normalized(text)) == normalized(text)


@settings(deadline=None)
@given(
    WORDS, st.lists(st.sampled_from([" ", "\n", "\t ", "  ", ", ", " - ", "! ", "…", "\u00a0"]), min_size=8)
)
def test_spaces_and_punctuation_between_words_make_no_difference(words: list[str], gaps: list[str]) -> None:
    spaced = "".join(word + gap for word, gap in zip(words, gaps, strict=False))

    assert normalized(spaced) == normalized(" ".join(words[: len(gaps)]))


@settings(deadline=None)
@given(st.text(string.ascii_letters + string.digits + " .,?"))
def test_case_makes_no_difference(text: str) -> None:
    assert normalized(text.upper()) == normalized(text.lower())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What's the weather in TOKYO?", "what s the weather in tokyo"),
        ("\uff34okyo", "tokyo"),
        ("STRASSE", "straße"),
        ("cafe\u0301", "café"),
        ("東京の天気は?", "東京の天気は"),
        ("17-25", "17 \u2212 25"),
    ],
)
def test_the_same_text_written_in_two_ways(one: str, other: str) -> None:
    assert normalized(one) == normalized(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 17 + 25?", "What is 17 - 25?"),
        ("What is 17 * 25?", "What is 17 / 25?"),
        ("12%", "12"),
        ("हिंदी", "हद"),
        ("€5", "$5"),
    ],
)
def test_what_means_something_else_stays_different(one: str, other: str) -> None:
    assert normalized(one) != normalized(other)

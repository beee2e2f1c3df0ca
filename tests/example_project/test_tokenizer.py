"""Text to tokens and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_project.assistant.tokenizer import PIECES, SPECIALS, Tokenizer
from tests.example_project.small_models import MERGES, tokenizer

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(ANY_TEXT)
def test_what_is_encoded_is_decoded_to_the_same_text(text: str) -> None:
    assert tokenizer().decode(tokenizer().encode(text)) == text


@given(st.lists(st.one_of(st.sampled_from(SPECIALS), ANY_TEXT)).map("".join))
def test_no_text_is_encoded_to_a_special_token(text: str) -> None:
    specials = set(tokenizer().specials.values())

    assert not specials & set(tokenizer().encode(text))


@given(st.lists(st.sampled_from(["the", " parcel", "a", "r", "ing", "1", " ", "\n", "ü"])).map("".join))
def test_tokens_are_as_if_pairs_were_merged_in_the_order_in_which_they_were_learned(text: str) -> None:
    known = tokenizer()
    spelt = [known.bytes_of(token).decode("latin-1") for token in known.encode(text)]

    assert spelt == merged_one_merge_at_a_time(text)


def merged_one_merge_at_a_time(text: str) -> list[str]:
    """The definition of byte-pair encoding: every merge in turn, all over each piece."""
    result: list[str] = []
    for piece in PIECES.findall(text):
        parts = list(piece.encode().decode("latin-1"))
        for left, right in MERGES:
            position = 0
            while position < len(parts) - 1:
                if (parts[position], parts[position + 1]) == (left, right):
                    parts[position : position + 2] = [left + right]
                position += 1
        result += parts
    return result


def test_the_longest_merges_are_single_tokens() -> None:
    known = tokenizer()

    assert [known.bytes_of(token) for token in known.encode("the parcel")] == [b"the", b" parcel"]


def test_each_digit_is_a_token() -> None:
    known = Tokenizer([("1", "2"), *MERGES])

    assert known.encode("12 3") == [ord("1"), ord("2"), ord(" "), ord("3")]


def test_ids_are_bytes_then_specials_then_merges() -> None:
    known = tokenizer()

    assert known.encode("A") == [65]
    assert [known.special(name) for name in SPECIALS] == list(range(256, 263))
    assert known.encode("th") == [263]
    assert known.size == 263 + len(MERGES)


def test_two_merges_that_spell_the_same_token_share_its_first_id() -> None:
    known = Tokenizer([("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc"), ("abc", "d")])

    assert known.encode("abcd") == [263 + 4]
    assert known.size == 263 + 5


def test_bytes_that_are_no_utf8_become_the_replacement_character() -> None:
    assert tokenizer().decode([0xC3, 65]) == "\ufffdA"


def test_special_tokens_have_no_text() -> None:
    known = tokenizer()

    assert known.decode([65, *known.specials.values(), 66]) == "AB"


def test_a_lone_surrogate_is_encoded_as_a_question_mark() -> None:
    assert tokenizer().encode("a\ud800") == [ord("a"), ord("?")]


def test_an_unknown_special_token_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="<nobody>"):
        tokenizer().special("<nobody>")


def test_a_vocabulary_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps({"specials": ["<only>"], "merges": MERGES}), encoding="utf-8")

    known = Tokenizer.read(path)

    assert known.special("<only>") == 256
    assert known.encode("th") == [257]

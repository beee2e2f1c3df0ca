"""The tokens of an answer become the pieces of a message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from example_project.assistant.reading import AnswerReader, Piece
from example_project.assistant.template import parse
from tests.example_project.small_models import tokenizer, tokens_of

KNOWN = tokenizer()
CALL = KNOWN.special("<call>")
TOKENS = st.integers(0, KNOWN.size - 1).filter(lambda token: KNOWN.bytes_of(token) or token == CALL)
LETTERS = st.text("abc", min_size=1, max_size=3)


def read(ids: Sequence[int], *stops: str) -> Iterator[Piece]:
    """The pieces of an answer; the log-probability of its first token is -0, of its second -1, and so on."""
    reader = AnswerReader(KNOWN, [stop.encode() for stop in stops], 0)
    for index, token in enumerate(ids):
        yield from reader.read(token, {"logprob": -index})
        if reader.has_stopped:
            break
    yield from reader.close()


def deltas(text: str, *stops: str) -> list[dict[str, Any]]:
    """What is streamed of an answer, the ids of calls aside."""
    found = [piece.delta for piece in read(tokens_of(text), *stops)]
    for call in (call for delta in found for call in delta.get("tool_calls", ()) if "id" in call):
        assert call.pop("id").startswith("call_")
    return found


def content(pieces: Iterator[Piece]) -> str:
    return "".join(piece.delta["content"] for piece in pieces)


@given(st.lists(TOKENS))
def test_streamed_pieces_add_up_to_what_the_template_parses(ids: list[int]) -> None:
    pieces = list(read(ids))

    calls: list[list[str]] = []
    for delta in (call for piece in pieces for call in piece.delta.get("tool_calls", ())):
        if "id" in delta:
            calls.append([delta["function"]["name"], ""])
        calls[delta["index"]][1] += delta["function"]["arguments"]
    answer = parse(ids, KNOWN)
    assert "".join(piece.delta.get("content", "") for piece in pieces) == answer.text
    assert calls == [[call.name, call.arguments] for call in answer.calls]


def test_a_call_is_streamed_name_first() -> None:
    assert deltas('Ok<call>find {"n":1}') == [
        {"content": "O"},
        {"content": "k"},
        {"tool_calls": [{"index": 0, "type": "function", "function": {"name": "find", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "n"}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1"}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]},
    ]


def test_a_call_without_arguments_gets_an_empty_object() -> None:
    assert deltas("<call>a<call>b ") == [
        {"tool_calls": [{"index": 0, "type": "function", "function": {"name": "a", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 1, "type": "function", "function": {"name": "b", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
    ]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_piece_ends_in_the_middle_of_a_character(text: str) -> None:
    pieces = list(read(list(text.encode())))

    assert all("\ufffd" not in piece.delta["content"] for piece in pieces if "\ufffd" not in text)
    assert content(iter(pieces)) == text


def test_half_a_character_at_the_end_is_a_replacement_character() -> None:
    assert content(read([65, 0xC3])) == "A\ufffd"


@given(st.lists(LETTERS).map("".join), st.lists(LETTERS, min_size=1, max_size=3))
def test_text_ends_before_the_first_stop_sequence_that_is_complete(text: str, stops: list[str]) -> None:
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    first = min((end for end, _ in ends), default=None)
    starts = [start for end, start in ends if end == first]

    assert content(read(list(text.encode()), *stops)) == text[: min(starts, default=len(text))]


def test_what_may_begin_a_stop_sequence_is_held_back_until_it_can_not() -> None:
    assert deltas("1+2++3+++4", "+++") == [
        {"content": "1"},
        {"content": "+2"},
        {"content": "++3"},
    ]


def test_a_stop_sequence_in_the_middle_of_a_token_cuts_it() -> None:
    [parcel] = tokens_of(" parcel")

    assert content(read([parcel, parcel], "rce")) == " pa"


def test_log_probabilities_come_with_the_text_that_their_tokens_begin_in() -> None:
    pieces = list(read(tokens_of("1+2++3"), "+++"))

    assert [(piece.delta["content"], [entry["logprob"] for entry in piece.logprobs]) for piece in pieces] == [
        ("1", [0]),
        ("+2", [-1, -2]),
        ("++3", [-3, -4, -5]),
    ]


@given(st.lists(TOKENS.filter(lambda token: token != CALL)), st.lists(LETTERS, max_size=2))
def test_there_is_one_log_probability_for_each_token_of_the_text(ids: list[int], stops: list[str]) -> None:
    pieces = list(read(ids, *stops))

    told = [-entry["logprob"] for piece in pieces for entry in piece.logprobs]
    assert told == list(range(len(told)))
    if not any(stop in KNOWN.decode(ids) for stop in stops):
        assert len(told) == len(ids)


def test_tokens_of_calls_have_no_log_probabilities() -> None:
    assert [piece.logprobs for piece in read(tokens_of("<call>a {}"))] == [(), (), ()]

from __future__ import annotations

import json

import pytest

from pytest_ftgate.planning.training_data import BrokenRow, TrainingRow, parse_training_rows

FORMS = '{"messages": [...]}, {"prompt": ..., "completion": ...} or {"text": ...}'


def rows(*lines: object, name: str = "train.jsonl") -> list[TrainingRow | BrokenRow]:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return list(parse_training_rows(raw, name))


def test_every_user_message_of_a_conversation_counts() -> None:
    messages = [
        {"role": "system", "content": "You route."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": [{"type": "text", "text": "second"}, {"type": "image_url"}]},
    ]

    assert rows({"messages": messages}) == [TrainingRow(line=1, texts=("first", "second"))]


def test_prompts_and_texts_count_as_they_are() -> None:
    found = rows(
        {"prompt": "a", "completion": "b"},
        {"prompt": [{"role": "user", "content": "c"}], "completion": []},
        {"text": "d"},
    )

    assert [row.texts for row in found if isinstance(row, TrainingRow)] == [("a",), ("c",), ("d",)]


def test_plain_text_has_a_text_in_each_line_and_empty_lines_are_counted() -> None:
    found = rows(b"\xef\xbb\xbffirst line\n", b"\r\n", b"{not json\n", name="corpus.TXT")

    assert found == [TrainingRow(line=1, texts=("first line",)), TrainingRow(line=3, texts=("{not json",))]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"prompt": "a"', "this line is not JSON: Expecting ',' delimiter at column 15"),
        (b"\xff\xfe", "this line is not UTF-8"),
        (b"[1]", f"a row is a JSON object such as {FORMS}; this one is a list"),
        (b"{}", f"a row has the form {FORMS}; this one has no keys"),
        (
            b'{"question": 1, "answer": 2}',
            f"a row has the form {FORMS}; this one has only 'question', 'answer'",
        ),
        (b'{"prompt": 3}', "'prompt' is text or a list of messages; this is a number"),
        (b'{"text": null}', "'text' is text; this is null"),
        (b'{"messages": "hi"}', "'messages' is a list of messages with 'role' and 'content'; this is text"),
        (
            b'{"messages": [{"role": "user", "content": true}]}',
            "a message in 'messages' has true or false as its 'content'; text is wanted",
        ),
        (
            b'{"messages": [{"role": "user", "content": [1]}]}',
            "a message in 'messages' has content parts that are no objects with 'type' and 'text'",
        ),
    ],
)
def test_a_broken_row_is_named_with_its_place_and_the_rest_is_read(line: bytes, message: str) -> None:
    first, second = rows(line, {"text": "sound"})

    assert str(first) == f"train.jsonl:1: {message}"
    assert second == TrainingRow(line=2, texts=("sound",))


def test_a_row_that_is_nested_too_deep_is_broken_too() -> None:
    (found,) = rows(b"[" * 100_000)

    assert isinstance(found, BrokenRow)

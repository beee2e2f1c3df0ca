from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.models.endpoints.bodies import MalformedAnswer
from pytest_ftgate.models.endpoints.event_stream import Event, is_event_stream, parse_events, seconds_at


def data_of(body: bytes) -> list[str]:
    return [event.data for event in parse_events(body)]


def refusal(body: bytes) -> str:
    with pytest.raises(MalformedAnswer) as caught:
        list(parse_events(body))
    return str(caught.value)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_in_any_of_three_ways(end: bytes) -> None:
    assert data_of(end.join([b"data: 1", b"", b"data: 2", b"", b""])) == ["1", "2"]


def test_comments_and_unknown_fields_are_left_out() -> None:
    assert data_of(b": ping\n\nid: 7\nretry: 10\nwhatever\ndata: 1\n: between\n\n: end\n") == ["1"]


def test_one_space_after_the_colon_belongs_to_the_field() -> None:
    assert data_of(b"data:1\n\ndata:  2\n\n") == ["1", " 2"]


def test_several_data_lines_are_one_text() -> None:
    assert data_of(b'data: {"a":\ndata: 1}\n\n') == ['{"a":\n1}']


def test_an_event_keeps_its_name_for_itself() -> None:
    events = list(parse_events(b"event: error\ndata: 1\n\ndata: 2\n\n"))

    assert [(event.name, event.data) for event in events] == [("error", "1"), ("", "2")]


def test_a_byte_order_mark_is_no_part_of_a_field() -> None:
    assert data_of(b"\xef\xbb\xbfdata: 1\n\n") == ["1"]


def test_where_an_event_ends_is_where_its_data_ends() -> None:
    first, second = parse_events(b": hello\n\ndata: 1\n\ndata: 23\n\n")

    assert (first.end, second.end) == (len(b": hello\n\ndata: 1"), len(b": hello\n\ndata: 1\n\ndata: 23"))


@pytest.mark.parametrize(
    "end", [b"data: [DONE]", b"data:[DONE]\n", b"data: [DONE]\r\n\r\n", b"data: [DONE]\n\ndata: x"]
)
def test_done_is_the_last_event_whatever_follows_it(end: bytes) -> None:
    events = list(parse_events(b"data: 1\n\n" + end))

    assert [event.is_done for event in events] == [False, True]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"data: 1\n\ndata: 2", "the stream ends within a line"),
        (b"data: 1\n\ndat", "the stream ends within a line"),
        (b"data: 1\n\ndata: 2\n", "the stream ends within an event"),
        (b"data: 1\n\nevent: error\n", "the stream ends within an event"),
        (b"data: \xff\n\n", "the stream is not UTF-8"),
    ],
)
def test_half_an_event_is_not_dropped(body: bytes, said: str) -> None:
    assert refusal(body) == said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('{"a": ', 'an event is not JSON: "{\\"a\\": "'),
        ("[1]", 'an event is not a JSON object: "[1]"'),
        ("[" * 99_999, "an event is not JSON: "),
    ],
)
def test_data_that_is_no_json_object_is_malformed(data: str, said: str) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        Event(name="", data=data, end=0).payload()

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/event-stream; charset=utf-8", b"data: 1\n\n", True),
        ("text/event-stream", b"", True),
        ("text/event-stream", b' {"choices": []}', False),
        ("text/plain", b"data: 1\n\n", True),
        ("", b"\n: ping\n\n", True),
        ("application/json", b'{"data:": 1}', False),
        ("text/html", b"<html>", False),
    ],
)
def test_a_stream_is_told_by_what_it_is(content_type: str, body: bytes, expected: bool) -> None:
    assert is_event_stream(content_type, body) is expected


def test_the_time_of_a_byte_is_that_of_the_part_it_came_with() -> None:
    marks = [(10, 0.1), (20, 0.2), (30, 0.3)]

    assert [seconds_at(marks, end) for end in (1, 10, 11, 30, 31)] == [0.1, 0.1, 0.2, 0.3, None]


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1)))
def test_what_is_sent_line_by_line_comes_out(texts: list[str]) -> None:
    body = b"".join(f"data: {text}\n\n".encode() for text in texts)
    until_done = texts[: next((at for at, text in enumerate(texts) if text.strip() == "[DONE]"), len(texts))]

    assert [event.data for event in parse_events(body) if not event.is_done] == until_done


@given(
    st.binary()
    | st.lists(st.sampled_from([b"data: ", b"{}", b"\n", b"\r", b":", b"event: x", b"[DONE]"])).map(b"".join)
)
def test_any_bytes_are_events_or_malformed(body: bytes) -> None:
    with contextlib.suppress(MalformedAnswer):
        assert all(0 < event.end <= len(body) for event in parse_events(body))

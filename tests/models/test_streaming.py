"""Streamed answers and the Responses API over real sockets."""

from __future__ import annotations

import json
import time

import pytest

from pytest_ftgate.cases import Expectation
from pytest_ftgate.completions import ToolCall, Usage
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from pytest_ftgate.models.price import Price
from tests.models.asking import KEY, QUICK, answer_of, chat, error_of
from tests.support.requests import request
from tests.support.server import ChatServer, Reply
from tests.support.streams import DONE, event

BOTH = pytest.mark.parametrize("api", ["chat", "responses"])
# By which the server's clock and the client's may differ within one pause.
CLOCKS_S = 0.01


def noun(api: str) -> str:
    return "chat completion" if api == "chat" else "response"


def stream_of(*parts: bytes, **how: object) -> Reply:
    return Reply(body=b"".join(parts), headers={"Content-Type": "text/event-stream"}, **how)  # type: ignore[arg-type] # fields of Reply


@BOTH
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_keeps_what_the_endpoint_says_of_it(api: str, stream: bool) -> None:
    calls = [{"name": "get_weather", "arguments": '{"city": "Tokyo"}'}]
    perplexity = Expectation(scorer="perplexity", options={"at_most": 2})
    said = Reply(text="Paris", tool_calls=calls, logprobs=[-0.1, -0.2], usage=(1000, 500), served="ft:gpt-1")

    with ChatServer(lambda _: said) as server:
        model = chat(server.url, api=api, stream=stream, price=Price(input=2.0, output=8.0))
        answer = answer_of(model, request(expect=(perplexity,)))

    assert (answer.text, answer.model) == ("Paris", "ft:gpt-1")
    assert answer.tool_calls == (ToolCall(name="get_weather", arguments={"city": "Tokyo"}),)
    assert answer.usage == Usage(input_tokens=1000, output_tokens=500)
    assert answer.cost == pytest.approx(0.006)
    assert answer.logprobs == (-0.1, -0.2)
    assert (answer.time_to_first_token_s is not None) is stream


@BOTH
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_answer_that_was_cut_off_says_so(api: str, stream: bool, reason: str) -> None:
    with ChatServer(lambda _: Reply(text="Par", finish_reason=reason)) as server:
        answer = answer_of(chat(server.url, api=api, stream=stream))

    assert (answer.text, answer.finish_reason) == ("Par", reason)


def test_a_stream_of_chat_is_asked_for_with_the_count_of_tokens() -> None:
    with ChatServer() as server:
        answer_of(chat(server.url, stream=True))
        answer_of(chat(server.url, stream=True, params={"stream_options": {"x": 1}}))

    first, second = (received.body for received in server.requests)
    assert (first["stream"], first["stream_options"]) == (True, {"include_usage": True})
    assert second["stream_options"] == {"include_usage": True, "x": 1}


def test_a_stream_of_responses_is_asked_for_where_responses_are() -> None:
    with ChatServer() as server:
        answer = answer_of(chat(server.url, api="responses", stream=True), request("Hello?"))

    assert answer.text == "Hello?"
    assert server.requests[0].path == "/v1/responses"
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert server.requests[0].body == {
        "model": "ft:gpt",
        "input": [{"role": "user", "content": "Hello?"}],
        "store": False,
        "stream": True,
    }


@BOTH
def test_the_first_token_is_the_first_content_and_latency_the_last_byte(api: str) -> None:
    said = Reply(text="Par", latency_s=0.1, event_delay_s=0.05)

    with ChatServer(lambda _: said) as server:
        answer = answer_of(chat(server.url, api=api, stream=True))

    path = "/v1/chat/completions" if api == "chat" else "/v1/responses"
    events = said.events(path, {"stream": True}) or []
    first = next(at for at, one in enumerate(events) if b'"Par"' in one)
    assert answer.time_to_first_token_s is not None
    assert answer.latency_s is not None
    # The server pauses at least so long, on a busy machine longer: both ends are bounded from one side.
    assert answer.time_to_first_token_s >= 0.1 + first * 0.05 - CLOCKS_S
    assert answer.latency_s - answer.time_to_first_token_s >= (len(events) - 1 - first) * 0.05 - CLOCKS_S


@BOTH
def test_events_in_many_small_parts_are_put_together(api: str) -> None:
    path = "/v1/chat/completions" if api == "chat" else "/v1/responses"
    body = b"".join(Reply(text="Zürich").events(path, {"stream": True, "model": "x"}) or [])
    crlf = body.replace(b"\n", b"\r\n")

    with ChatServer(lambda _: stream_of(b": hello\n\n", crlf, chunks=200)) as server:
        answer = answer_of(chat(server.url, api=api, stream=True))

    assert answer.text == "Zürich"
    assert answer.time_to_first_token_s is not None
    assert answer.latency_s is not None
    assert 0 < answer.time_to_first_token_s < answer.latency_s


@BOTH
def test_a_server_that_ignores_streaming_is_accepted(api: str) -> None:
    path = "/v1/chat/completions" if api == "chat" else "/v1/responses"
    whole = Reply(body=Reply(text="Paris").content(path, {"model": "ft:gpt"}))

    with ChatServer(lambda _: whole) as server:
        answer = answer_of(chat(server.url, api=api, stream=True))

    assert (answer.text, answer.time_to_first_token_s) == ("Paris", None)


@BOTH
def test_a_stream_that_ends_early_is_tried_once_more(api: str) -> None:
    cut = stream_of(b'data: {"type": "response.created", "choices": [{"delta": {"content": "Par"}}]}\n\n')

    with ChatServer(lambda _: "Paris", script=[cut]) as server:
        answer = answer_of(chat(server.url, api=api, stream=True))
    with ChatServer(lambda _: cut) as again:
        error = error_of(chat(again.url, api=api, stream=True))

    assert (answer.text, server.count) == ("Paris", 2)
    assert str(error) == (
        f"{again.url} sent no {noun(api)}: the stream ends before the answer does (2 attempts)"
    )
    assert (error.kind, again.count) == ("protocol", 2)


@BOTH
def test_a_connection_that_breaks_within_a_stream_is_tried_again(api: str) -> None:
    with ChatServer(script=[Reply(text="Paris, France", drop="in the body")]) as server:
        answer = answer_of(chat(server.url, api=api, stream=True))

    assert answer.text == "What is the capital of France?"
    assert server.count == 2


@BOTH
def test_an_error_within_a_stream_is_an_error_and_tried_once_more(api: str) -> None:
    failed = stream_of(event({"error": {"message": "out of memory", "code": 500}}), DONE)

    with ChatServer(lambda _: failed) as server:
        error = error_of(chat(server.url, api=api, stream=True))

    assert str(error) == (
        f"{server.url} sent no {noun(api)}: the stream holds an error: "
        '"{\\"message\\": \\"out of memory\\", \\"code\\": 500}" (2 attempts)'
    )
    assert (error.kind, server.count) == ("protocol", 2)


@pytest.mark.parametrize(
    ("code", "kind", "requests"), [("server_error", "status", 6), ("invalid_prompt", "protocol", 2)]
)
def test_a_response_that_failed_is_asked_for_again_as_its_code_says(
    code: str, kind: str, requests: int
) -> None:
    failed = Reply(body=json.dumps({"status": "failed", "error": {"code": code}}).encode())

    with ChatServer(lambda _: failed) as server:
        error = error_of(chat(server.url, api="responses"))

    assert str(error) == (
        f'{server.url} sent no response: the body is an error: "{{\\"code\\": \\"{code}\\"}}" '
        f"({requests} attempts)"
    )
    assert (error.kind, server.count) == (kind, requests)


def test_a_response_that_was_one_too_many_makes_the_others_wait() -> None:
    failed = Reply(body=json.dumps({"status": "failed", "error": {"code": "rate_limit_exceeded"}}).encode())

    with ChatServer(script=[failed]) as server:
        model = chat(server.url, api="responses", concurrency=4)
        answer_of(model)

    assert server.count == 2
    # Cut to one, and raised by one by the answer.
    assert model.concurrency == 2


@BOTH
def test_the_deadline_holds_against_a_stream_without_end(api: str) -> None:
    forever = stream_of(b": ping\n\n" * 1000, chunks=1000, chunk_delay_s=0.02)

    with ChatServer(lambda _: forever) as server:
        started = time.perf_counter()
        error = error_of(chat(server.url, api=api, stream=True, retry=RetryPolicy(timeout_s=0.3)))
        wall_s = time.perf_counter() - started

    assert str(error) == f"no answer from {server.url} within timeout_s 0.3"
    assert wall_s < 10  # the stream takes 20 s


@BOTH
def test_a_stream_longer_than_anybody_reads_is_refused(api: str) -> None:
    with ChatServer(lambda _: Reply(text="x" * 10_000)) as server:
        error = error_of(chat(server.url, api=api, stream=True, max_bytes=5_000))

    assert str(error) == f"the answer is longer than 5,000 bytes, from {server.url}"
    assert (error.kind, server.count) == ("too_large", 1)


@BOTH
def test_a_key_that_comes_in_pieces_is_not_in_the_answer(api: str) -> None:
    with ChatServer(lambda _: f"My key is {KEY}!") as server:
        answer = answer_of(chat(server.url, api=api, stream=True))

    assert answer.text == "My key is [redacted]!"


def test_a_key_in_a_broken_event_is_not_in_the_message() -> None:
    with ChatServer(lambda _: stream_of(f"data: {'x' * 190}{KEY}\n\n".encode())) as server:
        error = error_of(chat(server.url, stream=True))

    assert str(error) == (
        f'{server.url} sent no chat completion: an event is not JSON: "{"x" * 190}[redacted]" (2 attempts)'
    )


@BOTH
def test_a_failing_status_is_read_as_without_streaming(api: str) -> None:
    with ChatServer(script=[Reply(status=503, body=b"busy", headers={"Retry-After": "0"})]) as server:
        answer = answer_of(chat(server.url, api=api, stream=True, retry=QUICK))

    assert (answer.text, server.count) == ("What is the capital of France?", 2)


def test_a_wrong_key_names_the_address_of_the_api() -> None:
    with ChatServer(lambda _: Reply(status=401, body=b'{"error": {"message": "no"}}')) as server:
        error = error_of(chat(server.url, api="responses"))

    assert isinstance(error, ModelError)
    assert str(error) == (
        f"HTTP 401 from {server.url}/responses for model 'ft:gpt': \"no\". "
        "Check the key in OPENAI_API_KEY, and that it may use this model"
    )

"""HTTP: paths, methods, broken requests, and clients that leave."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import pytest

from example_project.assistant.models import read_models
from example_project.assistant.reading import Piece
from example_project.assistant.server import MAX_BODY, Server, while_connected
from example_project.assistant.transformer import Cache, Floats, Transformer
from tests.example_project.conftest import RECITED, running

HELLO = {"model": "speaker", "messages": [{"role": "user", "content": "Hello"}], "temperature": 0}
COMPLETIONS = "/v1/chat/completions"
MODELS = sorted(["base", "tuned", *RECITED])
HUGE = bytes(MAX_BODY + 1)


@pytest.fixture
def connection(server: Server) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(urlsplit(server.base_url).netloc, timeout=60)
    yield connection
    connection.close()


def answered(response: HTTPResponse) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(response.read())
    return content


def refused(connection: HTTPConnection, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """The status and the message of an error."""
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, answered(response)["error"]["message"]


def content_of(connection: HTTPConnection, **changes: object) -> str:
    connection.request("POST", COMPLETIONS, json.dumps(HELLO | changes))
    text: str = answered(connection.getresponse())["choices"][0]["message"]["content"]
    return text


def test_a_connection_is_kept_for_further_requests(connection: HTTPConnection) -> None:
    connection.connect()
    first = connection.sock

    contents = [content_of(connection) for _ in range(3)]

    assert contents == [RECITED["speaker"]] * 3
    assert connection.sock is first


def test_a_connection_is_kept_after_errors_and_streams(connection: HTTPConnection) -> None:
    connection.connect()
    first = connection.sock

    refused(connection, "POST", COMPLETIONS, b"{}")
    refused(connection, "POST", "/v1/embeddings", b'{"input": "x"}')
    refused(connection, "PUT", COMPLETIONS, b"{}")
    refused(connection, "POST", COMPLETIONS, HUGE)
    connection.request("POST", COMPLETIONS, json.dumps(HELLO | {"stream": True}))
    streamed = connection.getresponse().read()

    assert streamed.endswith(b"data: [DONE]\n\n")
    assert content_of(connection) == RECITED["speaker"]
    assert connection.sock is first


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        (("GET", "/"), 404, "there is no /, only /v1/models and /v1/chat/completions"),
        (("POST", "/x", b"{}"), 404, "there is no /x, only /v1/models and /v1/chat/completions"),
        (("GET", "/v1/models/gpt"), 404, f"there is no model 'gpt', only {', '.join(MODELS)}"),
        (("GET", COMPLETIONS), 405, "/v1/chat/completions knows only POST, not GET"),
        (("DELETE", "/v1/models"), 405, "/v1/models knows only GET, not DELETE"),
        (("POST", COMPLETIONS, b"{"), 400, "the body is not JSON: Expecting property name"),
        (("POST", COMPLETIONS, b'"\xff"'), 400, "the body is not JSON: 'utf-8' codec can't decode byte 0xff"),
        (("POST", COMPLETIONS, b"[" * 100_000), 400, "the body is not JSON: maximum recursion depth"),
        (("POST", COMPLETIONS, HUGE), 413, "a body may have 4000000 bytes, this one has 4000001"),
        (("BREW", "/v1/models"), 501, "Unsupported method ('BREW')"),
    ],
)
def test_what_can_not_be_answered_is_refused_in_json(
    connection: HTTPConnection, asked: tuple[str, str, bytes | None], status: int, message: str
) -> None:
    found, told = refused(connection, *asked)

    assert found == status
    assert told.startswith(message)


def test_a_wrong_method_is_told_the_right_one(connection: HTTPConnection) -> None:
    connection.request("GET", COMPLETIONS)

    assert connection.getresponse().headers["Allow"] == "POST"


def test_a_query_and_a_slash_at_the_end_do_not_matter(connection: HTTPConnection) -> None:
    connection.request("GET", "/v1/models/?limit=1")

    assert answered(connection.getresponse())["object"] == "list"


def test_head_brings_no_body(connection: HTTPConnection) -> None:
    connection.request("HEAD", "/v1/models")
    response = connection.getresponse()

    assert (response.status, response.read()) == (405, b"")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /v1/models HTTP/7.0\r\n\r\n", b"505"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -3\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_a_request_that_is_no_http_is_refused_and_the_connection_closed(
    server: Server, request_text: bytes, status: bytes
) -> None:
    with socket.create_connection(server.server_address[:2], timeout=60) as raw:  # type: ignore[arg-type] # a pair
        raw.sendall(request_text)
        reply = b"".join(iter(lambda: raw.recv(65536), b""))

    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.split()[1] == status
    assert json.loads(body)["error"]["message"]


def test_a_client_of_the_old_http_gets_a_stream_that_ends_with_the_connection(server: Server) -> None:
    body = json.dumps(HELLO | {"stream": True}).encode()
    head = f"POST {COMPLETIONS} HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    with socket.create_connection(server.server_address[:2], timeout=60) as raw:  # type: ignore[arg-type] # a pair
        raw.sendall(head + body)
        reply = b"".join(iter(lambda: raw.recv(65536), b""))

    assert b"chunked" not in reply
    assert reply.endswith(b"data: [DONE]\n\n")


def test_characters_are_whole_in_every_event(connection: HTTPConnection) -> None:
    connection.request("POST", COMPLETIONS, json.dumps(HELLO | {"stream": True}))
    events = connection.getresponse().read().decode().split("\n\n")

    deltas = [json.loads(event.removeprefix("data: "))["choices"][0]["delta"] for event in events[:-2]]
    assert {"content": "ö"} in deltas


class SlowTransformer(Transformer):
    """Waits before it reads its first tokens, and counts how often it is asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked = 0
        self.may_read = Event()

    def next_scores(self, ids: Sequence[int], cache: Cache) -> Floats:
        self.asked += 1
        assert self.may_read.wait(60)
        return super().next_scores(ids, cache)


@pytest.fixture
def slow(models_folder: Path) -> Iterator[tuple[Server, SlowTransformer]]:
    network = SlowTransformer(models_folder / "weights" / "speaker.npz")
    model = replace(read_models(models_folder)["speaker"], network=network)
    with running(Server(("127.0.0.1", 0), {"speaker": model})) as server:
        yield server, network
        network.may_read.set()


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_is_given_up_when_its_client_has_left(
    slow: tuple[Server, SlowTransformer], stream: bool
) -> None:
    server, network = slow
    netloc = urlsplit(server.base_url).netloc
    watching, leaving = HTTPConnection(netloc, timeout=60), HTTPConnection(netloc, timeout=60)
    watching.request("POST", COMPLETIONS, json.dumps(HELLO | {"stream": True}))
    assert watching.getresponse().readline()  # The role is sent: its prompt is what is read now.

    leaving.request("POST", COMPLETIONS, json.dumps(HELLO | {"stream": stream}))
    leaving.close()
    watching.close()
    network.may_read.set()

    # In the one thread that thinks, this comes after whatever was asked before.
    after = HTTPConnection(netloc, timeout=60)
    assert content_of(after) == RECITED["speaker"]
    after.close()
    tokens = 13
    assert network.asked <= 2 * tokens


def test_the_others_are_answered_when_one_client_leaves(connection: HTTPConnection, server: Server) -> None:
    for _ in range(3):
        leaving = HTTPConnection(urlsplit(server.base_url).netloc, timeout=60)
        leaving.request("POST", COMPLETIONS, json.dumps(HELLO | {"model": "base", "stream": True, "n": 16}))
        leaving.close()

    assert content_of(connection) == RECITED["speaker"]


def test_nothing_more_is_computed_for_a_connection_that_is_closed() -> None:
    ours, theirs = socket.socketpair()
    pieces = (Piece(choice=index, delta={}) for index in range(10))

    with ours, theirs:
        wanted = while_connected(pieces, ours)
        assert next(wanted).choice == 0
        theirs.close()
        with pytest.raises(ConnectionAbortedError, match=r"^the client has left$"):
            next(wanted)

    assert next(pieces).choice == 2


def test_a_next_request_that_waits_already_is_no_farewell() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"POST")

        wanted = while_connected(iter([Piece(choice=0, delta={})]), ours)

        assert [piece.choice for piece in wanted] == [0]
        assert ours.recv(4) == b"POST"


class BrokenTransformer(Transformer):
    """Fails when it is asked for its second token."""

    def next_scores(self, ids: Sequence[int], cache: Cache) -> Floats:
        if cache.length:
            raise ZeroDivisionError("on purpose")
        return super().next_scores(ids, cache)


@pytest.fixture
def broken(models_folder: Path) -> Iterator[HTTPConnection]:
    network = BrokenTransformer(models_folder / "weights" / "speaker.npz")
    model = replace(read_models(models_folder)["speaker"], network=network)
    with running(Server(("127.0.0.1", 0), {"speaker": model})) as server:
        connection = HTTPConnection(urlsplit(server.base_url).netloc, timeout=60)
        yield connection
        connection.close()


def test_a_failure_of_ours_is_an_error_of_the_server(
    broken: HTTPConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    status, message = refused(broken, "POST", COMPLETIONS, json.dumps(HELLO).encode())

    assert (status, message) == (500, "the server failed; its own output says why")
    assert "ZeroDivisionError: on purpose" in capfd.readouterr().err


def test_a_stream_that_breaks_off_has_no_end(
    broken: HTTPConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    broken.request("POST", COMPLETIONS, json.dumps(HELLO | {"stream": True}))
    response = broken.getresponse()

    with pytest.raises(IncompleteRead):
        response.read()

    assert "ZeroDivisionError: on purpose" in capfd.readouterr().err

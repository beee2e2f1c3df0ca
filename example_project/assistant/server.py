"""The HTTP server: `GET /v1/models` and `POST /v1/chat/completions`, as OpenAI's clients expect them.

Each connection has a thread that only reads and writes; all models think in one further thread, for one
request after the other, in the order in which they came.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from itertools import chain
from queue import SimpleQueue
from socketserver import ThreadingTCPServer
from typing import Any

from .answering import Answering
from .completions import chunks, completion
from .errors import ApiError
from .models import Model
from .reading import Piece
from .requests import parse_request

MAX_BODY = 4_000_000
#: How long a client may be silent in the middle of a request, or between two.
SILENCE_S = 300


class Server(ThreadingTCPServer):
    """Listens from the moment it is made; `serve_forever` answers, and `with` closes it."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], models: Mapping[str, Model]) -> None:
        self.models = models
        self.thinking = ThreadPoolExecutor(max_workers=1)
        super().__init__(address, Handler)

    @property
    def base_url(self) -> str:
        """What a client has to be given."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{host}:{port}/v1"

    def server_close(self) -> None:
        super().server_close()
        self.thinking.shutdown(cancel_futures=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or that is still waiting when the server ends, is no error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError | CancelledError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection, which may bring many requests."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "parcel-assistant", ""
    timeout = SILENCE_S
    disable_nagle_algorithm = True
    wbufsize = -1  # An answer leaves in one packet, not each of its headers.

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps silent: a server of tests has nothing to say in the middle of their output."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses, such as a broken request line, is refused in JSON too."""
        # It may not know the version yet, and would take the client for one that knows no headers.
        self.request_version, self.close_connection = self.protocol_version, True
        self._refuse(ApiError(message or explain or "bad request", status=code))

    def respond(self) -> None:
        """Answers a request of any method."""
        self._has_begun = False
        try:
            self._route(self._body())
        except ApiError as error:
            self._refuse(error)
        except (ConnectionError, TimeoutError, CancelledError):
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with us, the client gets an answer
            traceback.print_exc()
            if self._has_begun:
                raise ConnectionAbortedError("an answer broke off") from None
            self._refuse(ApiError("the server failed; its own output says why", status=500))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond  # noqa: N815 - the base class's names

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            raise ApiError("a body needs a Content-Length", status=411)
        if int(length) > MAX_BODY:
            self._skip(int(length))
            raise ApiError(f"a body may have {MAX_BODY} bytes, this one has {length}", status=413)
        return self.rfile.read(int(length))

    def _skip(self, length: int) -> None:
        """Reads on, since a client that is still sending would not see the answer."""
        while length > 0 and (piece := self.rfile.read(min(length, 65536))):
            length -= len(piece)

    def _route(self, body: bytes) -> None:
        path = self.path.partition("?")[0].rstrip("/")
        if path == "/v1/chat/completions":
            self._expect("POST")
            self._complete(body)
        elif path == "/v1/models":
            self._expect("GET")
            models = [_described(model) for model in self.server.models.values()]
            self._send(200, {"object": "list", "data": models})
        elif path.startswith("/v1/models/"):
            self._expect("GET")
            self._send(200, _described(self._model(path.removeprefix("/v1/models/"))))
        else:
            raise ApiError(f"there is no {self.path}, only /v1/models and /v1/chat/completions", status=404)

    def _expect(self, method: str) -> None:
        if self.command != method:
            message = f"{self.path} knows only {method}, not {self.command}"
            raise ApiError(message, status=405, headers={"Allow": method})

    def _model(self, name: str) -> Model:
        if name not in self.server.models:
            message = f"there is no model '{name}', only {', '.join(self.server.models)}"
            raise ApiError(message, param="model", code="model_not_found", status=404)
        return self.server.models[name]

    def _complete(self, body: bytes) -> None:
        request = parse_request(body)
        answering = Answering(self._model(request.model), request)
        pieces = while_connected(answering.pieces(), self.connection)
        if request.stream:
            self._stream(chunks(answering, self._as_they_come(pieces)))
        else:
            whole = self.server.thinking.submit(list, pieces).result()
            self._send(200, completion(answering, whole))

    def _as_they_come(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """Hands over pieces from the thread that thinks, which doesn't wait for those who read slowly."""
        queue: SimpleQueue[Piece | None] = SimpleQueue()

        def think() -> None:
            for piece in pieces:
                queue.put(piece)

        done = self.server.thinking.submit(think)
        done.add_done_callback(lambda _: queue.put(None))
        yield from iter(queue.get, None)
        done.result()

    def _stream(self, events: Iterator[dict[str, Any]]) -> None:
        """Sends server-sent events; if an answer breaks off, so does the connection, without an end."""
        self._has_begun = True
        closes, self.close_connection = self.close_connection, True
        is_chunked = self.request_version != "HTTP/1.0"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for text in chain(map(json.dumps, events), ["[DONE]"]):
            event = f"data: {text}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event) if is_chunked else event)
            self.wfile.flush()
        if is_chunked:
            self.wfile.write(b"0\r\n\r\n")
            self.close_connection = closes

    def _send(
        self, status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        body = json.dumps(content, allow_nan=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        closing = {"Connection": "close"} if self.close_connection else {}
        for name, value in {**(headers or {}), **closing}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _refuse(self, error: ApiError) -> None:
        self._send(error.status, error.body, error.headers)


def while_connected(pieces: Iterator[Piece], connection: socket.socket) -> Iterator[Piece]:
    """The pieces, as long as there is a client who wants them; raises `ConnectionAbortedError` after that."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        for piece in pieces:
            # Readable and yet nothing to read: that is how a closed connection looks.
            if selector.select(0) and not connection.recv(1, socket.MSG_PEEK):
                raise ConnectionAbortedError("the client has left")
            yield piece


def _described(model: Model) -> dict[str, Any]:
    return {"id": model.name, "object": "model", "created": model.created, "owned_by": "parcel-assistant"}

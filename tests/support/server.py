"""A real HTTP server that speaks chat completions, for the tests of every module and for benchmarks.

    with ChatServer(answer=lambda body: "Paris") as server:
        ...                       # server.url goes into base_url; server.requests says what was asked

What it does wrong is said by a `Reply`. As a program (`python -m tests.support.server --latency 0.05`) it
prints its URL and serves until its standard input is closed, so that a benchmark's client has a process of
its own.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply. Without `body` it is a chat completion made of the first fields; `served` is its model.

    `latency_s` passes before the first byte; with `chunk_delay_s` the body then goes out in `chunks` parts
    with that pause between them. `drop` closes the connection: before the headers, or after half of the body.
    """

    text: str | None = None
    tool_calls: Sequence[Mapping[str, Any]] = ()
    finish_reason: str | None = "stop"
    refusal: str | None = None
    logprobs: Sequence[float] | None = None
    usage: tuple[int, int] | None = (10, 5)
    served: str | None = None
    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    latency_s: float = 0.0
    chunks: int = 1
    chunk_delay_s: float = 0.0
    gzip: bool = False
    drop: Literal["before headers", "in the body"] | None = None

    def content(self, model: object) -> bytes:
        """The body, before compression."""
        return self.body if self.body is not None else json.dumps(self._completion(model)).encode()

    def _completion(self, model: object) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.text, "refusal": self.refusal}
        calls = [
            {"id": f"call_{number}", "type": "function", "function": dict(call)}
            for number, call in enumerate(self.tool_calls)
        ]
        choice: dict[str, Any] = {"index": 0, "finish_reason": self.finish_reason}
        choice["message"] = message | ({"tool_calls": calls} if calls else {})
        if self.logprobs is not None:
            choice["logprobs"] = {"content": [{"token": "x", "logprob": value} for value in self.logprobs]}
        row: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]}
        row["model"] = self.served or model
        if self.usage:
            row["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), self.usage, strict=True))
        return row


def error_reply(
    status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """A reply in OpenAI's form of an error."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": code}}).encode()
    return Reply(status=status, body=body, headers=headers or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came in; names in `headers` are in lower case, `path` has the query."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


Answer = Callable[[dict[str, Any]], str | Reply]


def echo(body: dict[str, Any]) -> str:
    """The default answer: the last message's text."""
    return str(body["messages"][-1]["content"])


class ChatServer:
    """Serves on a free loopback port, in a thread and loop of its own, inside its `with` block.

    The first requests get the replies of `script`, in order; the others what `answer` says to their body.
    `requests`, `at_once` and `most_at_once` may be read at any time.
    """

    def __init__(
        self,
        answer: Answer = echo,
        *,
        script: Iterable[str | Reply] = (),
        latency_s: float = 0.0,
        path: str = "/v1",
    ) -> None:
        self.requests: list[Received] = []
        self.most_at_once = 0
        self._answer = answer
        self._script = iter(tuple(script))
        self._latency_s = latency_s
        self._path = path
        self.at_once = 0
        self._port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="chat-server", daemon=True
        )
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """What a model's base_url is."""
        return f"http://127.0.0.1:{self._port}{self._path}"

    @property
    def count(self) -> int:
        """Requests that came in so far."""
        return len(self.requests)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self._port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else {}
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Received(path=request.path_qs, headers=headers, body=body))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._respond(request, body)
        finally:
            self.at_once -= 1

    async def _respond(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        said = next(self._script, None)
        if said is None:
            said = self._answer(body)
        reply = said if isinstance(said, Reply) else Reply(text=said)
        if latency_s := reply.latency_s or self._latency_s:
            await asyncio.sleep(latency_s)
        if reply.drop == "before headers":
            return _dropped(request)
        content = reply.content(body.get("model"))
        headers = {"Content-Type": "application/json", **reply.headers}
        if reply.gzip:
            content, headers["Content-Encoding"] = gzip.compress(content), "gzip"
        if reply.chunks == 1 and reply.drop is None:
            return web.Response(status=reply.status, body=content, headers=headers)
        return await _in_parts(request, reply, content, headers)


async def _in_parts(
    request: web.Request, reply: Reply, content: bytes, headers: Mapping[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=headers)
    response.content_length = len(content)
    await response.prepare(request)
    if reply.drop == "in the body":
        await response.write(content[: len(content) // 2])
        return _dropped(request)
    size = -(-len(content) // reply.chunks)
    for start in range(0, len(content), size):
        if start:
            await asyncio.sleep(reply.chunk_delay_s)
        await response.write(content[start : start + size])
    return response


def _dropped(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


def main() -> None:
    """Serves until standard input is closed."""
    parser = argparse.ArgumentParser(description="A chat completions server for benchmarks.")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--text", default="Paris")
    arguments = parser.parse_args()
    with ChatServer(lambda _: str(arguments.text), latency_s=arguments.latency) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()

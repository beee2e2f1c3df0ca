"""A real HTTP server that speaks chat completions and responses, streamed too, for tests and benchmarks.

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
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.support import streams
from tests.support.local_server import AppServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply. Without `body` it is an answer made of the first fields, in the form that was asked for.

    `served` is its model. `latency_s` passes before the first byte; with `chunk_delay_s` the body then goes
    out in `chunks` parts with that pause between them. `event_delay_s` passes before each event of a stream
    but the first, which is empty. `drop` closes the connection: before the headers, or after half of the
    body.
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
    event_delay_s: float = 0.0
    gzip: bool = False
    drop: Literal["before headers", "in the body"] | None = None

    def content(self, path: str, asked: Mapping[str, Any]) -> bytes:
        """The body, before compression, if it does not go out as a stream."""
        return self.body if self.body is not None else json.dumps(self._whole(path, asked)).encode()

    def events(self, path: str, asked: Mapping[str, Any]) -> list[bytes] | None:
        """The events of a stream, if one was asked for and nothing else is said."""
        if not asked.get("stream") or self.body is not None or self.status != 200:
            return None
        whole = self._whole(path, asked)
        return streams.response_events(whole) if _is_responses(path) else streams.chat_events(whole)

    def _whole(self, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        return (self._response if _is_responses(path) else self._completion)(asked.get("model"))

    def _completion(self, model: object) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.text, "refusal": self.refusal}
        calls = [
            {"id": f"call_{number}", "type": "function", "function": dict(call)}
            for number, call in enumerate(self.tool_calls)
        ]
        choice: dict[str, Any] = {"index": 0, "finish_reason": self.finish_reason}
        choice["message"] = message | ({"tool_calls": calls} if calls else {})
        if self.logprobs is not None:
            choice["logprobs"] = {"content": self._tokens()}
        row: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "choices": [choice],
        }
        row["model"] = self.served or model
        if self.usage:
            row["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), self.usage, strict=True))
            row["usage"]["total_tokens"] = sum(self.usage)
        return row

    def _response(self, model: object) -> dict[str, Any]:
        said = [{"type": "output_text", "text": self.text, "annotations": [], "logprobs": self._tokens()}]
        refused = [{"type": "refusal", "refusal": self.refusal}]
        parts = (said if self.text is not None else []) + (refused if self.refusal is not None else [])
        message: dict[str, Any] = {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
        }
        message |= {"content": parts}
        calls = [
            {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", **call}
            for number, call in enumerate(self.tool_calls)
        ]
        reason = {"length": "max_output_tokens"}.get(self.finish_reason or "", self.finish_reason)
        is_whole = self.finish_reason in ("stop", "tool_calls")
        row: dict[str, Any] = {"id": "resp_1", "object": "response", "created_at": 1}
        row |= {
            "model": self.served or model,
            "tools": [],
            "tool_choice": "auto",
            "parallel_tool_calls": True,
        }
        row["status"] = "completed" if is_whole else "incomplete"
        row["incomplete_details"] = None if is_whole else {"reason": reason}
        row["error"] = None
        row["output"] = [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            *([message] if parts else []),
            *calls,
        ]
        if self.usage:
            row["usage"] = dict(zip(("input_tokens", "output_tokens"), self.usage, strict=True))
            row["usage"]["total_tokens"] = sum(self.usage)
            row["usage"]["input_tokens_details"] = {"cached_tokens": 0, "cache_write_tokens": 0}
            row["usage"]["output_tokens_details"] = {"reasoning_tokens": 0}
        return row

    def _tokens(self) -> list[dict[str, Any]]:
        token = {"token": "x", "bytes": [120], "top_logprobs": []}
        return [{**token, "logprob": value} for value in self.logprobs or ()]


def _is_responses(path: str) -> bool:
    return path.partition("?")[0].endswith("/responses")


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
    return str((body.get("messages") or body["input"])[-1]["content"])


class ChatServer(AppServer):
    """Serves on a free loopback port, in a thread and loop of its own, inside its `with` block.

    The first requests get the replies of `script`, in order; the others what `answer` says to their body.
    `requests`, `at_once`, `most_at_once` and `took_s` (model and seconds, from a request's arrival to its
    last byte) may be read at any time.
    """

    def __init__(
        self,
        answer: Answer = echo,
        *,
        script: Iterable[str | Reply] = (),
        latency_s: float = 0.0,
        path: str = "/v1",
    ) -> None:
        super().__init__(path)
        self.requests: list[Received] = []
        self.took_s: list[tuple[object, float]] = []
        self.most_at_once = 0
        self._answer = answer
        self._script = iter(tuple(script))
        self._latency_s = latency_s
        self.at_once = 0

    @property
    def count(self) -> int:
        """Requests that came in so far."""
        return len(self.requests)

    def _routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/{path:.*}", self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        arrived_at = time.perf_counter()
        body = await request.json() if request.can_read_body else {}
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Received(path=request.path_qs, headers=headers, body=body))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._respond(request, body)
        finally:
            self.at_once -= 1
            self.took_s.append((body.get("model"), time.perf_counter() - arrived_at))

    async def _respond(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        said = next(self._script, None)
        if said is None:
            said = self._answer(body)
        reply = said if isinstance(said, Reply) else Reply(text=said)
        if latency_s := reply.latency_s or self._latency_s:
            await asyncio.sleep(latency_s)
        if reply.drop == "before headers":
            return _dropped(request)
        events = reply.events(request.path, body)
        if events is not None:
            return await _as_stream(request, reply, events)
        content = reply.content(request.path, body)
        headers = {"Content-Type": "application/json", **reply.headers}
        if reply.gzip:
            content, headers["Content-Encoding"] = gzip.compress(content), "gzip"
        if reply.chunks == 1 and reply.drop is None:
            return web.Response(status=reply.status, body=content, headers=headers)
        return await _in_parts(request, reply, content, headers)


async def _as_stream(request: web.Request, reply: Reply, events: Sequence[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **reply.headers})
    await response.prepare(request)
    for number, event in enumerate(events):
        if number:
            await asyncio.sleep(reply.event_delay_s)
        if reply.drop == "in the body" and number == len(events) // 2:
            return _dropped(request)
        await response.write(event)
    return response


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
    parser = argparse.ArgumentParser(description="A server of chat completions and responses for benchmarks.")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--text", default="Paris")
    arguments = parser.parse_args()
    with ChatServer(lambda _: str(arguments.text), latency_s=arguments.latency) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()

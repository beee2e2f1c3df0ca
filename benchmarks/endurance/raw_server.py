"""An endpoint on raw sockets, since no HTTP library would send what a broken one sends.

Each request is answered by a `Behaviour`, which may write whatever it likes, or nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.support.local_server import LocalServer

Asked = Mapping[str, Any]
Behaviour = Callable[[asyncio.StreamWriter, Asked], Awaitable[None]]


class RawServer(LocalServer):
    """Serves on a free loopback port in a thread of its own, inside its `with` block; counts requests."""

    def __init__(self, behave: Behaviour) -> None:
        super().__init__()
        self.count = 0
        self._behave = behave
        self._server: asyncio.Server

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                asked = json.loads(await reader.readexactly(length))
                self.count += 1
                await self._behave(writer, asked)
                await writer.drain()
                if writer.is_closing():
                    break
        writer.close()


def http(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """A whole reply; `length` may lie."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    if not any(header.lower().startswith("content-type") for header in headers):
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", ""]).encode() + body


def completion(text: object, finish_reason: object = "stop", **message: object) -> bytes:
    """The body of a chat completion."""
    said = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "finish_reason": finish_reason, "message": said}
    row = {"id": "1", "object": "chat.completion", "created": 1, "model": "tuned", "choices": [choice]}
    return json.dumps(row).encode()


def error(message: str, code: str | None = None) -> bytes:
    """The body of an error in OpenAI's form."""
    return json.dumps({"error": {"message": message, "type": "error", "code": code}}).encode()


def says(reply: bytes, *, close: bool = False) -> Behaviour:
    """Sends these bytes."""

    async def behave(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(reply)
        if close:
            await writer.drain()
            writer.close()

    return behave


def trickles(head: bytes, more: bytes, pause_s: float) -> Behaviour:
    """Sends a beginning, and then the same bytes again and again, for ever."""

    async def behave(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(more)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return behave


def resets(first: bytes = b"") -> Behaviour:
    """Sends a beginning, and then resets the connection."""

    async def behave(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(first)
        await writer.drain()
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return behave


async def hangs(_: asyncio.StreamWriter, __: Asked) -> None:
    """Sends nothing, and keeps the connection."""
    await asyncio.sleep(600)


def bomb(size: int) -> bytes:
    """A reply that is small on the wire and large in memory."""
    return http(gzip.compress(b" " * size), "200 OK", "Content-Encoding: gzip")

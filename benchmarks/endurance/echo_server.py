"""A chat server that costs little: it echoes each question after a random moment, or dribbles for ever.

As a program it prints its base URL, serves until its standard input is closed, and then prints how many
requests there were and how many were open at once, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from random import Random

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Counts:
    """What is said at the end; shared by all connections of one server."""

    def __init__(self) -> None:
        self.requests = 0
        self.at_once = 0
        self.most_at_once = 0

    def begin(self) -> None:
        self.requests += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)

    def end(self) -> None:
        self.at_once -= 1


class Echo(asyncio.Protocol):
    """One connection; requests on it come one after the other, each with a Content-Length."""

    def __init__(self, counts: Counts, random: Random, latency_s: float) -> None:
        self._counts, self._random, self._latency_s = counts, random, latency_s
        self._received = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        length = next(
            int(line.partition(b":")[2])
            for line in bytes(head).split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        if len(rest) >= length:
            self._received = rest[length:]
            self._counts.begin()
            self.answer(json.loads(rest[:length]))

    def answer(self, asked: dict[str, object]) -> None:
        messages = asked["messages"]
        assert isinstance(messages, list)
        message = {"role": "assistant", "content": messages[-1]["content"]}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": asked["model"]}
        answer["choices"] = [{"index": 0, "finish_reason": "stop", "message": message}]
        body = json.dumps(answer).encode()
        delay_s = self._random.uniform(0, 2 * self._latency_s)
        asyncio.get_running_loop().call_later(delay_s, self._send, _HEAD % len(body) + body)

    def _send(self, content: bytes) -> None:
        self._counts.end()
        self._transport.write(content)


class Dribble(Echo):
    """Sends a byte now and then, and never the last one."""

    def answer(self, asked: dict[str, object]) -> None:  # noqa: ARG002 - whatever is asked
        self._transport.write(_HEAD % 1_000_000)
        self._drop()

    def _drop(self) -> None:
        if self._transport.is_closing():
            self._counts.end()
        else:
            self._transport.write(b" ")
            asyncio.get_running_loop().call_later(0.2, self._drop)


async def serve(made: type[Echo], latency_s: float, seed: int) -> Counts:
    """Serves until standard input is closed."""
    counts, random, loop = Counts(), Random(seed), asyncio.get_running_loop()
    server = await loop.create_server(lambda: made(counts, random, latency_s), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    return counts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dribble", action="store_true")
    options = parser.parse_args()
    counts = asyncio.run(serve(Dribble if options.dribble else Echo, options.latency, options.seed))
    print(json.dumps(vars(counts)))


if __name__ == "__main__":
    main()

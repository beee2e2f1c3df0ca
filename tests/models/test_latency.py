"""What is measured: from the request written to the last byte read, of the attempt that answered."""

from __future__ import annotations

import asyncio
import time

import pytest

from pytest_ftgate.completions import Completion
from tests.models.asking import QUICK, answer_of, chat
from tests.support.requests import request, requests
from tests.support.server import ChatServer, Reply

# Wide enough for a busy machine; a wait that were counted by mistake is at least twice as long.
TOLERANCE_S = 0.1


def test_latency_is_the_servers_time() -> None:
    with ChatServer(latency_s=0.2) as server:
        answer = answer_of(chat(server.url))

    assert answer.latency_s == pytest.approx(0.2, abs=TOLERANCE_S)
    assert answer.latency_s is not None
    assert answer.latency_s >= 0.199


def test_latency_ends_with_the_last_byte_of_a_slow_body() -> None:
    slow = Reply(text="x" * 1000, chunks=5, chunk_delay_s=0.05)

    with ChatServer(lambda _: slow) as server:
        answer = answer_of(chat(server.url))

    assert answer.latency_s == pytest.approx(0.2, abs=TOLERANCE_S)


def test_latency_leaves_out_earlier_attempts_and_waits() -> None:
    script: list[str | Reply] = [
        Reply(status=503, headers={"Retry-After": "0.3"}, latency_s=0.3, body=b"busy"),
        "Paris",
    ]

    with ChatServer(script=script) as server:
        started = time.perf_counter()
        answer = answer_of(chat(server.url))
        wall_s = time.perf_counter() - started

    assert answer.latency_s is not None
    assert answer.latency_s < 0.3
    assert wall_s > 0.6


def test_latency_leaves_out_the_wait_for_a_connection() -> None:
    async def ask_two_at_once() -> list[Completion]:
        model = chat(server.url, connections=1)
        try:
            return await asyncio.gather(*(model.complete(one) for one in requests(2)))
        finally:
            await model.aclose()

    with ChatServer(latency_s=0.2) as server:
        answers = asyncio.run(ask_two_at_once())

    assert [answer.latency_s for answer in answers] == [pytest.approx(0.2, abs=TOLERANCE_S)] * 2


def test_the_deadline_holds_against_a_server_that_dribbles() -> None:
    forever = Reply(text="x" * 1000, chunks=1000, chunk_delay_s=0.02)
    policy = type(QUICK)(timeout_s=0.3)

    with ChatServer(lambda _: forever) as server:
        started = time.perf_counter()
        with pytest.raises(Exception, match="timeout_s") as caught:
            answer_of(chat(server.url, retry=policy), request())
        wall_s = time.perf_counter() - started

    assert str(caught.value) == f"no answer from {server.url} within timeout_s 0.3"
    assert wall_s < 10  # the answer takes 20 s

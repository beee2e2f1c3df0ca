"""A server that allows so many requests a minute gets nearly so many, and hardly any in vain."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import Callable
from random import Random

import pytest

from pytest_ftgate.models.endpoints.exchange import Reply
from pytest_ftgate.models.endpoints.pacing import Pacer
from tests.support.limiters import FixedWindow, Limiter, SlidingWindow, TokenBucket
from tests.support.scripted_endpoint import ScriptedEndpoint, answer_reply, ask_all, reply
from tests.support.virtual_clock import run_virtually

LIMITERS: dict[str, Callable[[], Limiter]] = {
    "bucket": lambda: TokenBucket(300, capacity=300),
    "bucket without reserve": lambda: TokenBucket(300, capacity=1),
    "fixed window": lambda: FixedWindow(300),
    "fixed window of 10 s": lambda: FixedWindow(300, window_s=10),
    "sliding window": lambda: SlidingWindow(300),
}


class LimitedServer:
    """Refuses as its limiter says, and says as much of it as `tells`: headers, retry-after or nothing."""

    def __init__(self, limiter: Limiter, tells: str) -> None:
        self.limiter = limiter
        self.statuses: Counter[int] = Counter()
        self.answered_at: list[float] = []
        self._tells = tells
        self._random = Random(1)

    async def post(self, name: str) -> Reply:
        now = asyncio.get_running_loop().time()
        wait_s = self.limiter.refuse_s(now)
        headers = self.limiter.headers(now) if self._tells == "headers" else {}
        self.statuses[200 if wait_s is None else 429] += 1
        await asyncio.sleep(self._random.uniform(0.2, 0.6) if wait_s is None else 0.02)
        if wait_s is None:
            self.answered_at.append(asyncio.get_running_loop().time())
            return answer_reply(name, headers)
        if self._tells == "retry-after":
            headers = {"retry-after": f"{math.ceil(wait_s)}"}
        return reply(b"slow down", 429, headers)


def served(
    limiter: Limiter, tells: str, *, requests: int, in_flight: int = 16
) -> tuple[LimitedServer, float]:
    """The server after so many requests, all of them answered, and the minutes that this took."""
    server, lost = LimitedServer(limiter, tells), []

    async def main() -> None:
        model = ScriptedEndpoint(server.post)
        names = deque(str(number) for number in range(requests))
        lost.extend(await ask_all(model, names, in_flight=in_flight, seen=lambda *_: None))

    _, wall_s = run_virtually(main())
    assert not lost
    assert server.statuses[200] == requests
    return server, wall_s / 60


@pytest.mark.parametrize("tells", ["headers", "retry-after", "nothing"])
@pytest.mark.parametrize("kind", LIMITERS)
def test_a_rate_limit_is_used_and_seldom_overrun(kind: str, tells: str) -> None:
    if (kind, tells) == ("bucket without reserve", "headers"):
        pytest.skip("it says that nothing is left after every request; who believes it asks one at a time")

    server, minutes = served(LIMITERS[kind](), tells, requests=3000)

    # "Nothing is left until the oldest is a minute old" is late news of a window that slides on.
    share = 0.85 if (kind, tells) == ("sliding window", "headers") else 0.9
    assert 3000 / minutes >= share * server.limiter.per_minute
    assert server.statuses[429] < 0.03 * server.statuses.total()


def test_headers_alone_keep_a_client_from_being_refused() -> None:
    server, _ = served(TokenBucket(300, capacity=300), "headers", requests=1500)

    assert server.statuses[429] == 0


def test_a_slow_server_may_take_hours() -> None:
    server, minutes = served(TokenBucket(2, capacity=1), "nothing", requests=600)

    assert minutes > 280
    assert server.statuses[429] < 100


def test_refusals_that_no_pace_avoids_do_not_bring_requests_to_a_halt() -> None:
    random, refused = Random(1), Counter[bool]()

    async def post(name: str) -> Reply:
        await asyncio.sleep(0.2)
        is_refused = random.random() < 0.2
        refused[is_refused] += 1
        return reply(b"slow down", 429) if is_refused else answer_reply(name)

    async def main() -> None:
        names = deque(map(str, range(500)))
        await ask_all(ScriptedEndpoint(post), names, in_flight=16, seen=lambda *_: None)

    _, wall_s = run_virtually(main())

    assert refused[False] == 500
    assert wall_s < 900


def test_nothing_is_paced_before_a_refusal() -> None:
    pacer = Pacer()

    for _ in range(1000):
        pacer.sent(1.0)
        pacer.let_in(1.0)

    assert (pacer.rate, pacer.wait_s(1.0)) == (None, 0.0)


def test_the_rate_lies_between_what_was_let_in_and_what_was_refused() -> None:
    pacer = Pacer()
    pacer.sent(0.0)
    for _ in range(500):  # a full bucket
        pacer.let_in(0.1)
    pacer.refused(0.5)
    pacer.resumed(1.0)
    for _ in range(100):
        pacer.let_in(20.0)
    pacer.refused(50.0)

    pacer.resumed(51.0)

    assert pacer.rate is not None
    # Two a second were let in; the rate that was refused counts as at most twice that.
    assert pacer.rate == pytest.approx(0.97 * math.sqrt(2.0 * 4.0))


def test_requests_follow_each_other_at_the_rate_and_a_late_one_is_made_up_for() -> None:
    pacer = Pacer()
    pacer.sent(0.0)
    pacer.let_in(0.0)
    pacer.resumed(1.0)
    rate = pacer.rate
    assert rate is not None

    pacer.sent(2.1)
    first_s = pacer.wait_s(2.1)
    pacer.sent(2.1 + first_s + 0.01)

    assert first_s == pytest.approx(1 / rate)
    assert pacer.wait_s(2.1 + first_s + 0.01) == pytest.approx(1 / rate - 0.01)


def test_without_refusals_the_rate_grows() -> None:
    pacer = Pacer()
    pacer.sent(0.0)
    pacer.let_in(0.0)
    pacer.resumed(1.0)
    before = pacer.rate

    for tenth in range(2000):
        pacer.let_in(tenth / 10)

    assert before is not None
    assert pacer.rate is not None
    assert pacer.rate > 2 * before

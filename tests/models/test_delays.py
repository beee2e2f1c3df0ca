"""What people are told while an endpoint keeps all requests waiting, and of it in the end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import pytest

from pytest_ftgate.completions import Completion
from pytest_ftgate.models.endpoints.delays import Notice, delay_remarks, delays_of, duration
from pytest_ftgate.models.endpoints.exchange import Reply, UnreachableError, WireError
from tests.support.scripted_endpoint import ScriptedEndpoint, answer_reply, ask_all, reply
from tests.support.virtual_clock import run_virtually

HOST = "http://127.0.0.1/v1"


def refused() -> Reply:
    raise UnreachableError("Connection refused")


def dropped() -> Reply:
    raise WireError("Server disconnected")


def unavailable() -> Reply:
    return reply(b"::error::down", 503)


def later() -> Reply:
    return reply(b"maintenance", 503, {"retry-after": "45"})


def busy() -> Reply:
    return reply(b"slow down", 429, {"retry-after": "20"})


def watched(
    post: Callable[[str], Awaitable[Reply]], *, requests: int = 1000
) -> tuple[list[tuple[float, Notice]], list[str]]:
    """The notices with their times, and the remarks, of a run that is looked at once a second."""
    said: list[tuple[float, Notice]] = []
    model = ScriptedEndpoint(post)

    async def watch() -> None:
        while True:
            await asyncio.sleep(1.0)
            now = asyncio.get_running_loop().time()
            said.extend((now, notice) for notice in model.delays.look(now))

    async def main() -> None:
        watching = asyncio.create_task(watch())
        outcomes: dict[str, object] = {}
        await ask_all(model, deque(map(str, range(requests))), in_flight=8, seen=outcomes.__setitem__)
        watching.cancel()
        assert all(isinstance(outcome, Completion) for outcome in outcomes.values())

    run_virtually(main())
    row = model.delays.row()
    return said, delay_remarks([row] if row else [])


def answers_but(
    broken: Callable[[], Reply], *spans: tuple[float, float]
) -> Callable[[str], Awaitable[Reply]]:
    """Answers after a second, but not in these spans of time."""

    async def post(name: str) -> Reply:
        await asyncio.sleep(1.0)
        now = asyncio.get_running_loop().time()
        return broken() if any(start <= now < end for start, end in spans) else answer_reply(name)

    return post


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (refused, "Connection refused"),
        (dropped, "Server disconnected"),
        (unavailable, "HTTP 503"),
        (later, "HTTP 503"),
    ],
)
def test_an_outage_is_said_once_while_it_lasts_once_when_it_is_over_and_in_the_end(
    broken: Callable[[], Reply], why: str
) -> None:
    said, remarks = watched(answers_but(broken, (60, 360)))

    (at, lasts), (over_at, over) = said
    assert 65 <= at < 80
    assert lasts.text.startswith(f"{HOST} is unavailable ({why}): waiting up to 14 min ")
    assert lasts.text.endswith(" s more")
    assert (lasts.about, lasts.lasts) == (f"{HOST} outage", True)
    assert 360 <= over_at < 430
    assert over.text.startswith(f"{HOST} answers again, after 5 min ") or over.text.startswith(
        f"{HOST} answers again, after 6 min "
    )
    assert (over.about, over.lasts) == (f"{HOST} is back", False)
    (remark,) = remarks
    assert remark.startswith(f"{HOST} was unavailable for ")
    assert remark.endswith(" in 1 outage")


def test_outages_apart_are_said_and_counted_apart() -> None:
    said, remarks = watched(answers_but(unavailable, (30, 90), (240, 300)), requests=2000)

    assert [notice.about for _, notice in said] == [f"{HOST} outage", f"{HOST} is back"] * 2
    assert remarks[0].endswith(" in 2 outages")


def test_a_long_pause_for_too_many_requests_is_said_once_and_counted_in_the_end() -> None:
    said, remarks = watched(answers_but(busy, (30, 45), (120, 135)))

    assert [notice.about for _, notice in said] == [f"{HOST} throttled", f"{HOST} is back"]
    assert said[0][1].text.startswith(f"{HOST} takes no more requests now (HTTP 429): waiting up to 14 min ")
    (remark,) = remarks
    assert remark.startswith(f"{HOST} throttled: ")
    assert " requests were answered 429, " in remark
    assert remark.endswith(" of waiting")


def test_what_is_over_soon_is_not_said() -> None:
    async def post(name: str) -> Reply:
        await asyncio.sleep(1.0)
        is_first = asyncio.get_running_loop().time() <= 1.5 and name == "3"
        return reply(b"slow down", 429, {"retry-after": "1"}) if is_first else answer_reply(name)

    assert watched(post, requests=16) == ([], [])


def test_workers_waited_at_the_same_time_and_were_refused_each_by_itself() -> None:
    one = {"host": "h", "outages": 2, "outage_s": 192.4, "refusals": 14, "throttled_s": 240.0}
    other = {"host": "h", "outages": 1, "outage_s": 150.0, "refusals": 200, "throttled_s": 100.0}
    third = {"host": "g", "outages": 0, "outage_s": 0.0, "refusals": 0, "throttled_s": 7.0}
    fourth = {"host": "f", "outages": 1, "outage_s": 5.0, "refusals": 1, "throttled_s": 6.0}

    assert delay_remarks([one, other, third, fourth]) == [
        "f was unavailable for 5 s in 1 outage",
        "f throttled: 1 request was answered 429, 6 s of waiting",
        "g throttled: 7 s of waiting",
        "h was unavailable for 3 min 12 s in 2 outages",
        "h throttled: 214 requests were answered 429, 4 min of waiting",
    ]
    assert delay_remarks([]) == []


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (44.6, "45 s"), (60, "1 min"), (870, "14 min 30 s"), (7500, "2 h 5 min"), (3601, "1 h 1 s")],
)
def test_durations_are_shown_in_two_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_what_is_no_endpoint_of_ours_has_no_delays() -> None:
    class Other:
        delays = "mine"

    assert delays_of(Other()) is None
    assert delays_of(object()) is None

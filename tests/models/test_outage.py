"""An endpoint that goes away half-way: what is waited for, for how long, and what is then said."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

import pytest

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models.endpoints.exchange import Reply, UnreachableError, WireError
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from tests.support.scripted_endpoint import ScriptedEndpoint, answer_reply, ask_all, reply
from tests.support.virtual_clock import run_virtually


def refused() -> Reply:
    raise UnreachableError("Connection refused")


def dropped() -> Reply:
    raise WireError("Server disconnected")


def unavailable() -> Reply:
    return reply(b"down", 503)


def later() -> Reply:
    return reply(b"maintenance", 503, {"retry-after": "45"})


def busy() -> Reply:
    return reply(b"slow down", 429)


Broken = Callable[[], Reply]


class Outage:
    """Answers after a second, but not from minute 1 on for so many seconds."""

    def __init__(self, broken: Broken, lasts_s: float) -> None:
        self._broken = broken
        self._from_s, self._until_s = 60.0, 60.0 + lasts_s
        self.sent_during: list[float] = []

    async def post(self, name: str) -> Reply:
        await asyncio.sleep(1.0)
        now = asyncio.get_running_loop().time()
        if self._from_s <= now < self._until_s:
            self.sent_during.append(now)
            return self._broken()
        return answer_reply(name)


def outcomes_of(
    post: Callable[[str], object],
    *,
    requests: int = 1000,
    in_flight: int = 8,
    policy: RetryPolicy | None = None,
) -> tuple[dict[str, object], float]:
    """What comes of so many requests, and the seconds that this takes."""
    outcomes: dict[str, object] = {}

    async def main() -> None:
        model = ScriptedEndpoint(post, policy=policy)  # type: ignore[arg-type] # of coroutines
        names = deque(map(str, range(requests)))
        await ask_all(model, names, in_flight=in_flight, seen=outcomes.__setitem__)

    _, wall_s = run_virtually(main())
    return outcomes, wall_s


@pytest.mark.parametrize("broken", [refused, dropped, unavailable, later, busy])
@pytest.mark.parametrize("lasts_s", [60, 14 * 60])
def test_an_outage_of_up_to_the_budget_costs_time_and_no_answer(broken: Broken, lasts_s: float) -> None:
    outage = Outage(broken, lasts_s)

    outcomes, wall_s = outcomes_of(outage.post)

    assert [name for name, outcome in outcomes.items() if not isinstance(outcome, Completion)] == []
    assert len(outcomes) == 1000
    # Some is lost until the end of the outage is noticed, and, after a 429, until the pace is found.
    assert wall_s < 1000 / 8 + lasts_s + 240
    # The first find out, then one at a time, ever less often.
    assert len(outage.sent_during) < 80


def test_with_one_request_at_a_time_an_outage_of_connections_costs_no_answer_either() -> None:
    outage = Outage(refused, 14 * 60)

    outcomes, _ = outcomes_of(outage.post, requests=100, in_flight=1)

    assert all(isinstance(outcome, Completion) for outcome in outcomes.values())


@pytest.mark.parametrize("broken", [refused, dropped, unavailable, later])
def test_a_longer_outage_ends_the_run_with_one_message_for_all(broken: Broken) -> None:
    outage = Outage(broken, math.inf)

    outcomes, wall_s = outcomes_of(outage.post)

    errors = [outcome for outcome in outcomes.values() if isinstance(outcome, ModelError)]
    assert {type(error) for error in errors} == {FatalModelError}
    assert len({str(error) for error in errors}) == 1
    assert "retry_budget_s 900" in str(errors[0])
    assert str(errors[0]).endswith(". Answers received are kept: the same command goes on from there")
    assert errors[0].kind == "outage"
    assert wall_s <= 60 + 900 + 30


def test_the_budget_can_be_changed() -> None:
    outage = Outage(unavailable, math.inf)

    outcomes, wall_s = outcomes_of(outage.post, policy=RetryPolicy(retry_budget_s=100))

    message = (
        'HTTP 503 from http://127.0.0.1/v1: "down"; http://127.0.0.1/v1 has let nothing through for so long '
        "that retry_budget_s 100 is used up. Answers received are kept: the same command goes on from there"
    )
    assert {str(outcome) for outcome in outcomes.values() if isinstance(outcome, ModelError)} == {message}
    assert wall_s < 60 + 100 + 30


def test_several_outages_are_survived_as_long_as_there_are_answers_between() -> None:
    async def post(name: str) -> Reply:
        await asyncio.sleep(1.0)
        # 10 minutes down, 5 minutes up, and so on.
        return refused() if asyncio.get_running_loop().time() % 900 >= 300 else answer_reply(name)

    outcomes, _ = outcomes_of(post, requests=8000)

    assert all(isinstance(outcome, Completion) for outcome in outcomes.values())


def test_an_endpoint_that_hangs_costs_the_requests_on_their_way_and_no_more() -> None:
    async def post(name: str) -> Reply:
        await asyncio.sleep(1.0)
        if 60 <= (now := asyncio.get_running_loop().time()) < 600:
            # As if the connection had been cut: nothing ever comes.
            await asyncio.sleep(10_000)
        return answer_reply(name if now else "")

    outcomes, wall_s = outcomes_of(post)

    errors = [outcome for outcome in outcomes.values() if isinstance(outcome, ModelError)]
    assert {error.kind for error in errors} == {"timeout"}
    # Those that hung, and those that were sent before five of them had run into their deadlines.
    assert len(errors) <= 8 + 4
    assert wall_s < 1000 / 8 + 600 + 120


def test_one_request_that_the_endpoint_fails_on_is_its_own_error() -> None:
    async def post(name: str) -> Reply:
        await asyncio.sleep(1.0)
        return unavailable() if name in ("3", "99") else answer_reply(name)

    outcomes, wall_s = outcomes_of(post, requests=100)

    errors = {name: str(outcome) for name, outcome in outcomes.items() if isinstance(outcome, ModelError)}
    message = 'HTTP 503 from http://127.0.0.1/v1: "down" (6 attempts)'
    assert errors == {"3": message, "99": message}
    assert wall_s < 60


def test_a_dribbling_endpoint_is_held_to_each_requests_deadline() -> None:
    async def post(name: str) -> Reply:
        for _ in range(10_000):
            await asyncio.sleep(1.0)
        return answer_reply(name)

    outcomes, wall_s = outcomes_of(post, requests=500, in_flight=500)

    assert {str(outcome) for outcome in outcomes.values()} == {
        "no answer from http://127.0.0.1/v1 within timeout_s 120"
    }
    assert wall_s <= 121


def test_waits_that_the_endpoint_asks_for_are_not_taken_off_a_requests_own_time() -> None:
    count = 0

    async def post(name: str) -> Reply:
        nonlocal count
        count += 1
        await asyncio.sleep(1.0)
        return reply(b"slow down", 429, {"retry-after": "130"}) if count <= 5 else answer_reply(name)

    outcomes, wall_s = outcomes_of(post, requests=1)

    assert isinstance(outcomes["0"], Completion)
    assert wall_s > 5 * 130


def test_waits_add_up_to_the_budget() -> None:
    async def post(name: str) -> Reply:
        return reply(b"slow down", 429, {"retry-after": "130"})

    outcomes, wall_s = outcomes_of(post, requests=1)

    assert str(outcomes["0"]) == (
        'HTTP 429 from http://127.0.0.1/v1: "slow down"; the next request may start in 130 s, '
        "only 120 s are left of retry_budget_s 900"
    )
    assert wall_s == pytest.approx(6 * 130)

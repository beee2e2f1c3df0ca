from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.models.endpoints.endpoint import Endpoint


def busy(in_flight: int, limit: int | None = None) -> Endpoint:
    endpoint = Endpoint(limit)
    for _ in range(in_flight):
        endpoint.enter()
    return endpoint


def test_nothing_is_limited_at_first() -> None:
    assert busy(32).concurrency is None
    assert busy(32, limit=5).concurrency == 5


def test_too_many_requests_halves_what_is_on_its_way_once_per_round() -> None:
    endpoint = busy(32)

    for _ in range(20):
        endpoint.slow_down(sent_at=1.0, now=2.0, pause_s=0.5)
    after_one_round = endpoint.concurrency
    endpoint.slow_down(sent_at=3.0, now=4.0, pause_s=0.5)

    assert (after_one_round, endpoint.concurrency) == (16, 8)


def test_answers_raise_the_limit_by_one_per_round() -> None:
    endpoint = busy(8)
    endpoint.slow_down(sent_at=1.0, now=2.0, pause_s=0.0)

    for _ in range(5):
        endpoint.succeed()

    assert endpoint.concurrency == 5


def test_a_pause_is_never_shortened() -> None:
    endpoint = busy(1)

    endpoint.slow_down(sent_at=1.0, now=2.0, pause_s=5.0)
    endpoint.slow_down(sent_at=1.0, now=3.0, pause_s=0.5)

    assert endpoint.pause_left_s(3.0) == 4.0
    assert endpoint.pause_left_s(8.0) == 0.0


@given(st.lists(st.booleans(), max_size=200), st.none() | st.integers(1, 50))
def test_the_limit_is_at_least_one_and_never_above_the_entrys(events: list[bool], limit: int | None) -> None:
    endpoint = busy(32, limit)

    for number, is_answer in enumerate(events):
        if is_answer:
            endpoint.succeed()
        else:
            endpoint.slow_down(sent_at=number, now=number + 0.5, pause_s=0)

    assert endpoint.concurrency is None or 1 <= endpoint.concurrency <= (limit or 1000)

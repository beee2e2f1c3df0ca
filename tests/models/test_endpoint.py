from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.completions import Usage
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models.endpoints.endpoint import DOWN_REQUESTS, Endpoint, Sent
from pytest_ftgate.models.endpoints.quota import Quota

WHY = ModelError("no", kind="status")


def endpoint_of(limit: int | None = None, *, budget_s: float = 900.0) -> Endpoint:
    return Endpoint(limit, budget_s=budget_s, hold_s=float)


def busy(in_flight: int, limit: int | None = None) -> tuple[Endpoint, list[Sent]]:
    endpoint = endpoint_of(limit)
    return endpoint, [endpoint.send(number, 1.0) for number in range(in_flight)]


def fail(endpoint: Endpoint, sent: Sent, now: float, *, connected: bool = True, wish_s: float = 0.0) -> None:
    endpoint.fail(sent, now, WHY, connected=connected, wish_s=wish_s)
    endpoint.end(sent)


def succeed(endpoint: Endpoint, sent: Sent, now: float) -> None:
    endpoint.succeed(sent, now, Usage(input_tokens=60, output_tokens=40))
    endpoint.end(sent)


def answered() -> Endpoint:
    endpoint = endpoint_of()
    succeed(endpoint, endpoint.send(0, 1.0), 2.0)
    return endpoint


def test_nothing_is_limited_at_first() -> None:
    assert endpoint_of().concurrency is None
    assert endpoint_of(5).concurrency == 5
    assert endpoint_of().wait_s(0.0) == 0


def test_too_many_requests_halves_what_is_on_the_wire_once_per_round() -> None:
    endpoint, on_wire = busy(32)

    for sent in on_wire:
        endpoint.slow_down(sent, 2.0, WHY, None)
        endpoint.end(sent)

    assert endpoint.concurrency == 16


def test_a_late_refusal_of_an_earlier_request_is_no_reason_for_another_cut_but_its_wish_holds() -> None:
    endpoint, (first, late, *_) = busy(32)
    endpoint.slow_down(first, 2.0, WHY, 3.0)

    endpoint.slow_down(late, 4.0, WHY, 8.0)

    assert endpoint.concurrency == 16
    assert endpoint.wait_s(5.0) == 7.0


def test_answers_raise_the_limit_by_one_per_round() -> None:
    endpoint, on_wire = busy(8)
    endpoint.slow_down(on_wire[0], 2.0, WHY, None)

    for sent in on_wire[1:6]:
        succeed(endpoint, sent, 2.5)

    assert endpoint.concurrency == 5


def test_a_pause_is_never_shortened() -> None:
    endpoint, on_wire = busy(2)

    endpoint.slow_down(on_wire[0], 2.0, WHY, 5.0)
    endpoint.slow_down(on_wire[1], 3.0, WHY, 0.5)

    assert endpoint.wait_s(3.0) == 4.0
    assert endpoint.wait_s(7.0) == 0.0


def test_after_a_pause_one_request_goes_first_and_the_others_when_it_was_not_refused() -> None:
    endpoint, on_wire = busy(8)
    endpoint.slow_down(on_wire[0], 2.0, WHY, 5.0)
    for sent in on_wire:
        endpoint.end(sent)

    probe = endpoint.send(1, 7.0)
    waiting_s = endpoint.wait_s(7.0)

    # A refusal took a second so far: three times that are too long to wait, one second is the most.
    assert waiting_s == 1.0
    assert endpoint.wait_s(8.0) < 1.0
    assert not endpoint.door.is_closed
    succeed(endpoint, probe, 30.0)


def test_the_window_limits_attempts_on_the_wire() -> None:
    endpoint, _ = busy(3, limit=3)

    assert endpoint.wait_s(2.0) == float("inf")


@given(st.lists(st.booleans(), max_size=100), st.none() | st.integers(1, 50))
def test_the_limit_is_at_least_one_and_never_above_the_entrys(events: list[bool], limit: int | None) -> None:
    endpoint, _ = busy(32, limit)

    for number, is_answer in enumerate(events, start=2):
        sent = endpoint.send(100 + number, float(number))
        if is_answer:
            succeed(endpoint, sent, number + 0.5)
        else:
            endpoint.slow_down(sent, number + 0.5, WHY, 0.0)
            endpoint.end(sent)

    assert endpoint.concurrency is None or 1 <= endpoint.concurrency <= (limit or 1000)


def test_failures_of_several_requests_in_a_row_close_the_door_and_a_success_opens_it() -> None:
    endpoint = answered()

    for request in range(DOWN_REQUESTS):
        assert endpoint.wait_s(3.0) == 0
        fail(endpoint, endpoint.send(request, 3.0), 3.0)
    closed_s = endpoint.wait_s(3.0)
    probe = endpoint.send(9, 4.0)
    during = endpoint.wait_s(4.0)
    succeed(endpoint, probe, 5.0)

    assert closed_s == 1.0
    assert during == float("inf")
    assert endpoint.wait_s(5.0) == 0


def test_one_request_that_fails_again_and_again_does_not_stop_the_others() -> None:
    endpoint = answered()

    for _ in range(20):
        fail(endpoint, endpoint.send(1, 3.0), 3.0)

    assert endpoint.wait_s(3.0) == 0


def test_an_answer_starts_the_count_of_failures_anew() -> None:
    endpoint = answered()

    for request in range(3 * DOWN_REQUESTS):
        fail(endpoint, endpoint.send(request, 3.0), 3.0)
        if request % (DOWN_REQUESTS - 1) == 0:
            succeed(endpoint, endpoint.send(100, 3.0), 3.0)

    assert endpoint.wait_s(3.0) == 0


def test_two_connections_that_fail_are_enough() -> None:
    endpoint = answered()

    for _ in range(2):
        fail(endpoint, endpoint.send(1, 3.0), 3.0, connected=False)

    assert endpoint.wait_s(3.0) == 1.0


def test_failures_before_the_first_answer_are_each_requests_own() -> None:
    endpoint = endpoint_of()

    for request in range(100):
        fail(endpoint, endpoint.send(request, 3.0), 3.0, connected=False)

    assert endpoint.wait_s(3.0) == 0


def test_probes_come_at_growing_intervals() -> None:
    endpoint, now, intervals = answered(), 3.0, []
    for request in range(DOWN_REQUESTS):
        fail(endpoint, endpoint.send(request, now), now)

    for request in range(4):
        intervals.append(endpoint.wait_s(now))
        now += intervals[-1]
        fail(endpoint, endpoint.send(request, now), now)

    assert intervals == [1.0, 2.0, 3.0, 4.0]


def test_what_was_sent_before_the_last_answer_says_nothing_of_the_time_after_it() -> None:
    endpoint = answered()
    old = [endpoint.send(request, 3.0) for request in range(10)]
    succeed(endpoint, endpoint.send(99, 4.0), 5.0)

    for sent in old:
        fail(endpoint, sent, 120.0)

    assert endpoint.wait_s(120.0) == 0


def test_the_budget_is_used_up_by_time_behind_a_closed_door_and_grows_with_answers() -> None:
    endpoint, (sent, other) = busy(2)
    endpoint.slow_down(sent, 10.0, WHY, 700.0)
    left_s = endpoint.door.left_s(110.0)

    succeed(endpoint, other, 110.0)

    assert left_s == 800.0
    assert endpoint.door.left_s(110.0) == 860.0
    assert not endpoint.door.is_over(700.0)
    assert endpoint.door.is_over(970.0)


def test_a_wish_beyond_the_budget_ends_it_at_once() -> None:
    endpoint, (sent,) = busy(1)

    endpoint.slow_down(sent, 10.0, WHY, 901.0)

    assert endpoint.door.is_over(10.0)


def test_no_request_is_sent_when_the_headers_say_that_none_is_left() -> None:
    endpoint, (sent,) = busy(1)
    endpoint.heed({"requests": Quota(counts_tokens=False, remaining=0, reset_s=20.0)}, 2.0)
    succeed(endpoint, sent, 2.0)

    assert endpoint.wait_s(2.0) == 20.0
    assert endpoint.wait_s(22.0) == 0.0


def test_what_is_on_the_wire_is_taken_off_what_is_left() -> None:
    endpoint, _ = busy(3)

    endpoint.heed({"requests": Quota(counts_tokens=False, remaining=2, reset_s=20.0)}, 2.0)

    assert endpoint.wait_s(2.0) == 20.0


def test_tokens_that_are_left_count_as_so_many_answers_as_they_were_enough_for() -> None:
    endpoint = answered()

    endpoint.heed({"tokens": Quota(counts_tokens=True, remaining=99, reset_s=20.0)}, 2.0)
    too_few = endpoint.wait_s(2.0)
    endpoint.heed({"tokens": Quota(counts_tokens=True, remaining=100_000, reset_s=20.0)}, 2.0)

    assert too_few == 20.0
    assert endpoint.wait_s(2.0) == 0


def test_a_reset_far_away_is_not_waited_for_unseen() -> None:
    endpoint, (sent,) = busy(1)
    endpoint.heed({"requests": Quota(counts_tokens=False, remaining=0, reset_s=86_400.0)}, 2.0)
    succeed(endpoint, sent, 2.0)

    assert endpoint.wait_s(2.0) == 60.0

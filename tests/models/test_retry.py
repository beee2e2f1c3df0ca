from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models.endpoints.retry import Again, NoAnswer, RetryLoop, RetryPolicy


@given(st.integers(1, 100), st.integers())
def test_backoff_grows_to_its_cap_and_no_further(attempt: int, seed: int) -> None:
    policy = RetryPolicy(base_s=0.5, cap_s=8.0)

    assert 0 <= policy.backoff_s(attempt, Random(seed)) <= min(8.0, 0.5 * 2 ** (attempt - 1))


@given(st.lists(st.sampled_from(list(Again)), max_size=10), st.integers())
def test_no_request_is_tried_more_than_six_times(fates: list[Again], seed: int) -> None:
    attempts = 0

    async def attempt() -> Completion:
        nonlocal attempts
        attempts += 1
        if attempts <= len(fates):
            raise NoAnswer(ModelError("no", kind="status"), fates[attempts - 1])
        return Completion(text="x")

    loop = RetryLoop(RetryPolicy(base_s=0, timeout_s=5), host="h", random=Random(seed))
    try:
        asyncio.run(loop.run(attempt))
    except ModelError:
        assert attempts <= 6
    else:
        assert attempts == len(fates) + 1 <= 6


def test_a_malformed_answer_is_retried_once_wherever_it_comes() -> None:
    fates = [Again.YES, Again.ONCE, Again.YES, Again.ONCE]
    attempts = iter(fates)

    async def attempt() -> Completion:
        raise NoAnswer(ModelError("no", kind="protocol"), next(attempts))

    loop = RetryLoop(RetryPolicy(base_s=0), host="h", random=Random(1))
    with pytest.raises(ModelError) as caught:
        asyncio.run(loop.run(attempt))

    assert str(caught.value) == "no (4 attempts)"


@given(st.integers(1, 1000), st.integers())
def test_probes_wait_for_at_least_half_of_an_interval_that_grows_to_a_minute(probe: int, seed: int) -> None:
    policy = RetryPolicy()
    longest = min(60.0, 0.5 * 1.35 ** min(probe - 1, 50))

    assert longest / 2 <= policy.hold_s(probe, Random(seed)) <= longest


def test_the_attempts_allowed_outlast_the_budget() -> None:
    policy = RetryPolicy()

    waits_s = [policy.hold_s(probe, Random(1)) for probe in range(1, policy.attempts_when_held)]

    assert sum(waits_s) > 2 * policy.retry_budget_s

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models.endpoints.quota import parse_retry_after
from pytest_ftgate.models.endpoints.retry import Again, NoAnswer, RetryLoop, RetryPolicy

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-5", None),
        ("NaN", None),
        ("soon", None),
        ("", None),
        ("1e999", math.inf),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == seconds


@given(st.text())
def test_any_retry_after_is_none_or_a_wait(value: str) -> None:
    seconds = parse_retry_after(value, now=NOW)

    assert seconds is None or seconds >= 0


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

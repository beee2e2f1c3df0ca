from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.models.endpoints.quota import Quota, parse_quotas, parse_retry_after, retry_after_s

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


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3.0),
        ({"retry-after-ms": "1e999", "retry-after": "3"}, 3.0),
    ],
)
def test_milliseconds_come_first(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("12", 12.0),
        ("0.5", 0.5),
        ("6m0s", 360.0),
        ("17ms", 0.017),
        ("2m59.56s", 179.56),
        ("1d2h", 93_600.0),
        ("2026-01-01T12:00:30Z", 30.0),
        ("2026-01-01T11:00:00Z", 0.0),
        ("1767268830", 30.0),
        ("1767268830000", 30.0),
    ],
)
def test_a_reset_is_seconds_a_duration_or_a_point_in_time(reset: str, seconds: float) -> None:
    headers = {"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": reset}

    (quota,) = parse_quotas(headers, now=NOW).values()

    assert quota.remaining == 7
    assert quota.reset_s == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("form", "counts_tokens"),
    [
        ("x-ratelimit-{}-requests", False),
        ("x-ratelimit-{}-tokens", True),
        ("anthropic-ratelimit-requests-{}", False),
        ("anthropic-ratelimit-tokens-{}", True),
        ("x-ratelimit-{}", False),
        ("ratelimit-{}", False),
    ],
)
def test_the_usual_names_are_known(form: str, counts_tokens: bool) -> None:
    headers = {form.format("remaining"): "0", form.format("reset"): "5", form.format("limit"): "60"}

    assert list(parse_quotas(headers).values()) == [
        Quota(counts_tokens=counts_tokens, remaining=0, reset_s=5.0)
    ]


@pytest.mark.parametrize("remaining", ["", "-1", "NaN", "1e999", "many"])
def test_what_makes_no_sense_says_nothing(remaining: str) -> None:
    headers = {"x-ratelimit-remaining-requests": remaining, "x-ratelimit-reset-requests": "1s"}

    assert parse_quotas(headers) == {}
    assert parse_quotas({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "soon"}) == {}
    assert parse_quotas({"x-ratelimit-remaining-requests": "1"}) == {}


@given(st.text(), st.text())
def test_any_header_is_no_quota_or_one_that_can_be_waited_for(remaining: str, reset: str) -> None:
    headers = {"x-ratelimit-remaining-requests": remaining, "x-ratelimit-reset-requests": reset}

    for quota in parse_quotas(headers, now=NOW).values():
        assert 0 <= quota.remaining < math.inf
        assert 0 <= quota.reset_s < math.inf

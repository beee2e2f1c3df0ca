"""What an endpoint's headers say of limits: how long to wait, and what is left until when. No I/O."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
#: The names, with "remaining" or "reset" in the gap, and whether tokens are counted: first those of OpenAI,
#: Azure and most others, then Anthropic's, then plain ones.
_FORMS = (
    ("x-ratelimit-{}-requests", False),
    ("x-ratelimit-{}-tokens", True),
    ("anthropic-ratelimit-requests-{}", False),
    ("anthropic-ratelimit-tokens-{}", True),
    ("x-ratelimit-{}", False),
    ("ratelimit-{}", False),
)
#: A number this large is a point in time since 1970, in seconds or milliseconds, not a duration.
_EPOCH_S = 1e9
_EPOCH_MS = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What is left of requests, or of tokens, until the count starts anew in `reset_s` seconds."""

    counts_tokens: bool
    remaining: float
    reset_s: float


def parse_quotas(headers: Mapping[str, str], *, now: datetime | None = None) -> dict[str, Quota]:
    """Those that headers speak of, by the form of their names; what makes no sense says nothing."""
    at = now or datetime.now(UTC)
    found = {form: _quota(headers, form, tokens, at) for form, tokens in _FORMS}
    return {form: quota for form, quota in found.items() if quota is not None}


def _quota(headers: Mapping[str, str], form: str, counts_tokens: bool, now: datetime) -> Quota | None:
    remaining = _number(headers.get(form.format("remaining")))
    reset_s = _reset_s(headers.get(form.format("reset")), now)
    if remaining is None or reset_s is None:
        return None
    return Quota(counts_tokens=counts_tokens, remaining=remaining, reset_s=reset_s)


def _number(value: str | None) -> float | None:
    """A finite number from 0."""
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None


def _reset_s(value: str | None, now: datetime) -> float | None:
    """Seconds ("12"), a duration ("6m0s", "17ms") or a point in time, as seconds from now."""
    number = _number(value)
    if number is not None:
        since_1970 = number / 1000 if number >= _EPOCH_MS else number
        return max(0.0, since_1970 - now.timestamp()) if number >= _EPOCH_S else number
    if value is None:
        return None
    if _DURATION.fullmatch(value.strip()):
        return sum(float(count) * _UNITS_S[unit] for count, unit in _PART.findall(value))
    try:
        date = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return max(0.0, (_aware(date) - now).total_seconds())


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the endpoint asks to wait, possibly infinite; None if it says nothing usable."""
    milliseconds = parse_retry_after(headers.get("retry-after-ms"))
    if milliseconds is not None and math.isfinite(milliseconds):
        return milliseconds / 1000
    return parse_retry_after(headers.get("retry-after"))


def parse_retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for, possibly infinite; None if it says nothing usable.

    Source: RFC 9110, 10.2.3: seconds or a date. A past date is 0; a negative number and NaN are ignored.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value, now or datetime.now(UTC))
    return seconds if seconds >= 0 else None


def _seconds_until(value: str, now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, (_aware(date) - now).total_seconds())


def _aware(date: datetime) -> datetime:
    # "-0000" means "no zone known" and gives a naive date; HTTP dates are GMT.
    return date if date.tzinfo else date.replace(tzinfo=UTC)

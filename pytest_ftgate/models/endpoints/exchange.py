"""One exchange with an endpoint, as plain values: what came back, or how it broke. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class WireError(Exception):
    """The exchange broke; the message says how, without secrets."""


class UnreachableError(WireError):
    """No connection: refused, no such host, TLS, or nobody opened the door in time."""


class TooLargeError(WireError):
    """More bytes came than anybody wants to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Whatever came back over HTTP. `latency_s` runs from the request written to the last byte read.

    Names in `headers` are in lower case; `body` is decoded. `marks` says of each part of the body, in order,
    how many bytes were there with it, and after how many seconds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_s: float
    marks: tuple[tuple[int, float], ...] = ()

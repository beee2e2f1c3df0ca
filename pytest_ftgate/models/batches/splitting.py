"""How many requests a file may hold. Plain computation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: OpenAI's own limits. Source: its reference of the Batch API, "up to 50,000 requests, up to 200 MB".
MAX_REQUESTS = 50_000
MAX_BYTES = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the provider takes in one file: so many requests, and so many bytes."""

    requests: int = MAX_REQUESTS
    bytes: int = MAX_BYTES


def part_numbers(sizes: Iterable[int], limits: Limits) -> Iterator[int]:
    """For each line of so many bytes the file that it goes to, from 0, in order; none is too large.

    Raises ValueError for a line that no file can hold.
    """
    part, lines, filled = 0, 0, 0
    for size in sizes:
        if size > limits.bytes:
            raise ValueError(f"{size:,} bytes, and a file holds at most {limits.bytes:,}")
        if lines == limits.requests or filled + size > limits.bytes:
            part, lines, filled = part + 1, 0, 0
        lines, filled = lines + 1, filled + size
        yield part

"""How late this client itself is: the delay with which its event loop gets around to what is due. No network.

A loop that is late reads answers late, and what it then measures is its own time as well as the server's.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

# The part by which the golden ratio exceeds 1: multiples of it are spread evenly over 0…1 (Weyl), so that no
# regular work of the loop falls between all samples.
_GOLDEN = (math.sqrt(5) - 1) / 2


class LagMeter:
    """Samples the delay of the loop that `run` is in; owned by the engine, readable from every thread."""

    def __init__(self, *, interval_s: float = 0.05) -> None:
        self._interval_s = interval_s
        self._delays_s: list[float] = []

    @property
    def p95_s(self) -> float | None:
        """95 % of the samples were at most so late, in seconds (nearest rank); None without samples."""
        delays_s = sorted(self._delays_s)
        return delays_s[math.ceil(0.95 * len(delays_s)) - 1] if delays_s else None

    async def run(self, is_busy: Callable[[], bool]) -> None:
        """Takes a sample per interval on average, for ever; only what `is_busy` at its beginning counts."""
        clock = asyncio.get_running_loop().time
        number = 0
        while True:
            number += 1
            due, counts = clock() + self._interval_s * (0.5 + number * _GOLDEN % 1), is_busy()
            await asyncio.sleep(due - clock())
            if counts:
                self._add(clock() - due)

    def _add(self, delay_s: float) -> None:
        """Keeps a delay, and those of the samples that were due meanwhile.

        Source: Gil Tene's correction for coordinated omission, as in HdrHistogram: without it a loop that
        stands still for a second would count as late once, and be on time all the other times.
        """
        self._delays_s.append(max(0.0, delay_s))
        while (delay_s := delay_s - self._interval_s) > 0:
            self._delays_s.append(delay_s)

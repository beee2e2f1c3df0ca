"""An asyncio loop whose time is virtual: where it would wait, it jumps to the next timer. No sockets.

Code under test runs unchanged; hours of waiting take as long as the work in them.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(AssertionError):
    """Nothing is due any more, and something is still waited for."""


class _NeverBlocks(selectors.SelectSelector):
    """Skips the time for which the loop would sleep."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("nothing is due any more, and something is still waited for")
        self.loop.skip(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at 0 seconds. Nothing may use threads or sockets in it."""

    def __init__(self) -> None:
        selector = _NeverBlocks()
        selector.loop = self
        self._now = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        """Time passes."""
        self._now += max(0.0, seconds)


def run_virtually(main: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """What comes of it, and how many virtual seconds it took."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        result = runner.run(main)
        return result, runner.get_loop().time()

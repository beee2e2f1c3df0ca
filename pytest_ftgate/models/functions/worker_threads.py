"""Threads in which a user's functions run, so that they can't stop the loop, nor the process from ending."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

_Result = TypeVar("_Result")
_Work = Callable[[], None]
_Queue = SimpleQueue[_Work | None]


class WorkerThreads:
    """Daemon threads, made as they are needed and used again; owned by one model, called from one loop.

    The standard pool is joined when the interpreter ends, so that a function that never returns would keep
    pytest from ending. Threads are used again because functions keep things in them (sessions, connections).
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: list[_Queue] = []

    async def run(self, function: Callable[[], _Result]) -> _Result:
        """Calls a function that doesn't raise. If this is cancelled, the thread goes on until it returns."""
        queue = self._idle.pop() if self._idle else self._start()
        future: Future[_Result] = Future()
        future.set_running_or_notify_cancel()

        def work() -> None:
            result = function()
            self._idle.append(queue)
            future.set_result(result)

        queue.put(work)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Lets the idle threads end."""
        while self._idle:
            self._idle.pop().put(None)

    def _start(self) -> _Queue:
        queue: _Queue = SimpleQueue()
        threading.Thread(target=_serve, args=(queue,), name=self._name, daemon=True).start()
        return queue


def _serve(queue: _Queue) -> None:
    while work := queue.get():
        work()

"""A time limit around a scorer, and the difference between a Ctrl-C and a scorer that raises the same.

It owns SIGALRM and SIGINT only inside its `with` block, and gives an alarm that was already running (of a
test timeout, say) back to its owner, on time. Off the main thread, or without these signals,
it limits nothing.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Self

#: A scorer that catches everything in a loop is interrupted again and again.
_REPEAT_S = 0.25
#: An alarm that fell due inside the block rings right after it; 0 would switch it off.
_AT_ONCE_S = 1e-6


class DeadlineExceededError(BaseException):
    """The scorer's time is up; no `Exception`, so that a scorer's own `except` lets it through."""


class Deadline:
    """Interrupts the code in its `with` block after `limit_s` seconds.

    `expired` says whether it did, `foreign` whether somebody else's signal (Ctrl-C, a test timeout) raised.
    One is made for each scorer call and ends with it.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.expired = False
        self.foreign = False
        self._active = False
        self._others_due = math.inf
        self._others_interval = 0.0

    def __enter__(self) -> Self:
        self._ends = time.monotonic() + self.limit_s
        self._alarm = self._sigint = None
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
            return self
        self._sigint = signal.getsignal(signal.SIGINT)
        if callable(self._sigint):
            signal.signal(signal.SIGINT, self._on_sigint)
        self._alarm = signal.getsignal(signal.SIGALRM)
        if self._alarm is not None:  # None is a handler of C code, which could not be put back.
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._active:
            self._stop()
        if callable(self._sigint):
            signal.signal(signal.SIGINT, self._sigint)

    def _start(self) -> None:
        self._active = True
        signal.signal(signal.SIGALRM, self._on_alarm)
        left, self._others_interval = signal.setitimer(signal.ITIMER_REAL, self.limit_s, _REPEAT_S)
        if left:
            self._others_due = time.monotonic() + left
            signal.setitimer(signal.ITIMER_REAL, min(left, self.limit_s), _REPEAT_S)

    def _stop(self) -> None:
        self._active = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._alarm)
        if self._others_due < math.inf:
            left = max(self._others_due - time.monotonic(), _AT_ONCE_S)
            signal.setitimer(signal.ITIMER_REAL, left, self._others_interval)

    def _on_alarm(self, signum: int, frame: FrameType | None) -> None:
        if not self._active:
            return
        now = time.monotonic()
        if now >= self._others_due:
            self._others_due = now + self._others_interval if self._others_interval else math.inf
            self._delegate(self._alarm, signum, frame)
        # A signal that comes a little early must not be lost: the timer repeats.
        if now >= self._ends:
            self.expired = True
            raise DeadlineExceededError

    def _on_sigint(self, signum: int, frame: FrameType | None) -> None:
        self._delegate(self._sigint, signum, frame)

    def _delegate(self, handler: object, signum: int, frame: FrameType | None) -> None:
        if not callable(handler):
            return
        try:
            handler(signum, frame)
        except BaseException:
            self.foreign = True
            raise

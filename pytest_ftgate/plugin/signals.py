"""SIGTERM, as CI sends it to a job that takes too long: it ends a run as Ctrl-C does, and all is kept."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def terminated_like_ctrl_c() -> Iterator[None]:
    """Within, a first SIGTERM raises KeyboardInterrupt; a second one does what it did before.

    Whoever else wants the signal gets it, too. Nothing happens outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, before)
        if callable(before):
            before(number, frame)
        raise KeyboardInterrupt("SIGTERM")

    if before is None or before is signal.SIG_IGN:  # not set from Python, or not wanted
        yield
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, before)

"""Python's garbage collector, kept from looking again and again at what a large run holds to its end."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_to_collect() -> Iterator[None]:
    """Pauses it while many objects are made and none becomes garbage: a third of the time of collection."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def kept_objects() -> Iterator[None]:
    """Takes all that is there by now out of its sight while the tests run: items and cases stay anyway.

    Where somebody has frozen objects before, it is left as it is: they could not be told apart afterwards.
    """
    is_ours = gc.get_freeze_count() == 0
    if is_ours:
        gc.freeze()
    try:
        yield
    finally:
        if is_ours:
            gc.unfreeze()

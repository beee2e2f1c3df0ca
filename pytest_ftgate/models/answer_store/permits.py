"""What a process needs leave for before it sends: its turn where turns are few, and the first request.

The answer store knows who has leave. It ends with the process that has it, so that nobody waits for the dead.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pytest_ftgate.models.answer_store.store import AnswerStore
from pytest_ftgate.models.lanes import Permit


class Permits:
    """Those that this process waits for; lives in the store's thread, owned by `Sharing`."""

    def __init__(self, store: AnswerStore, given: Callable[[Permit, bool], None]) -> None:
        self._store = store
        self._given = given
        self._awaited: list[Permit] = []
        self._next_look = 0.0

    def ask(self, permit: Permit) -> None:
        """Waits for this one from here on."""
        self._awaited.append(permit)
        self._next_look = 0.0

    def give_back(self, permit: Permit) -> None:
        """Lets another process have it."""
        self._store.give_back(self._keys(permit))

    def look(self, every_s: float) -> None:
        """Tries to get what is waited for, but not all the time."""
        now = time.monotonic()
        if not self._awaited or now < self._next_look:
            return
        self._next_look = now + every_s
        for permit in list(self._awaited):
            has_answered = permit.who is not None and self._store.has_heard_of(permit.who)
            if has_answered or any(self._store.holds(key) for key in self._keys(permit)):
                self._awaited.remove(permit)
                self._given(permit, has_answered)

    def clear(self) -> None:
        """Nothing is sent any more."""
        self._awaited.clear()

    def _keys(self, permit: Permit) -> list[str]:
        # Of this session: another one has limits of its own.
        return [f"{self._store.session.id} {permit.name} {number}" for number in range(permit.limit)]

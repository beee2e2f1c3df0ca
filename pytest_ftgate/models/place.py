"""Which of how many processes this one is, and what part of a limit for all it has. Plain computation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One of `count` processes of a run; `number` counts from 0, and no two that live have the same."""

    number: int = 0
    count: int = 1

    def part_of(self, limit: int) -> int | None:
        """How many of so many requests at once are this one's, so that all parts are `limit` together.

        None where there are more processes than that: then they have to take turns.
        """
        if limit < self.count:
            return None
        return limit // self.count + (self.number < limit % self.count)

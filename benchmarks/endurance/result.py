"""What a part of the endurance runs found: its figures, and where it fell short of its aims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A part passes if it names no missed aim; figures are shown in the order in which they stand.

    A part is a module with `run(quick: bool, seed: int) -> Result`, bounded in count and time.
    """

    name: str
    figures: Mapping[str, int | float | str]
    missed: Sequence[str] = ()

    @property
    def passed(self) -> bool:
        """Whether every aim was reached."""
        return not self.missed

"""What calls cost, by the price that an entry gives. No I/O, and no table of prices."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftgate.completions import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a million tokens cost, in any one currency."""

    input: float
    output: float

    def of(self, usage: Usage) -> float | None:
        """The cost of one call; None where the endpoint did not count its tokens."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        return (usage.input_tokens * self.input + usage.output_tokens * self.output) / 1_000_000

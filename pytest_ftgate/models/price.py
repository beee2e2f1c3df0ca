"""What calls cost, by a price. No I/O; where a price is from that no entry gives, `price_table` knows."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftgate.completions import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a million tokens cost, in any one currency.

    `source` names the table that it is from (`genai-prices 0.2.3`; then it is in US dollars), "" for a price
    that an entry gives. Calls with more than `most_input` tokens have another price, which is not known here;
    None for no such limit.
    """

    input: float
    output: float
    source: str = ""
    most_input: int | None = None

    def of(self, usage: Usage) -> float | None:
        """The cost of one call; None where the endpoint did not count its tokens, or the price is another."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        if self.most_input is not None and usage.input_tokens > self.most_input:
            return None
        return (usage.input_tokens * self.input + usage.output_tokens * self.output) / 1_000_000

    def __str__(self) -> str:
        """`$0.3 in, $1.2 out per million tokens`; without the sign where the currency is the user's."""
        sign = "$" if self.source else ""
        return f"{sign}{self.input:g} in, {sign}{self.output:g} out per million tokens"

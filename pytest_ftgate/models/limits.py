"""What a run may spend: tokens, money and time. Plain computation: who asks and who stops is the engine's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ftgate.completions import Completion

#: The kind of the error that a request gets which is not sent because a limit is reached.
LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Limits of one session, all its processes together; None for no limit.

    `cost` is in the currency of the prices. What an answer cost is known when it is there, so what is on its
    way by then still counts on top.
    """

    tokens: int | None = None
    cost: float | None = None

    def of(self, answers: Sequence[Completion]) -> tuple[int, float]:
        """Tokens and cost of answers; what is not known counts nothing."""
        return (
            sum((one.usage.input_tokens or 0) + (one.usage.output_tokens or 0) for one in answers),
            sum(one.cost or 0.0 for one in answers),
        )

    def unknown(self, answers: Sequence[Completion]) -> str | None:
        """Why a limit can't be kept: an answer that does not say what it cost; None if all do."""
        for one in answers:
            counts = (one.usage.input_tokens, one.usage.output_tokens)
            if self.tokens is not None and None in counts:
                return "--ftgate-max-tokens can't be kept: an answer came without its token counts"
            if self.cost is not None and (one.cost is None or not math.isfinite(one.cost)):
                return (
                    "--ftgate-max-cost can't be kept: it is not known what an answer cost; "
                    "give the model's entry in ftgate.yaml a `price: {input: …, output: …}`"
                )
        return None

    def exceeded(self, tokens: int, cost: float) -> str | None:
        """Which limit is reached by so much; None if none is."""
        if self.tokens is not None and tokens >= self.tokens:
            return f"--ftgate-max-tokens={self.tokens} is reached: {tokens:,} tokens were used"
        if self.cost is not None and cost >= self.cost:
            return f"--ftgate-max-cost={self.cost:g} is reached: {cost:.4g} were spent"
        return None

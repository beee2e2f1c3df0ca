"""Places on a horizontal scale, as percent of its width: what small drawings in a table are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From `low` to `high`, in the unit of what is drawn; drawings keep a margin for their marks."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """Where a value lies, as SVG writes it; what lies outside is drawn at the edge."""
        width = self.high - self.low
        share = (value - self.low) / width if width > 0 and math.isfinite(value) else 0.5
        return f"{3 + 94 * min(max(share, 0.0), 1.0):.2f}%"

    def span(self, low: float, high: float) -> tuple[str, str]:
        """Both ends of an interval."""
        return self.at(low), self.at(high)


#: Of rates.
UNIT = Scale(low=0.0, high=1.0)

"""100,000 requests to an endpoint that does everything wrong, on a virtual clock, from a seed.

What the endpoint does, and what must hold, is said in `tests.support.chaos`.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.endurance.result import Result
from tests.support import chaos

REQUESTS, QUICK = 100_000, 5_000


def run(*, quick: bool, seed: int) -> Result:
    """Figures, and the invariants that did not hold."""
    found, violated = chaos.run(seed, requests=QUICK if quick else REQUESTS)
    figures: dict[str, int | float | str] = {}
    for name, figure in found.items():
        if isinstance(figure, Mapping):
            figures |= {f"{name}: {kind}": count for kind, count in figure.items()}
        else:
            figures[name] = figure
    return Result(name="chaos", figures=figures, missed=violated)

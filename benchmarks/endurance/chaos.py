"""`python -m benchmarks.endurance.chaos`: 100,000 requests to an endpoint that does everything wrong.

On a virtual clock, from a seed; what the endpoint does, and what must hold, is said in `tests.support.chaos`.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from tests.support import chaos

REQUESTS, QUICK = 100_000, 5_000


def run(*, quick: bool = False, seed: int = 1) -> tuple[dict[str, Any], list[str]]:
    """Figures, and the invariants that did not hold."""
    return chaos.run(seed, requests=QUICK if quick else REQUESTS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} requests instead of {REQUESTS:,}")
    options = parser.parse_args()
    figures, violations = run(quick=options.quick, seed=options.seed)
    print(json.dumps(figures, indent=2))
    print("\n".join(f"VIOLATED: {one}" for one in violations) or "all invariants hold")
    raise SystemExit(bool(violations))


if __name__ == "__main__":
    main()

"""Whatever an endpoint does: each request ends once, with its own answer or an error, within bounds."""

from __future__ import annotations

import pytest

from tests.support import chaos


@pytest.mark.parametrize(
    ("seed", "concurrency"), [(1, 64), (2, 8), (3, 32), (5, 1), (6, 3), (7, 8), (11, 3), (20, 1)]
)
def test_all_invariants_hold_in_a_chaos_of_faults(seed: int, concurrency: int) -> None:
    figures, violations = chaos.run(seed, requests=700, concurrency=concurrency)

    assert violations == []
    assert figures["answers"] + figures["filtered"] + sum(figures["errors"].values()) == 700


def test_a_chaos_repeats_itself() -> None:
    first, second = (chaos.run(11, requests=300, concurrency=8)[0] for _ in range(2))

    assert first | {"real_s": 0} == second | {"real_s": 0}

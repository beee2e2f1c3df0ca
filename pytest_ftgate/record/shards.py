"""Which shard of a run has which case: by the case's key, or balanced by the times of an earlier run."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low
from typing import Any, Self

from pytest_ftgate.cases import digest
from pytest_ftgate.record.plan import CaseKey

#: (number, of how many), counted from 1.
Shard = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The cases of one of several balanced shards; `balance` digests how all cases were shared out."""

    balance: str
    cases: frozenset[CaseKey]

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        return {"balance": self.balance, "cases": [list(key) for key in sorted(self.cases)]}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        cases = frozenset((str(suite), str(case)) for suite, case in row["cases"])
        return cls(balance=str(row["balance"]), cases=cases)


def in_shard(key: CaseKey, shard: Shard) -> bool:
    """Whether a shard runs this case, going by its key alone; all of a case stays together."""
    number, of = shard
    return _hash(key) % of == number - 1


def balanced_shares(runs: Mapping[CaseKey, bool], times_s: Mapping[CaseKey, float], of: int) -> list[Share]:
    """So many shares that take about equally long; [] if no time is known of any case that runs.

    `runs` has all cases of the plan, False for those that are skipped. A case of which no time is known is
    given the median. The longest goes first, each to the share that has least so far (R. L. Graham, 1969,
    "Bounds on multiprocessing timing anomalies"): none takes longer than 4/3 of what the best way would.
    """
    # Whole microseconds: their sums are the same on every machine, in whatever order.
    known = {key: round(times_s[key] * 1e6) for key, is_run in runs.items() if is_run and key in times_s}
    if not known:
        return []
    usual = median_low(known.values())
    weights = {key: known.get(key, usual) if is_run else 0 for key, is_run in runs.items()}
    shares: list[list[CaseKey]] = [[] for _ in range(of)]
    heap = [(0, 0, number) for number in range(of)]
    for key in sorted(weights, key=lambda key: (-weights[key], _hash(key), key)):
        time, count, number = heap[0]
        heapq.heapreplace(heap, (time + weights[key], count + 1, number))
        shares[number].append(key)
    balance = digest([sorted(map(list, keys)) for keys in shares])
    return [Share(balance=balance, cases=frozenset(keys)) for keys in shares]


def _hash(key: CaseKey) -> int:
    hashed = hashlib.sha256("\0".join(key).encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(hashed[:8], "big")

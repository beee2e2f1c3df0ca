"""Criteria, the gate that holds them, and what becomes of them, as values. Nothing here computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from pytest_ftgate.errors import FtgateError

Compare = Literal["value", "delta", "ratio"]
Bound = Literal["at_least", "at_most"]
Per = Literal["category", "suite", "role", "tag"]
Evidence = Literal["point", "strict"]


class Status(StrEnum):
    """What one criterion says."""

    GO = "GO"
    NO_GO = "NO-GO"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_MEASURED = "NOT MEASURED"


class GateError(FtgateError):
    """A `gate:` mapping is wrong: `where` is the path of keys to the first mistake, `reason` what it is.

    `others` are further mistakes in the same mapping, each with a place of its own.
    """

    def __init__(self, where: tuple[str, ...], message: str, others: Sequence[GateError] = ()) -> None:
        first = f"{'.'.join(where)}: {message}" if where else message
        super().__init__("\n".join([first, *map(str, others)]))
        self.where = where
        self.reason = message
        self.others = tuple(others)

    def each(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Place and sentence of every mistake."""
        yield self.where, f"{'.'.join(self.where)}: {self.reason}" if self.where else self.reason
        for other in self.others:
            yield from other.each()


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One go/no-go rule as configured. `threshold` is exact, `written` the author's text for it (`85%`).

    `seen` is the tag of the cases that are in the training data, for `generalization_gap`; else empty.
    """

    name: str
    metric: tuple[str, ...]
    compare: Compare = "value"
    bound: Bound = "at_least"
    threshold: Fraction
    written: str
    role: tuple[str, ...] = ()
    suite: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    per: Per | None = None
    seen: str = ""
    min_cases: int = 10
    evidence: Evidence = "point"
    optional: bool = False
    advisory: bool = False

    @property
    def needed(self) -> str:
        """The threshold with its bound: `≥ 85%`."""
        return f"{'≥' if self.bound == 'at_least' else '≤'} {self.written}"

    def is_met_by(self, observed: Fraction) -> bool:
        """Exactly, and at the threshold itself."""
        return observed >= self.threshold if self.bound == "at_least" else observed <= self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A whole gate. `is_default` if no `criteria:` were written; `suites` are globs from the rootdir.

    `traffic` holds the share of each category in real use; shares add up to 1, or there are none. As written
    they added up to `traffic_written`, since they may have been rounded.
    `digest` is equal for gates that decide alike, however their numbers were written.
    """

    criteria: tuple[Criterion, ...]
    max_errors: int
    confidence: Fraction
    traffic: Mapping[str, Fraction]
    traffic_written: Fraction
    suites: tuple[str, ...]
    strict: bool  # --ftgate-strict: the criterion `every_case`
    is_default: bool
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """What became of one criterion.

    `observed` is exact (0…1 for rates, seconds, tokens, …), None if nothing was measured; `interval` is the
    two-sided one at the gate's confidence in the same unit, None where nothing bounds it. `n` counts cases
    (calls for latency, votes for preference). `evidence` is what it was decided by. `reason` is one plain
    sentence. `threshold` is the text with its bound: `≥ 85%`. `waived` says why an optional criterion does
    not decide although it was measured. `p_value`, 0…1, is the two-sided one of two equal arms, for
    differences of scores; it decides nothing.
    """

    name: str
    status: Status
    metric: tuple[str, ...]
    compare: str
    observed: Fraction | float | None
    threshold: str
    n: int
    evidence: str
    decides: bool
    reason: str
    interval: tuple[float, float] | None = None
    waived: str | None = None
    p_value: float | None = None

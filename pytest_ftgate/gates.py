"""The gate: criteria, their results, and the verdict. Pure computation, exact where it decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal

from pytest_ftgate.errors import FtgateError
from pytest_ftgate.record import Plan, Record
from pytest_ftgate.summary import Summary


class Status(StrEnum):
    """What one criterion says."""

    GO = "GO"
    NO_GO = "NO-GO"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_MEASURED = "NOT MEASURED"


class Word(StrEnum):
    """What the verdict says."""

    SHIP = "SHIP"
    ITERATE = "ITERATE"
    INCONCLUSIVE = "INCONCLUSIVE"
    INCOMPLETE = "INCOMPLETE"


class GateError(FtgateError):
    """A `gate:` mapping is wrong; `where` is the path of keys to the place."""

    def __init__(self, where: tuple[str, ...], message: str) -> None:
        super().__init__(f"{'.'.join(where)}: {message}" if where else message)
        self.where = where
        self.reason = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One go/no-go rule as configured. `threshold` is exact; `written` is the author's text for it (`85%`)."""

    name: str
    metric: tuple[str, ...]
    compare: Literal["value", "delta", "ratio"] = "value"
    bound: Literal["at_least", "at_most"] = "at_least"
    threshold: Fraction
    written: str
    role: tuple[str, ...] = ()
    suite: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    per: Literal["category", "suite", "role", "tag"] | None = None
    min_cases: int = 10
    evidence: Literal["point", "strict"] = "point"
    optional: bool = False
    advisory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A whole gate. `is_default` if no `criteria:` were written; `suites` are globs from the rootdir."""

    criteria: tuple[Criterion, ...]
    max_errors: int = 0
    confidence: Fraction = Fraction(95, 100)
    suites: tuple[str, ...] = ()
    strict: bool = False  # --ftgate-strict: the criterion `every_case`
    is_default: bool = True
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """What became of one criterion.

    `observed` is exact (0…1 for rates, seconds, tokens, …), None if nothing was measured. `n` counts cases
    (calls for latency, votes for preference). `reason` is one plain sentence. `threshold` is the text with its
    bound: `≥ 85%`.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One word, one sentence of why, and the reasons in full. `complete` is False exactly for INCOMPLETE."""

    word: Word
    sentence: str
    reasons: tuple[str, ...]
    criteria: tuple[CriterionResult, ...]
    complete: bool
    narrowed: bool
    whole_shard: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All that a report may show."""

    record: Record
    summary: Summary
    gate: Gate
    verdict: Verdict


def parse_gate(raw: Mapping[str, Any], *, options: tuple[str, ...] = ()) -> Gate:
    """A gate from the raw `gate:` mapping ({} for the defaults) and the options that touch it."""
    raise NotImplementedError


def judged_cases(gate: Gate, plan: Plan) -> frozenset[tuple[str, str]]:
    """(suite, case id) of all cases that a deciding criterion judges, once `other_cases` took the rest."""
    raise NotImplementedError


def assess(record: Record, gate: Gate | None = None) -> Assessment:
    """Judges a record by the gate stored in it, or by another one."""
    raise NotImplementedError

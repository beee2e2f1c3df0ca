"""What a record amounts to: outcomes by case, rates by group, wins and losses, latencies. Nothing here judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from pytest_ftgate.cases import Arm
from pytest_ftgate.record import Outcome, PlannedCase, Record, Trial, TrialKey


class Flip(StrEnum):
    """How the arms compare on one case, by passed and failed."""

    REGRESSION = "regression"  # the baseline passed, the model did not
    FIXED = "fixed"
    BOTH_PASSED = "both passed"
    BOTH_FAILED = "both failed"
    MODEL_ONLY = "model only"  # no baseline value to compare with
    UNKNOWN = "unknown"  # an arm errored, was skipped or is missing, or nothing was expected


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One planned case with its trials of both arms, sorted by arm, repeat and item.

    `outcome` by arm: errored if one trial errored, passed if all passed, None if nothing ran or `expect: none`.
    `passes` by arm: the share of repeats that passed, 0…1 exact; None where nothing is known. `score` by arm:
    the mean score, 0…1 exact. Errors count here as nothing; the gate decides what an error counts as.
    """

    planned: PlannedCase
    trials: tuple[Trial, ...]
    outcome: Mapping[Arm, Outcome | None]
    passes: Mapping[Arm, Fraction | None]
    score: Mapping[Arm, Fraction | None]
    flip: Flip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Passed cases of one arm; `passed` is fractional where repeats disagree; `n` cases have a value."""

    passed: Fraction
    n: int

    @property
    def rate(self) -> Fraction | None:
        """Share that passed; None when nothing was measured."""
        return self.passed / self.n if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cases that share a category, role, suite or tag, or all of them.

    `n` counts planned cases. `paired` cases have a value on both arms; `delta` (model − baseline, 0…1),
    `wins`, `losses` and `ties` (by the mean score) speak of them. `flagged`: the rate dropped by more than
    5 points on the paired cases.
    """

    by: str
    value: str
    n: int
    model: Rate
    baseline: Rate | None
    paired: int
    delta: Fraction | None
    wins: int
    losses: int
    ties: int
    flagged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Nearest-rank percentiles of measured calls, in seconds."""

    n: int
    p50: float
    p90: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All numbers that reports and gate criteria start from.

    `groups` has first `all`, then roles, suites, categories and tags, each sorted. `missing` are planned trials
    that are not there, `surplus` trials that nobody planned, `errored` those without a judgement.
    """

    record: Record
    cases: tuple[CaseResult, ...]
    groups: tuple[Group, ...]
    latency: Mapping[Arm, Latency | None]
    missing: tuple[TrialKey, ...]
    surplus: tuple[TrialKey, ...]
    errored: tuple[TrialKey, ...]

    @property
    def flagged(self) -> tuple[Group, ...]:
        """The categories that dropped by more than 5 points."""
        return tuple(group for group in self.groups if group.by == "category" and group.flagged)


def summarize(record: Record) -> Summary:
    """The summary of a record; a pure function of it."""
    raise NotImplementedError

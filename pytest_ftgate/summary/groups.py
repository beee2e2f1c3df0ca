"""Groups of cases: the rates of both arms, their difference, wins and losses. Nothing here judges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.plan import PlannedCase
from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.summary.case_results import CaseResult, total
from pytest_ftgate.summary.estimating import Pair, change_estimate, change_p, gained, lost, rate_estimate

#: A category that drops by more than this is flagged.
FLAG_AT = Fraction(-5, 100)

#: Both ends, in the unit of what they bound.
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Passed cases of one arm: `values` holds each case's share of repeats that passed, 0…1 exact."""

    values: tuple[Fraction, ...]

    @property
    def n(self) -> int:
        """Cases that have a value."""
        return len(self.values)

    @property
    def passed(self) -> Fraction:
        """How many passed; fractional where repeats disagree."""
        return total(self.values)

    @property
    def rate(self) -> Fraction | None:
        """Share that passed; None when nothing was measured."""
        return self.passed / self.n if self.values else None

    def interval(self, confidence: float) -> Interval | None:
        """The two-sided interval of the rate, 0…1; None when nothing was measured."""
        return interval(rate_estimate(self.values), confidence) if self.values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cases that share a category, role, suite or tag, or all of them.

    `n` counts planned cases. `pairs` are the passes, of the model and of the baseline, of the cases that have
    both; `wins`, `losses` and `ties` (by the mean score) speak of them. `baseline` is None where no case is
    asked of one. Intervals and p-values are computed when they are asked for.
    """

    by: str
    value: str
    n: int
    model: Rate
    baseline: Rate | None
    pairs: tuple[Pair, ...]
    wins: int
    losses: int
    ties: int

    @property
    def paired(self) -> int:
        """Cases with a value on both arms."""
        return len(self.pairs)

    @property
    def delta(self) -> Fraction | None:
        """Model minus baseline, -1…1, on the paired cases; None without any."""
        if not self.pairs:
            return None
        model, baseline = (total(side) for side in zip(*self.pairs, strict=True))
        return (model - baseline) / self.paired

    @property
    def flagged(self) -> bool:
        """Whether the rate dropped by more than 5 points on the paired cases."""
        return self.delta is not None and self.delta < FLAG_AT

    @property
    def p_value(self) -> float | None:
        """Two-sided, of no difference: exact McNemar, or by flips of signs where repeats disagree."""
        return change_p(self.pairs) if self.pairs else None

    def delta_interval(self, confidence: float) -> Interval | None:
        """The two-sided interval of the difference, -1…1; None without paired cases."""
        return interval(change_estimate(self.pairs), confidence) if self.pairs else None


def groups_of(cases: Sequence[CaseResult]) -> Iterator[Group]:
    """`all`, then roles, suites, categories and tags, each sorted, without skipped cases."""
    members: dict[str, dict[str, list[CaseResult]]] = {
        by: {} for by in ("all", "role", "suite", "category", "tag")
    }
    for case in cases:
        if case.planned.skip is None:
            for by, value in _places(case.planned):
                members[by].setdefault(value, []).append(case)
    for by, values in members.items():
        for value in sorted(values):
            yield _group(by, value, values[value])


def _places(planned: PlannedCase) -> list[tuple[str, str]]:
    own = [("all", "all"), ("role", planned.role.value), ("suite", planned.suite)]
    tags = [("tag", tag) for tag in dict.fromkeys(planned.tags)]
    return [*own, ("category", planned.category), *tags]


def _group(by: str, value: str, cases: Sequence[CaseResult]) -> Group:
    scores = [case.pair_score for case in cases if case.pair_score is not None]
    wins, losses = gained(scores), lost(scores)
    return Group(
        by=by,
        value=value,
        n=len(cases),
        model=_rate(cases, Arm.MODEL),
        baseline=_rate(cases, Arm.BASELINE) if any(_asks_baseline(case.planned) for case in cases) else None,
        pairs=tuple(case.pair for case in cases if case.pair is not None),
        wins=wins,
        losses=losses,
        ties=len(scores) - wins - losses,
    )


def _asks_baseline(planned: PlannedCase) -> bool:
    return any(Arm.BASELINE in item.arms for item in planned.items)


def _rate(cases: Sequence[CaseResult], arm: Arm) -> Rate:
    return Rate(values=tuple(value for case in cases if (value := case.passes[arm]) is not None))

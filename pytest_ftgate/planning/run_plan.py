"""The whole plan of a run: what it asks, what it costs, what its gate can decide, what leaked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ftgate.planning.assumptions import Assumptions
from pytest_ftgate.planning.expecting import criteria_plans
from pytest_ftgate.planning.observed import Observed
from pytest_ftgate.planning.outlook import CriterionPlan
from pytest_ftgate.planning.preview import Preview
from pytest_ftgate.planning.requests import Demand, demands
from pytest_ftgate.record import PlannedCase

if TYPE_CHECKING:
    from pytest_ftgate.planning.leakage import Leaks  # (loads rapidfuzz)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseGroup:
    """So many cases of one suite, role and category."""

    suite: str
    role: str
    category: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """All that `ftgate plan` shows.

    `groups` leave out `skipped` cases. `based_on` is the earlier run that rates and lengths were taken from,
    None without one. `leaks` is None if no training data was given.
    """

    preview: Preview
    assumptions: Assumptions
    based_on: str | None
    groups: tuple[CaseGroup, ...]
    skipped: tuple[PlannedCase, ...]
    demands: tuple[Demand, ...]
    criteria: tuple[CriterionPlan, ...]
    leaks: Leaks | None = None

    @property
    def cases(self) -> int:
        """How many cases are planned."""
        return sum(group.n for group in self.groups)

    @property
    def has_repeats(self) -> bool:
        """Whether a case is asked more than once."""
        return any(ask.repeat > 1 for ask in self.preview.asks)

    @property
    def is_narrowed(self) -> bool:
        """Whether the selection leaves something out, so that the run will decide nothing."""
        return bool(self.preview.plan.left_out)


def plan_run(
    preview: Preview,
    assumptions: Assumptions | None = None,
    observed: Observed | None = None,
    leaks: Leaks | None = None,
) -> RunPlan:
    """The plan of a run, a pure function of what is known before it."""
    assumptions = assumptions or Assumptions()
    planned = [case for case in preview.plan.cases if case.skip is None]
    return RunPlan(
        preview=preview,
        assumptions=assumptions,
        based_on=observed.name if observed else None,
        groups=_groups(planned),
        skipped=tuple(case for case in preview.plan.cases if case.skip is not None),
        demands=demands(preview.asks, observed),
        criteria=criteria_plans(preview, assumptions, observed),
        leaks=leaks,
    )


def _groups(cases: Sequence[PlannedCase]) -> tuple[CaseGroup, ...]:
    counts = Counter((case.suite, case.role.value, case.category) for case in cases)
    return tuple(
        CaseGroup(suite=suite, role=role, category=category, n=n)
        for (suite, role, category), n in sorted(counts.items())
    )

"""Cases that were answered several times: which flip, and where the spread of passes comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.plan import CaseKey
from pytest_ftgate.stats.repeats import spread
from pytest_ftgate.summary.case_results import CaseResult, repeat_outcomes, trial_passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """The repeated cases of one arm.

    `cases` have several judged answers; `unstable` are those of them that passed sometimes. `within` and
    `between` are variances of passing, 0…1/4: of the answers to one case, and of the cases' pass rates; None
    for fewer than two cases.
    """

    cases: int
    unstable: tuple[CaseKey, ...]
    within: float | None
    between: float | None


def repeats_of(cases: Sequence[CaseResult], arm: Arm) -> Repeats | None:
    """What the repeats of one arm show; None if no case was answered several times."""
    outcomes = {case.planned.key: _outcomes(case, arm) for case in cases if case.planned.skip is None}
    repeated = {key: values for key, values in outcomes.items() if len(values) > 1}
    if not repeated:
        return None
    found = spread([list(map(float, values)) for values in outcomes.values()])
    return Repeats(
        cases=len(repeated),
        unstable=tuple(key for key, values in repeated.items() if len(set(values)) > 1),
        within=found.within if found else None,
        between=found.between if found else None,
    )


def _outcomes(case: CaseResult, arm: Arm) -> list[bool]:
    judging = {item.nodeid for item in case.planned.judging_items}
    return repeat_outcomes(case.of(arm, judging), trial_passed)

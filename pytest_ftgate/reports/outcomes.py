"""What became of one case, for texts that are written item by item, before there is a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.record.plan import PlannedCase, PlannedItem
from pytest_ftgate.record.trials import Outcome, Trial
from pytest_ftgate.summary.case_results import CaseResult, Flip, case_result, flip_of


def result_of(case: EvalCase | PlannedCase, trials: Sequence[Trial]) -> CaseResult:
    """The case's result as the summary would have it, if these trials were all."""
    planned = case if isinstance(case, PlannedCase) else _outline(case, trials)
    return case_result(planned, sorted(trials, key=lambda trial: trial.key))


def outcomes_of(
    case: EvalCase | PlannedCase, trials: Sequence[Trial]
) -> tuple[Mapping[Arm, Outcome | None], Flip]:
    """Outcome by arm, and how the arms compare: of `result_of` as much as is asked for each case of a run."""
    found = {trial.key.arm: trial.outcome for trial in trials}
    if isinstance(case, PlannedCase) or len(found) < len(trials) or not case.checks or not trials:
        result = result_of(case, trials)
        return result.outcome, result.flip
    model, baseline = found.get(Arm.MODEL), found.get(Arm.BASELINE)
    return {Arm.MODEL: model, Arm.BASELINE: baseline}, flip_of(model, baseline)


def of_arm(trials: Iterable[Trial], arm: Arm) -> list[Trial]:
    """The trials of one arm, by repeat and item."""
    return sorted((trial for trial in trials if trial.key.arm is arm), key=lambda trial: trial.key[3:])


def repeats_passed(trials: Iterable[Trial]) -> str:
    """`2 of 3 repeats passed` for the trials of one arm; "" for a single repeat.

    Unstable is said of it where some repeats passed and others failed; an error is neither.
    """
    repeats: dict[int, set[Outcome]] = {}
    for trial in trials:
        repeats.setdefault(trial.key.repeat, set()).add(trial.outcome)
    if len(repeats) < 2:
        return ""
    passed = sum(outcomes == {Outcome.PASSED} for outcomes in repeats.values())
    failed = any(
        Outcome.FAILED in outcomes and Outcome.ERRORED not in outcomes for outcomes in repeats.values()
    )
    return f"{'unstable, ' if passed and failed else ''}{passed} of {len(repeats)} repeats passed"


def _outline(case: EvalCase, trials: Sequence[Trial]) -> PlannedCase:
    """As much of the plan as a result depends on: no digests, which cost more than all the rest."""
    return PlannedCase(
        suite=case.suite,
        id=case.id,
        role=case.role,
        category=case.category,
        path=case.path,
        line=case.line,
        repeat=case.repeat,
        expect=case.checks,
        items=tuple(_items(trials)),
    )


def _items(trials: Sequence[Trial]) -> list[PlannedItem]:
    arms: dict[str, set[Arm]] = {}
    for trial in trials:
        arms.setdefault(trial.key.item, set()).add(trial.key.arm)
    return [PlannedItem(nodeid=item, arms=tuple(sorted(own))) for item, own in arms.items()]


def samples_of(cases: Sequence[CaseResult], most: int) -> list[CaseResult]:
    """Those to show where not all have room: first what must pass, then one of each category in turn.

    The category that has most of them begins.
    """
    counts, seen = Counter(case.planned.category for case in cases), Counter[str]()
    ranked: list[tuple[bool, int, int, int, CaseResult]] = []
    for case in cases:
        category = case.planned.category
        seen[category] += 1
        ranked.append((not case.planned.must_pass, seen[category], -counts[category], len(ranked), case))
    return [case for *_, case in sorted(ranked, key=lambda each: each[:4])[:most]]

"""From a record to its summary: groups of cases, and what is missing. Nothing here judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.plan import CaseKey, PlannedCase, TrialKey
from pytest_ftgate.record.runs import Record
from pytest_ftgate.record.trials import Outcome, Trial
from pytest_ftgate.summary.case_results import CaseResult, case_result, total
from pytest_ftgate.summary.latencies import Latency, latency_of

#: A category that drops by more than this is flagged.
FLAG_AT = Fraction(-5, 100)


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

    `n` counts planned cases. `paired` cases have a value on both arms; `delta` (model minus baseline, 0…1),
    `wins`, `losses` and `ties` (by the mean score) speak of them. `flagged`: the rate dropped by more than
    5 points on the paired cases. `baseline` is None where no case is asked of one.
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
class Summary:
    """All numbers that reports and gate criteria start from.

    `cases` holds every planned case, those that are skipped or that the selection left out included.
    `groups` has first `all`, then roles, suites, categories and tags, each sorted, without skipped cases.
    `missing` are planned trials that are not there, `surplus` trials that nobody planned, `errored` those
    without a judgement.
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
    planned = {key for case in record.cases for key in case.trial_keys()}
    by_case: dict[CaseKey, list[Trial]] = {}
    there: set[TrialKey] = set()
    for trial in sorted(record.trials, key=lambda one: one.key):
        there.add(trial.key)
        if trial.key in planned:
            by_case.setdefault(trial.key[:2], []).append(trial)
    cases = tuple(case_result(case, by_case.get(case.key, ())) for case in record.cases)
    trials = [trial for case in cases for trial in case.trials]
    return Summary(
        record=record,
        cases=cases,
        groups=tuple(_groups(cases)),
        latency={arm: latency_of(trials, arm) for arm in Arm},
        missing=tuple(sorted(planned - there)),
        surplus=tuple(sorted(there - planned)),
        errored=tuple(trial.key for trial in trials if trial.outcome is Outcome.ERRORED),
    )


def _groups(cases: Sequence[CaseResult]) -> Iterable[Group]:
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
    pairs = [case.pair for case in cases if case.pair is not None]
    scores = [case.pair_score for case in cases if case.pair_score is not None]
    delta = _delta(pairs)
    wins = sum(model > baseline for model, baseline in scores)
    losses = sum(model < baseline for model, baseline in scores)
    return Group(
        by=by,
        value=value,
        n=len(cases),
        model=_rate(cases, Arm.MODEL),
        baseline=_rate(cases, Arm.BASELINE) if any(_asks_baseline(case.planned) for case in cases) else None,
        paired=len(pairs),
        delta=delta,
        wins=wins,
        losses=losses,
        ties=len(scores) - wins - losses,
        flagged=delta is not None and delta < FLAG_AT,
    )


def _asks_baseline(planned: PlannedCase) -> bool:
    return any(Arm.BASELINE in item.arms for item in planned.items)


def _rate(cases: Sequence[CaseResult], arm: Arm) -> Rate:
    values = [value for case in cases if (value := case.passes[arm]) is not None]
    return Rate(passed=total(values), n=len(values))


def _delta(pairs: Sequence[tuple[Fraction, Fraction]]) -> Fraction | None:
    if not pairs:
        return None
    return (total(model for model, _ in pairs) - total(baseline for _, baseline in pairs)) / len(pairs)

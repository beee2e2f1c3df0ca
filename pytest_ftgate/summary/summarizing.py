"""From a record to its summary: groups of cases, and what is missing. Nothing here judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.plan import CaseKey, TrialKey
from pytest_ftgate.record.runs import Record
from pytest_ftgate.record.trials import Outcome, Trial
from pytest_ftgate.summary.case_results import CaseResult, case_result
from pytest_ftgate.summary.comparison import Comparison, compare_arms
from pytest_ftgate.summary.groups import Group, groups_of
from pytest_ftgate.summary.latencies import Latency, latency_of
from pytest_ftgate.summary.repeats import Repeats, repeats_of


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

    @property
    def repeats(self) -> Mapping[Arm, Repeats | None]:
        """By arm, what the repeats show; None where no case was answered several times."""
        return {arm: repeats_of(self.cases, arm) for arm in Arm}

    def comparison(self, confidence: float) -> Comparison:
        """The model beside its baseline, with two-sided intervals at `confidence`, 0…1.

        Computed at each call, by resampling where times and amounts were measured: ask once.
        """
        return compare_arms(self.cases, confidence)


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
        groups=tuple(groups_of(cases)),
        latency={arm: latency_of(trials, arm) for arm in Arm},
        missing=tuple(sorted(planned - there)),
        surplus=tuple(sorted(there - planned)),
        errored=tuple(trial.key for trial in trials if trial.outcome is Outcome.ERRORED),
    )

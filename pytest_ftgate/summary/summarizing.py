"""From a record to its summary: groups of cases, and what is missing. Nothing here judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.plan import TrialKey
from pytest_ftgate.record.runs import Record
from pytest_ftgate.record.trials import Outcome
from pytest_ftgate.record.votes import Vote
from pytest_ftgate.summary.case_results import CaseResult, case_result
from pytest_ftgate.summary.case_votes import by_case, votes_of
from pytest_ftgate.summary.comparison import Comparison, compare_arms
from pytest_ftgate.summary.groups import Group, groups_of
from pytest_ftgate.summary.judged_pairs import JudgedPairs, judged_pairs
from pytest_ftgate.summary.latencies import Latency, latency_of
from pytest_ftgate.summary.repeats import Repeats, repeats_of
from pytest_ftgate.summary.votes import VoteSummary, summarize_votes


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All numbers that reports and gate criteria start from.

    `cases` holds every planned case, those that are skipped or that the selection left out included.
    `groups` has first `all`, then roles, suites, categories and tags, each sorted, without skipped cases.
    `missing` are planned trials that are not there, `surplus` trials that nobody planned, `errored` those
    without a judgement. `votes` is what people said of the answers, None if nobody was asked.
    """

    record: Record
    cases: tuple[CaseResult, ...]
    groups: tuple[Group, ...]
    latency: Mapping[Arm, Latency | None]
    missing: tuple[TrialKey, ...]
    surplus: tuple[TrialKey, ...]
    errored: tuple[TrialKey, ...]
    votes: VoteSummary | None = None

    @property
    def flagged(self) -> tuple[Group, ...]:
        """The categories that dropped by more than 5 points, those that dropped most first."""
        found = [group for group in self.groups if group.by == "category" and group.flagged]
        return tuple(sorted(found, key=lambda group: (group.delta or 0, group.value)))

    @property
    def judged_pairs(self) -> JudgedPairs | None:
        """What judges preferred; None where none compared answers."""
        return judged_pairs(self.cases)

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
    by_key = {trial.key: trial for trial in record.trials}
    given = by_case(record.votes)
    cases: list[CaseResult] = []
    missing: list[TrialKey] = []
    for case in record.cases:
        trials = []
        for key in sorted(set(case.trial_keys())):
            if (trial := by_key.pop(key, None)) is not None:
                trials.append(trial)
            else:
                missing.append(key)
        votes = votes_of(case, trials, given.get(case.key, ()))
        cases.append(case_result(case, trials, votes))
    trials = [trial for result in cases for trial in result.trials]
    return Summary(
        record=record,
        cases=tuple(cases),
        groups=tuple(groups_of(cases)),
        latency={arm: latency_of(trials, arm) for arm in Arm},
        missing=tuple(sorted(missing)),
        surplus=tuple(sorted(by_key)),
        errored=tuple(trial.key for trial in trials if trial.outcome is Outcome.ERRORED),
        votes=summarize_votes((case.votes for case in cases), _unplanned(record)) if given else None,
    )


def _unplanned(record: Record) -> Iterator[Vote]:
    """Votes on cases that are not in the plan; those on cases of other shards are."""
    planned = {case.key for case in record.plan.cases}
    return (vote for vote in record.votes if vote.case_key not in planned)

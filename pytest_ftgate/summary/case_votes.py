"""The votes of people on one case: those on its answers in this run, and those on other answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_ftgate.record.plan import CaseKey, PlannedCase
from pytest_ftgate.record.trials import Outcome, Trial
from pytest_ftgate.record.votes import Choice, Vote, answer_digests


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseVotes:
    """The votes on one case: `counted` are on its answers in this run, `others` are on other answers.

    `is_lost` if they may be on other answers only because one of this run's did not arrive.
    """

    counted: tuple[Vote, ...] = ()
    others: tuple[Vote, ...] = ()
    is_lost: bool = False

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What the reviewers said whose votes count."""
        return tuple(vote.overall for vote in self.counted)


#: Of nearly all cases; one for all.
NO_VOTES = CaseVotes()


def votes_of(planned: PlannedCase, trials: Sequence[Trial], votes: Sequence[Vote]) -> CaseVotes:
    """The votes on one case, told from those on other answers."""
    if not votes:
        return NO_VOTES
    digests = answer_digests(planned.asked, trials)
    others = tuple(vote for vote in votes if vote.answers not in digests)
    return CaseVotes(
        counted=tuple(vote for vote in votes if vote.answers in digests),
        others=others,
        is_lost=bool(others) and any(_lacks_answer(trial) for trial in trials),
    )


def by_case(votes: Iterable[Vote]) -> dict[CaseKey, list[Vote]]:
    """The votes on each case."""
    found: dict[CaseKey, list[Vote]] = {}
    for vote in votes:
        found.setdefault(vote.case_key, []).append(vote)
    return found


def _lacks_answer(trial: Trial) -> bool:
    return trial.outcome is Outcome.ERRORED and trial.completion is None

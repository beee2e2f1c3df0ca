"""What the votes of people amount to: who won each case, how far the reviewers agree. Nothing here judges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.record.votes import Choice, Vote
from pytest_ftgate.stats.agreement import krippendorff_alpha
from pytest_ftgate.summary.case_results import exact
from pytest_ftgate.summary.case_votes import CaseVotes


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteSummary:
    """All votes of a run: cases won, lost and tied by majority, and Krippendorff's alpha (None: undefined).

    `both_bad` are those of the ties of which the majority found both answers bad. `strangers` are votes on
    other answers than this run's, or on cases that it does not have; they count nowhere.
    """

    votes: int
    reviewers: int
    wins: int
    losses: int
    ties: int
    both_bad: int
    alpha: Fraction | None
    strangers: tuple[Vote, ...] = ()

    @property
    def cases(self) -> int:
        """How many cases have a vote that counts."""
        return self.wins + self.losses + self.ties

    @property
    def preference(self) -> Fraction | None:
        """Share of the cases won among those won or lost, 0…1; None where all are ties."""
        decided = self.wins + self.losses
        return Fraction(self.wins, decided) if decided else None


def majority(choices: Sequence[Choice]) -> Choice:
    """What more than half of the reviewers of one case said; a tie where no side has so many.

    A tie and "both bad" are one side, since neither answer is preferred.
    """
    counts = Counter(choices)
    half = len(choices) / 2
    winner = next((arm for arm in (Choice.MODEL, Choice.BASELINE) if counts[arm] > half), Choice.TIE)
    return Choice.BOTH_BAD if winner is Choice.TIE and counts[Choice.BOTH_BAD] > half else winner


def alpha_of(units: Iterable[Sequence[Choice]]) -> Fraction | None:
    """Krippendorff's alpha of what was said of each case, exactly its float; None: undefined."""
    alpha = krippendorff_alpha(units)
    return None if alpha is None else exact(alpha)


def summarize_votes(found: Iterable[CaseVotes], unplanned: Iterable[Vote]) -> VoteSummary | None:
    """All votes of a run; None if there are none."""
    cases = list(found)
    others = [*unplanned, *(vote for case in cases for vote in case.others)]
    said = [case.choices for case in cases if case.counted]
    if not said and not others:
        return None
    outcomes = Counter(map(majority, said))
    return VoteSummary(
        votes=sum(map(len, said)),
        reviewers=len({vote.key[2:] for case in cases for vote in case.counted}),
        wins=outcomes[Choice.MODEL],
        losses=outcomes[Choice.BASELINE],
        ties=outcomes[Choice.TIE] + outcomes[Choice.BOTH_BAD],
        both_bad=outcomes[Choice.BOTH_BAD],
        alpha=alpha_of(said),
        strangers=tuple(sorted(others, key=lambda vote: vote.key)),
    )

"""What the votes of a batch amount to: preference, agreement, reviewers' ways, and what to talk about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from statistics import median

from pytest_ftgate.record.votes import Choice
from pytest_ftgate.review.joining import Joined, Reviewed
from pytest_ftgate.review.questions import OVERALL
from pytest_ftgate.stats.agreement import band, cohen_kappa, krippendorff_alpha
from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.paired_passes import mcnemar_p
from pytest_ftgate.stats.rates import RateEstimate
from pytest_ftgate.summary.estimating import SEED
from pytest_ftgate.summary.votes import majority

CONFIDENCE = 0.95

Interval = tuple[float, float]
#: What was said of each pair, by reviewer.
Said = Mapping[str, Mapping[str, Choice]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """One question: pairs won, lost and tied by majority; `both_bad` are among the ties."""

    question: str
    wins: int
    losses: int
    ties: int
    both_bad: int

    @property
    def rate(self) -> Fraction | None:
        """Share of the pairs won among those won or lost; None where all are ties."""
        decided = self.wins + self.losses
        return Fraction(self.wins, decided) if decided else None

    @property
    def bounds(self) -> Interval | None:
        """Its two-sided interval at 95 % (Wilson)."""
        decided = self.wins + self.losses
        return interval(RateEstimate(passed=self.wins, n=decided), CONFIDENCE) if decided else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far reviewers agree beyond chance on `n` pairs; None: undefined, or without bounds."""

    who: tuple[str, ...]
    n: int
    value: float | None
    bounds: Interval | None = None

    @property
    def words(self) -> str:
        """The band of Landis and Koch."""
        return band(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How one reviewer votes: how fast (median seconds a pair, None: unknown), how often for which side."""

    reviewer: str
    votes: int
    asked: int
    seconds: float | None
    left: int
    right: int

    @property
    def side_p(self) -> float:
        """The sign test of no preference for a side: exact, two-sided."""
        return mcnemar_p(self.left, self.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that a batch's votes say: `alpha` (Krippendorff) on "overall", `kappas` (Cohen) of each two."""

    joined: Joined
    preferences: tuple[Preference, ...]
    alpha: Agreement
    kappas: tuple[Agreement, ...]
    ways: tuple[Ways, ...]
    to_discuss: tuple[str, ...]


def results_of(joined: Joined) -> Results:
    """The results of one batch."""
    overall = _said(joined.votes, OVERALL)
    return Results(
        joined=joined,
        preferences=tuple(
            preference(question, _said(joined.votes, question))
            for question in (OVERALL, *joined.key.questions)
        ),
        alpha=alpha(overall),
        kappas=tuple(
            kappa
            for two in combinations(joined.key.placed, 2)
            if (kappa := _kappa(overall, *two)) is not None
        ),
        ways=tuple(_ways(joined, reviewer) for reviewer in joined.key.placed),
        to_discuss=tuple(id_ for id_, said in sorted(overall.items()) if _is_torn(said)),
    )


def preference(question: str, said: Said) -> Preference:
    """Pairs won, lost and tied, by the majority of those who answered this question."""
    outcomes = Counter(majority(list(by.values())) for by in said.values())
    return Preference(
        question=question,
        wins=outcomes[Choice.MODEL],
        losses=outcomes[Choice.BASELINE],
        ties=outcomes[Choice.TIE] + outcomes[Choice.BOTH_BAD],
        both_bad=outcomes[Choice.BOTH_BAD],
    )


def alpha(said: Said) -> Agreement:
    """Krippendorff's alpha with a bootstrap interval by pair."""
    from pytest_ftgate.stats.alpha_bootstrap import alpha_estimate  # noqa: PLC0415  (loads numpy)

    units = [list(by.values()) for by in said.values() if len(by) > 1]
    who = tuple(sorted({reviewer for by in said.values() for reviewer in by}))
    value = krippendorff_alpha(units)
    counts = [[unit.count(choice) for choice in Choice] for unit in units]
    found = alpha_estimate(counts, seed=SEED) if value is not None else None
    return Agreement(
        who=who, n=len(units), value=value, bounds=interval(found, CONFIDENCE) if found else None
    )


def _kappa(said: Said, first: str, second: str) -> Agreement | None:
    from pytest_ftgate.stats.any_statistic import statistic_estimate  # noqa: PLC0415  (loads numpy)

    pairs = [(by[first], by[second]) for by in said.values() if first in by and second in by]
    if not pairs:
        return None
    value = cohen_kappa(pairs)
    found = statistic_estimate(
        lambda places: cohen_kappa(pairs[place] for place in places), len(pairs), seed=SEED
    )
    bounds = interval(found, CONFIDENCE) if found else None
    return Agreement(who=(first, second), n=len(pairs), value=value, bounds=bounds)


def _ways(joined: Joined, reviewer: str) -> Ways:
    own = [one for one in joined.votes if one.vote.key.reviewer == reviewer]
    seconds = [one.seconds for one in own if one.seconds is not None]
    sides = Counter(one.side for one in own)
    return Ways(
        reviewer=reviewer,
        votes=len(own),
        asked=len(joined.key.placed[reviewer]),
        seconds=median(seconds) if seconds else None,
        left=sides["A"],
        right=sides["B"],
    )


def _said(votes: Sequence[Reviewed], question: str) -> dict[str, dict[str, Choice]]:
    said: dict[str, dict[str, Choice]] = defaultdict(dict)
    for one in votes:
        choice = one.vote.overall if question == OVERALL else one.criteria.get(question)
        if choice is not None:
            said[one.pair][one.vote.key.reviewer] = choice
    return said


def _is_torn(said: Mapping[str, Choice]) -> bool:
    """Whether one reviewer prefers the one answer and another the other."""
    return {Choice.MODEL, Choice.BASELINE} <= set(said.values())

"""The metrics of people's votes: what each case gives, the one number that is made of it, and its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import repeat

from pytest_ftgate.gates.estimates import Unbounded
from pytest_ftgate.gates.samples import Sample, Sampled
from pytest_ftgate.record.votes import Choice
from pytest_ftgate.stats.estimates import Estimate
from pytest_ftgate.stats.rates import RateEstimate
from pytest_ftgate.stats.unseen import with_unseen
from pytest_ftgate.summary.estimating import SEED
from pytest_ftgate.summary.votes import alpha_of, majority

_CHOICES = tuple(Choice)


def outcome(choices: Sequence[Choice]) -> Sequence[Sample]:
    """Of one case with votes: whether it was won, lost, and whether both answers were found bad."""
    if not choices:
        return ()
    said = majority(choices)
    return [tuple(Fraction(said is one) for one in (Choice.MODEL, Choice.BASELINE, Choice.BOTH_BAD))]


def preference(samples: Sequence[Sample]) -> Fraction | None:
    """Wins of all cases that were won or lost; None if there are none."""
    wins, losses, _ = _sums(samples)
    return wins / (wins + losses) if wins + losses else None


def won_or_lost(samples: Sequence[Sample]) -> int:
    """How many cases the preference is a share of: one win beside many ties shows next to nothing."""
    wins, losses, _ = _sums(samples)
    return int(wins + losses)


def preference_estimate(sampled: Sampled) -> Estimate | Unbounded:
    """Of wins among the cases that were won or lost: Wilson."""
    wins, losses, _ = _sums(sampled.columns[0])
    return RateEstimate(passed=int(wins), n=int(wins + losses))


def preference_detail(samples: Sequence[Sample]) -> str:
    """What the number is made of: `(80 won, 24 lost, 6 tied)`."""
    wins, losses, both_bad = map(int, _sums(samples))
    bad = f", {both_bad} of them both bad" if both_bad else ""
    return f"({wins} won, {losses} lost, {len(samples) - wins - losses} tied{bad})"


def labels(choices: Sequence[Choice]) -> Sequence[Sample]:
    """Of one case with votes of several reviewers: how many said each; one vote alone agrees with nobody."""
    return [tuple(Fraction(choices.count(one)) for one in _CHOICES)] if len(choices) > 1 else ()


def agreement(samples: Sequence[Sample]) -> Fraction | None:
    """Krippendorff's alpha; None where chance alone would agree."""
    return alpha_of(_choices(sample) for sample in samples)


def agreement_estimate(sampled: Sampled) -> Estimate | Unbounded:
    """Of alpha: bootstrap by case, and never surer than so many cases allow."""
    from pytest_ftgate.stats.alpha_bootstrap import alpha_estimate  # noqa: PLC0415  (loads numpy)

    counts = [[int(count) for count in sample] for sample in sampled.columns[0]]
    found = alpha_estimate(counts, seed=SEED)
    if found is None:
        return Unbounded(why="the labels differ in too few cases to resample them")
    return with_unseen(found, value=found.value, n=len(counts), least=-1.0, most=1.0)


def _sums(samples: Sequence[Sample]) -> list[Fraction]:
    return [sum(column, Fraction(0)) for column in zip(*samples, strict=True)]


def _choices(sample: Sample) -> list[Choice]:
    return [one for choice, count in zip(_CHOICES, sample, strict=True) for one in repeat(choice, int(count))]

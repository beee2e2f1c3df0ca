"""What became of one case: outcomes, passes and scores of both arms, exact. Nothing here judges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.plan import PlannedCase
from pytest_ftgate.record.trials import Outcome, Trial
from pytest_ftgate.summary.case_votes import NO_VOTES, CaseVotes

ONE, ZERO = Fraction(1), Fraction(0)
_Value = TypeVar("_Value", Outcome | None, Fraction | None)
# Going through an enum costs as much as all that is done for an arm of an ordinary case.
_ARMS = tuple(Arm)


class Flip(StrEnum):
    """How the arms compare on one case, by passed and failed."""

    REGRESSION = "regression"  # the baseline passed, the model did not
    FIXED = "fixed"
    BOTH_PASSED = "both passed"
    BOTH_FAILED = "both failed"
    MODEL_ONLY = "model only"  # no baseline value to compare with
    UNKNOWN = "unknown"  # an arm errored, was skipped or is missing, or nothing was expected


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One planned case with its trials of both arms, sorted by arm, repeat and item.

    `outcome` by arm: errored if one trial errored, passed if all passed, None if nothing ran or for
    `expect: none`. `passes` by arm: the share of repeats that passed, 0…1 exact; None where nothing is known.
    `score` by arm: the mean score, 0…1 exact. Errors count here as nothing; the gate decides what an error
    counts as.
    `pair` and `pair_score` are passes and score (of the model, of the baseline) by the items that judge both
    arms; None without such items, or where an arm has no value.
    """

    planned: PlannedCase
    trials: tuple[Trial, ...]
    outcome: Mapping[Arm, Outcome | None]
    passes: Mapping[Arm, Fraction | None]
    score: Mapping[Arm, Fraction | None]
    flip: Flip
    pair: tuple[Fraction, Fraction] | None = None
    pair_score: tuple[Fraction, Fraction] | None = None
    votes: CaseVotes = NO_VOTES

    @property
    def unstable_on(self) -> tuple[Arm, ...]:
        """The arms on which some repeats passed and others did not."""
        return tuple(arm for arm in Arm if (passes := self.passes[arm]) is not None and 0 < passes < 1)

    def of(self, arm: Arm, items: Collection[str]) -> list[Trial]:
        """The trials of one arm in some items."""
        return [trial for trial in self.trials if trial.key.arm is arm and trial.key.item in items]


def case_result(planned: PlannedCase, trials: Sequence[Trial], votes: CaseVotes = NO_VOTES) -> CaseResult:
    """The result of one case from its trials, sorted."""
    items = planned.judging_items
    judging = {item.nodeid for item in items}
    judged: dict[Arm, list[Trial]] = {arm: [] for arm in _ARMS}
    for trial in trials:
        if trial.key.item in judging:
            judged[trial.key.arm].append(trial)
    outcome, passes, score = _values(judged)
    pair, pair_passes, pair_score = outcome, passes, score
    if not all(item.pairs for item in items):
        paired = {item.nodeid for item in items if item.pairs}
        pair, pair_passes, pair_score = _values(
            {arm: [trial for trial in judged[arm] if trial.key.item in paired] for arm in _ARMS}
        )
    return CaseResult(
        planned=planned,
        trials=tuple(trials),
        outcome=outcome,
        passes=passes,
        score=score,
        flip=_flip(planned, outcome, pair),
        pair=_both(pair_passes),
        pair_score=_both(pair_score),
        votes=votes,
    )


def flip_of(model: Outcome | None, baseline: Outcome | None) -> Flip:
    """How the arms compare by their outcomes; without one of the baseline it was not asked."""
    if model is not None and baseline is not None:
        return _FLIPS.get((model, baseline), Flip.UNKNOWN)
    return Flip.MODEL_ONLY if model in (Outcome.PASSED, Outcome.FAILED) else Flip.UNKNOWN


def repeat_outcomes(
    trials: Iterable[Trial], passed: Callable[[Trial], bool | None], error: bool | None = None
) -> list[bool]:
    """Whether each repeat that says anything passed: whether all items passed in it.

    A repeat with an errored item counts as `error`; None leaves it out.
    """
    repeats: dict[int, bool] = {}
    errored: set[int] = set()
    for trial in trials:
        repeat = trial.key.repeat
        if trial.outcome is Outcome.ERRORED:
            errored.add(repeat)
        elif (value := passed(trial)) is not None:
            repeats[repeat] = repeats.get(repeat, True) and value
    for repeat in errored:
        repeats.pop(repeat, None)
        if error is not None:
            repeats[repeat] = error
    return list(repeats.values())


def share_passed(trials: Iterable[Trial], passed: Callable[[Trial], bool | None]) -> Fraction | None:
    """The share of repeats that passed; None if no repeat says anything."""
    outcomes = repeat_outcomes(trials, passed)
    return exact_share(sum(outcomes), len(outcomes)) if outcomes else None


def exact_share(part: int, whole: int) -> Fraction:
    """Part of whole; the two shares that nearly every case has are not made anew."""
    return ZERO if part == 0 else ONE if part == whole else Fraction(part, whole)


@lru_cache(maxsize=65536)
def exact(value: float) -> Fraction:
    """The number as JSON writes it: 0.85 is 17/20, and meets 85% as its reader expects."""
    return Fraction(repr(float(value)))


def mean(values: Sequence[Fraction]) -> Fraction:
    """The exact mean of at least one value."""
    return values[0] if len(values) == 1 else total(values) / len(values)


def total(values: Iterable[Fraction]) -> Fraction:
    """The exact sum; whole numbers, which are most, are added as such."""
    whole, rest = 0, ZERO
    for value in values:
        if value.denominator == 1:
            whole += value.numerator
        else:
            rest += value
    return rest + whole


def trial_passed(trial: Trial) -> bool:
    """Whether the trial as a whole passed."""
    return trial.outcome is Outcome.PASSED


def trial_score(trial: Trial) -> Fraction:
    """The weighted mean of a trial's scores; 0 or 1 by its outcome where they do not tell it."""
    if not trial.scores or trial.failed_elsewhere:
        return ONE if trial.outcome is Outcome.PASSED else ZERO
    if len(trial.scores) == 1:
        return exact(trial.scores[0].value)
    weights = [exact(score.weight) for score in trial.scores]
    return total(
        exact(score.value) * weight for score, weight in zip(trial.scores, weights, strict=True)
    ) / total(weights)


def _values(
    judged: Mapping[Arm, Sequence[Trial]],
) -> tuple[Mapping[Arm, Outcome | None], Mapping[Arm, Fraction | None], Mapping[Arm, Fraction | None]]:
    model, baseline = judged[Arm.MODEL], judged[Arm.BASELINE]
    return (
        _by_arm(_outcome(model), _outcome(baseline)),
        _by_arm(_passes(model), _passes(baseline)),
        _by_arm(_score(model), _score(baseline)),
    )


@lru_cache(maxsize=4096)
def _by_arm(model: _Value, baseline: _Value) -> Mapping[Arm, _Value]:
    """One mapping for all cases that have these values: there are few, and a run may have many cases."""
    return {Arm.MODEL: model, Arm.BASELINE: baseline}


def _outcome(trials: Sequence[Trial]) -> Outcome | None:
    if len(trials) == 1:
        return trials[0].outcome
    outcomes = {trial.outcome for trial in trials}
    for outcome in (Outcome.ERRORED, Outcome.FAILED, Outcome.PASSED):
        if outcome in outcomes:
            return outcome
    return None


def _passes(trials: Sequence[Trial]) -> Fraction | None:
    if len(trials) == 1 and trials[0].outcome is not Outcome.ERRORED:
        return ONE if trials[0].outcome is Outcome.PASSED else ZERO
    return share_passed(trials, trial_passed)


def _score(trials: Sequence[Trial]) -> Fraction | None:
    values = [trial_score(trial) for trial in trials if trial.outcome is not Outcome.ERRORED]
    return mean(values) if values else None


def _both(sides: Mapping[Arm, Fraction | None]) -> tuple[Fraction, Fraction] | None:
    model, baseline = sides[Arm.MODEL], sides[Arm.BASELINE]
    return None if model is None or baseline is None else _pair(model, baseline)


@lru_cache(maxsize=4096)
def _pair(model: Fraction, baseline: Fraction) -> tuple[Fraction, Fraction]:
    return model, baseline


_FLIPS = {
    (Outcome.PASSED, Outcome.PASSED): Flip.BOTH_PASSED,
    (Outcome.FAILED, Outcome.FAILED): Flip.BOTH_FAILED,
    (Outcome.FAILED, Outcome.PASSED): Flip.REGRESSION,
    (Outcome.PASSED, Outcome.FAILED): Flip.FIXED,
}


def _flip(
    planned: PlannedCase, outcomes: Mapping[Arm, Outcome | None], pair: Mapping[Arm, Outcome | None]
) -> Flip:
    model, baseline = pair[Arm.MODEL], pair[Arm.BASELINE]
    if model is not None and baseline is not None:
        return flip_of(model, baseline)
    return flip_of(outcomes[Arm.MODEL], None) if not planned.paired_items else Flip.UNKNOWN

"""How the arms compare on the trials at hand, for texts that are written before there is a summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_ftgate.cases import Arm
from pytest_ftgate.record import Outcome, Trial
from pytest_ftgate.summary import Flip

_BY_OUTCOMES: dict[tuple[Outcome | None, Outcome | None], Flip] = {
    (Outcome.FAILED, Outcome.PASSED): Flip.REGRESSION,
    (Outcome.PASSED, Outcome.FAILED): Flip.FIXED,
    (Outcome.PASSED, Outcome.PASSED): Flip.BOTH_PASSED,
    (Outcome.FAILED, Outcome.FAILED): Flip.BOTH_FAILED,
    (Outcome.PASSED, None): Flip.MODEL_ONLY,
    (Outcome.FAILED, None): Flip.MODEL_ONLY,
}


def of_arm(trials: Iterable[Trial], arm: Arm) -> list[Trial]:
    """The trials of one arm, by repeat and item."""
    return sorted((trial for trial in trials if trial.key.arm is arm), key=lambda trial: trial.key[3:])


def outcome_of(trials: Sequence[Trial]) -> Outcome | None:
    """Errored if one trial errored, passed if all passed; None without trials."""
    outcomes = {trial.outcome for trial in trials}
    for outcome in (Outcome.ERRORED, Outcome.FAILED, Outcome.PASSED):
        if outcome in outcomes:
            return outcome
    return None


def flip_of(trials: Sequence[Trial]) -> Flip:
    """How the model compares with the baseline on these trials."""
    outcomes = (outcome_of(of_arm(trials, Arm.MODEL)), outcome_of(of_arm(trials, Arm.BASELINE)))
    return _BY_OUTCOMES.get(outcomes, Flip.UNKNOWN)

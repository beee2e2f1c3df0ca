"""How a record comes about: trials come in by `RunRecord.add`, and only there."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ftgate.cases import canonical
from pytest_ftgate.record.plan import Plan, TrialKey
from pytest_ftgate.record.runs import Record, RunInfo
from pytest_ftgate.record.trials import Outcome, Trial, sound


class RunRecord:
    """Collects the trials of one run, in whatever order and from whatever process; owned by whoever decides.

    The same trial told twice changes nothing; a different one under a known key is a conflict.
    """

    def __init__(self) -> None:
        self._trials: dict[TrialKey, Trial] = {}
        self._conflicts: set[TrialKey] = set()

    def add(self, trial: Trial) -> None:
        """Takes one trial; one with a number that is not finite is kept as errored."""
        trial = sound(trial)
        known = self._trials.setdefault(trial.key, trial)
        if known is trial or known == trial:
            return
        if known.fingerprint != trial.fingerprint:
            self._conflicts.add(trial.key)
        self._trials[trial.key] = min(known, trial, key=lambda one: canonical(one.as_json()))

    def outcome_of(self, key: TrialKey) -> Outcome | None:
        """The outcome under this key, None if no trial has come in."""
        trial = self._trials.get(key)
        return None if trial is None else trial.outcome

    def values(self) -> Iterable[Trial]:
        """All that came in so far, in whatever order."""
        return self._trials.values()

    def freeze(self, run: RunInfo, plan: Plan) -> Record:
        """All that came in so far as a value, sorted."""
        return Record(
            run=run,
            plan=plan,
            trials=tuple(self._trials[key] for key in sorted(self._trials)),
            conflicts=tuple(sorted(self._conflicts)),
        )

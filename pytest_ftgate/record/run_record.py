"""How a record comes about: trials come in by `RunRecord.add`, and only there; shards are merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_ftgate.cases import canonical
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record.plan import Plan, TrialKey, in_shard
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


def merge(records: Sequence[Record]) -> Record:
    """The record of a whole run from those of its shards, in any order; a single whole record is itself.

    A shard given twice counts once; where its trials differ they are conflicts. Records that can't be judged
    together, and shards that are missing, are a `RecordError` that lists all of them.
    """
    if len(records) == 1 and records[0].run.shard is None:
        return records[0]
    problems = _problems(records)
    if problems:
        raise RecordError("these records can't be merged: " + "; ".join(problems))
    ordered = sorted(records, key=lambda record: (record.run.shard or (0, 0), record.run.run_id))
    plan = Plan(
        cases=ordered[0].plan.cases,
        left_out=tuple(name for record in ordered for name in record.plan.left_out),
    )
    collected = RunRecord()
    for record in ordered:
        for trial in record.trials:
            collected.add(trial)
    merged = collected.freeze(_merged_run(ordered), plan)
    conflicts = {*merged.conflicts, *(key for record in ordered for key in record.conflicts)}
    return Record(run=merged.run, plan=plan, trials=merged.trials, conflicts=tuple(sorted(conflicts)))


def _problems(records: Sequence[Record]) -> list[str]:
    if not records:
        return ["none were given"]
    whole = sum(record.run.shard is None for record in records)
    if whole:
        return [f"{whole} of {len(records)} are whole runs, not shards: give one whole record, or all shards"]
    return [*_differences(records), *_missing_shards(records), *_strangers(records)]


def _differences(records: Sequence[Record]) -> list[str]:
    """What all shards of one run have in common, where they do not."""
    traits = {
        "versions of pytest-ftgate": [record.run.version for record in records],
        "gates": [canonical(record.run.gate) for record in records],
        "gate options": [canonical(record.run.gate_options) for record in records],
        "models": [canonical(record.run.models) for record in records],
        "plans": [record.plan.digest for record in records],
        "numbers of shards": [str(record.run.shard[1]) for record in records if record.run.shard],
    }
    return [
        f"their {what} differ ({' and '.join(sorted(set(values)))})"
        if len("".join(set(values))) <= 80
        else f"their {what} differ"
        for what, values in traits.items()
        if len(set(values)) > 1
    ]


def _missing_shards(records: Sequence[Record]) -> list[str]:
    shards = {record.run.shard for record in records if record.run.shard}
    of = max(count for _, count in shards)
    missing = sorted(set(range(1, of + 1)) - {number for number, _ in shards})
    if not missing:
        return []
    noun = "shard" if len(missing) == 1 else "shards"
    verb = "is" if len(missing) == 1 else "are"
    return [f"{noun} {', '.join(map(str, missing))} of {of} {verb} missing"]


def _strangers(records: Sequence[Record]) -> list[str]:
    """Trials in a shard's record that belong to another shard."""
    found = []
    for record in records:
        shard = record.run.shard
        strange = [trial for trial in record.trials if shard and not in_shard(trial.key[:2], shard)]
        if shard and strange:
            noun = "trial" if len(strange) == 1 else "trials"
            found.append(f"shard {shard[0]} holds {len(strange)} {noun} of other shards: {strange[0].key}")
    return sorted(found)


def _merged_run(ordered: Sequence[Record]) -> RunInfo:
    runs = [record.run for record in ordered]
    first = runs[0]
    cut = [f"shard {run.shard[0]}: {run.cut_short}" for run in runs if run.cut_short and run.shard]
    modes = {run.mode for run in runs}
    lags_s = [run.lag_p95_s for run in runs if run.lag_p95_s is not None]
    return RunInfo(
        run_id=first.run_id,
        started=min(run.started for run in runs),
        finished=max(run.finished for run in runs),
        version=first.version,
        gate=first.gate,
        gate_options=first.gate_options,
        models=first.models,
        mode=first.mode if len(modes) == 1 else "mixed",
        no_model=any(run.no_model for run in runs),
        cut_short="; ".join(dict.fromkeys(cut)) or None,
        warnings=tuple(sorted({warning for run in runs for warning in run.warnings})),
        # The busiest client's: a criterion reads the calls of all of them together.
        lag_p95_s=max(lags_s, default=None),
    )

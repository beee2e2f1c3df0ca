"""One run as a value: what is known of it, its plan and its trials. Nothing here judges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pytest_ftgate.record.calibrations import Calibration, merged_calibrations
from pytest_ftgate.record.plan import CaseKey, Plan, PlannedCase, TrialKey
from pytest_ftgate.record.shards import Shard, Share, in_shard
from pytest_ftgate.record.trials import Trial
from pytest_ftgate.record.votes import Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What is known of a run besides its plan and trials.

    `gate` is the raw `gate:` mapping of builtins (numbers as the text that was written), {} for the
    defaults; `gate_options` are the command line options that touched it. `models` describes each arm: name,
    host, kind, revision; no secrets. `shard` is (number, of how many), counted from 1; `share` holds its
    cases if they are not those of `in_shard`, and `code` has digests of the project's test code by file, for
    shards to be compared. `cut_short` says why something selected did not finish, None if all did.
    `no_model` marks a run that had case files and no model. `warnings` are sentences that the verdict
    repeats. `lag_p95_s` is how late the client itself was: 95 % of its samples were at most so many seconds
    late; None where nothing was sampled. `calibrations` are of judges, whether or not this run asked them.
    `started` and `finished` are ISO 8601 stamps.
    """

    run_id: str
    started: str = ""
    finished: str = ""
    version: str = ""
    gate: Mapping[str, Any] = field(default_factory=dict)
    gate_options: tuple[str, ...] = ()
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mode: str = "live"
    shard: Shard | None = None
    share: Share | None = None
    code: Mapping[str, str] = field(default_factory=dict)
    no_model: bool = False
    cut_short: str | None = None
    warnings: tuple[str, ...] = ()
    lag_p95_s: float | None = None
    calibrations: tuple[Calibration, ...] = ()

    def has(self, key: CaseKey) -> bool:
        """Whether this run has to run a case of the plan: every one, or those of its shard."""
        if self.share is not None:
            return key in self.share.cases
        return self.shard is None or in_shard(key, self.shard)

    @property
    def when(self) -> str:
        """The start to the minute, for people."""
        return self.started[:16].replace("T", " ")

    def as_json(self) -> dict[str, Any]:
        """Builtins only, empty fields left out, ready for `json.dumps`."""
        row: dict[str, Any] = {
            "started": self.started,
            "finished": self.finished,
            "version": self.version,
            "gate": dict(self.gate),
            "gate_options": list(self.gate_options),
            "models": {arm: dict(model) for arm, model in self.models.items()},
            "shard": list(self.shard) if self.shard else None,
            "share": self.share.as_json() if self.share else None,
            "code": dict(self.code),
            "no_model": self.no_model,
            "cut_short": self.cut_short,
            "warnings": list(self.warnings),
            "calibrations": [one.as_json() for one in self.calibrations],
        }
        told = {key: value for key, value in row.items() if value}
        # A lag of 0 says something.
        lag = {"lag_p95_s": self.lag_p95_s} if self.lag_p95_s is not None else {}
        return {"run_id": self.run_id, "mode": self.mode, **told, **lag}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; other keys are ignored."""
        shard = row.get("shard")
        return cls(
            run_id=str(row["run_id"]),
            started=str(row.get("started", "")),
            finished=str(row.get("finished", "")),
            version=str(row.get("version", "")),
            gate=dict(row.get("gate", {})),
            gate_options=tuple(str(option) for option in row.get("gate_options", ())),
            models={str(arm): dict(model) for arm, model in row.get("models", {}).items()},
            mode=str(row["mode"]),
            shard=(int(shard[0]), int(shard[1])) if shard is not None else None,
            share=Share.from_json(row["share"]) if row.get("share") is not None else None,
            code={str(name): str(found) for name, found in row.get("code", {}).items()},
            no_model=row.get("no_model", False) is True,
            cut_short=row.get("cut_short"),
            warnings=tuple(str(warning) for warning in row.get("warnings", ())),
            lag_p95_s=_seconds(row.get("lag_p95_s")),
            calibrations=merged_calibrations(map(Calibration.from_json, row.get("calibrations", ()))),
        )


def _seconds(value: Any) -> float | None:
    if value is None or 0 <= value < math.inf:
        return None if value is None else float(value)
    raise ValueError(f"lag_p95_s is {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that happened in one run, sorted, ready to be judged.

    `conflicts` names the keys for which two different trials came in; the first by their canonical JSON is in
    `trials`, so that the order in which they came makes no difference. In a shard's record the plan is the
    whole one, and the trials are those of the cases that it has. `votes` are those of people, of whichever
    cases they were given for.
    """

    run: RunInfo
    plan: Plan
    trials: tuple[Trial, ...] = ()
    conflicts: tuple[TrialKey, ...] = ()
    votes: tuple[Vote, ...] = ()

    @property
    def cases(self) -> tuple[PlannedCase, ...]:
        """The cases that this run had to run, skipped ones included: all of the plan, or this shard's."""
        return tuple(case for case in self.plan.cases if self.run.has(case.key))

"""The record of one run: the plan (what had to run) and the trials (what happened).

It is the one currency between processes, shards and reports. Everything in it turns into builtins and back
without loss. Nothing here judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self

from pytest_ftgate.cases import Arm, Expectation, Role
from pytest_ftgate.completions import Completion
from pytest_ftgate.scores import Score

RECORD_SCHEMA = "ftgate.record/1"


class Outcome(StrEnum):
    """`errored` means that we could not find out; it is neither a pass nor a failure."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"


class TrialKey(NamedTuple):
    """What makes a trial unique in a run. `repeat` counts from 1; `item` is the pytest node id."""

    suite: str
    case: str
    arm: Arm
    repeat: int
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialError:
    """Why a trial is errored: one word, and a message without secrets."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One case × arm × repeat × item, with its answer and scores, or its error.

    `completion` is None only if none arrived; an answer that a scorer choked on is kept beside the error.
    """

    key: TrialKey
    outcome: Outcome
    completion: Completion | None = None
    scores: tuple[Score, ...] = ()
    error: TrialError | None = None

    @property
    def score(self) -> float | None:
        """Weighted mean of the top-level scores' values in [0, 1]; None without scores."""
        total = sum(score.weight for score in self.scores)
        return sum(score.value * score.weight for score in self.scores) / total if total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """One pytest item that judges a case, on which arms."""

    nodeid: str
    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCase:
    """One case as the gate and the reports need it. A case with `skip` is not in the plan: it is only named.

    `expect` holds the checks with their names, without their options: the scores say what was compared.
    `digest` covers the whole case (prompt, tools, params, expectations).
    """

    suite: str
    id: str
    role: Role
    category: str
    tags: tuple[str, ...] = ()
    path: str
    line: int
    repeat: int = 1
    must_pass: bool = False
    skip: str | None = None
    expect: tuple[Expectation, ...] = ()
    items: tuple[PlannedItem, ...] = ()
    prompt: str = ""
    asked: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that has to run, sorted by suite and case id, and what the selection left out before the start.

    `left_out` names items, files or globs; it is empty for a run that is not narrowed.
    """

    cases: tuple[PlannedCase, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What is known of a run besides its plan and trials.

    `gate` is the raw `gate:` mapping of builtins (numbers as the text that was written), {} for the defaults;
    `gate_options` are the command line options that touched it. `models` describes each arm: name, host, kind,
    revision; no secrets. `shard` is (number, of how many), counted from 1. `cut_short` says why something
    selected did not finish, None if all did. `no_model` marks a run that had case files and no model.
    `warnings` are sentences that the verdict repeats. `started` and `finished` are ISO 8601 stamps.
    """

    run_id: str
    started: str = ""
    finished: str = ""
    version: str = ""
    gate: Mapping[str, Any] = field(default_factory=dict)
    gate_options: tuple[str, ...] = ()
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mode: str = "live"
    shard: tuple[int, int] | None = None
    no_model: bool = False
    cut_short: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that happened in one run, sorted, ready to be judged.

    `conflicts` names the keys for which two different trials came in; the first is in `trials`.
    """

    run: RunInfo
    plan: Plan
    trials: tuple[Trial, ...] = ()
    conflicts: tuple[TrialKey, ...] = ()


# To be completed: RunRecord (collects trials), as_json/from_json of the above, merge.
__all__ = [
    "RECORD_SCHEMA", "Iterable", "Outcome", "Plan", "PlannedCase", "PlannedItem", "Record", "RunInfo", "Self",
    "Sequence", "Trial", "TrialError", "TrialKey",
]

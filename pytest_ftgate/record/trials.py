"""Trials: what happened when one item asked one arm. Plain values that turn into builtins and back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self, TypeGuard

from pytest_ftgate.cases import canonical
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.record.plan import TrialKey
from pytest_ftgate.scores import UNASKED, Score

#: Beyond what a float holds exactly no count of tokens is a measurement.
_TOO_LARGE = 2**53


class Outcome(StrEnum):
    """`errored` means that we could not find out; it is neither a pass nor a failure."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialError:
    """Why a trial is errored: one word, and a message without secrets."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One case, arm, repeat and item, with its answer and scores, or its error.

    `completion` is None only if none arrived; an answer that a scorer choked on is kept beside the error.
    `asides` are answers to other prompts that a Python test asked along the way; they are never scored.
    """

    key: TrialKey
    outcome: Outcome
    completion: Completion | None = None
    scores: tuple[Score, ...] = ()
    error: TrialError | None = None
    asides: tuple[Completion, ...] = ()

    @property
    def score(self) -> float | None:
        """Weighted mean of the top-level scores' values in [0, 1]; None without scores."""
        total = sum(score.weight for score in self.scores)
        return sum(score.value * score.weight for score in self.scores) / total if total else None

    @property
    def failed_elsewhere(self) -> bool:
        """Whether it failed although every check of the case passed: cut off, or by a test's own assert."""
        return self.outcome is Outcome.FAILED and all(
            score.passed for score in self.scores if score.scorer not in UNASKED
        )

    @property
    def fingerprint(self) -> str:
        """Equal for the same trial told twice; when its answer arrived makes no difference."""
        row = self.as_json()
        completion = row.get("completion", {})
        for answer in (completion, *completion.get("steps", ())):
            answer.pop("created", None)
            if answer.get("source") == "resumed":
                answer["source"] = "live"
        return canonical(row)

    def as_json(self) -> dict[str, Any]:
        """Builtins only, empty fields left out, ready for `json.dumps`."""
        row: dict[str, Any] = {**self.key.as_json(), "outcome": self.outcome.value}
        if self.completion is not None:
            row["completion"] = self.completion.as_json()
        if self.scores:
            row["scores"] = [score.as_json() for score in self.scores]
        if self.error is not None:
            row["error"] = {"kind": self.error.kind, "message": self.error.message}
        if self.asides:
            row["asides"] = [aside.as_json() for aside in self.asides]
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        completion, error = row.get("completion"), row.get("error")
        return cls(
            key=TrialKey.from_json(row),
            outcome=Outcome(row["outcome"]),
            completion=Completion.from_json(completion) if completion is not None else None,
            scores=tuple(Score.from_json(score) for score in row.get("scores", ())),
            error=TrialError(kind=str(error["kind"]), message=str(error["message"]))
            if error is not None
            else None,
            asides=tuple(Completion.from_json(aside) for aside in row.get("asides", ())),
        )


def sound(trial: Trial) -> Trial:
    """The trial itself if all its numbers are finite and in range, else an errored one without them."""
    wrong = next(_wrong_scores(trial.scores), None)
    if wrong is not None:
        trial = replace(
            trial, outcome=Outcome.ERRORED, scores=(), error=TrialError(kind="scorer", message=wrong)
        )
    broken = _wrong_numbers(trial.completion) if trial.completion is not None else {}
    if trial.completion is None or not broken:
        return trial
    message = f"the answer's {next(iter(broken))} is not a finite number from 0"
    error = trial.error or TrialError(kind="protocol", message=message)
    return replace(
        trial, outcome=Outcome.ERRORED, completion=replace(trial.completion, **broken), error=error
    )


def _wrong_scores(scores: tuple[Score, ...]) -> Iterator[str]:
    for score in scores:
        if not _is_number(score.value) or not 0 <= score.value <= 1:
            yield f"{score.name or score.scorer} gave {score.value!r}, not a number from 0 to 1"
        elif not _is_number(score.weight) or score.weight <= 0:
            yield f"{score.name or score.scorer} has the weight {score.weight!r}, not a number above 0"
        if score.children:
            yield from _wrong_scores(score.children)


def _wrong_numbers(completion: Completion) -> dict[str, Any]:
    """The fields whose numbers can't be used, with what to put there instead."""
    broken: dict[str, Any] = {
        name: None
        for name in ("latency_s", "time_to_first_token_s", "cost", "created")
        if not _is_amount(getattr(completion, name))
    }
    if completion.logprobs is not None and not all(map(_is_number, completion.logprobs)):
        broken["logprobs"] = None
    if not (_is_amount(completion.usage.input_tokens) and _is_amount(completion.usage.output_tokens)):
        broken["usage"] = Usage()
    steps = [_wrong_numbers(step) for step in completion.steps]
    if any(steps):
        mended = (replace(step, **wrong) for step, wrong in zip(completion.steps, steps, strict=True))
        broken = next(filter(None, steps)) | broken | {"steps": tuple(mended)}
    return broken


def _is_amount(value: object) -> bool:
    return value is None or (_is_number(value) and value >= 0)


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < _TOO_LARGE
    return isinstance(value, float) and math.isfinite(value)

"""Measured times of calls, and their nearest-rank percentiles. Nothing here judges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.record.trials import Trial

Clock = Literal["latency_s", "time_to_first_token_s"]
PERCENTILES = (50, 90, 95, 99)

_Number = TypeVar("_Number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Nearest-rank percentiles of measured calls, in seconds."""

    n: int
    p50: float
    p90: float
    p95: float
    p99: float


def latency_of(trials: Iterable[Trial], arm: Arm) -> Latency | None:
    """The percentiles of one arm's calls; None if none was measured."""
    times = sorted(measured_calls((trial for trial in trials if trial.key.arm is arm), "latency_s"))
    if not times:
        return None
    p50, p90, p95, p99 = (nearest_rank(times, percent) for percent in PERCENTILES)
    return Latency(n=len(times), p50=p50, p90=p90, p95=p95, p99=p99)


def measured_calls(trials: Iterable[Trial], clock: Clock) -> list[float]:
    """The seconds of every call that was measured on the wire; of a conversation, each call for itself.

    Several items of a case share the answers to equal requests: such a call counts once.
    """
    calls: dict[tuple[object, ...], float] = {}
    for trial in trials:
        for number, answer in enumerate(_answers(trial)):
            seconds = measured(answer, clock)
            if seconds is not None:
                calls[(*trial.key[:4], number, seconds, answer.created, answer.text)] = seconds
    return list(calls.values())


def paired_calls(trials: Iterable[Trial], clock: Clock) -> list[tuple[float, float]]:
    """The seconds, of the model and of the baseline, of every call that was measured on both arms.

    Of conversations that took more calls on one arm, the calls that both made; shared answers count once.
    """
    arms: dict[Arm, dict[tuple[object, ...], Trial]] = {arm: {} for arm in Arm}
    for trial in trials:
        arms[trial.key.arm][(*trial.key[:2], *trial.key[3:])] = trial
    calls: dict[tuple[object, ...], tuple[float, float]] = {}
    for key, trial in arms[Arm.MODEL].items():
        other = arms[Arm.BASELINE].get(key)
        pairs = zip(_answers(trial), _answers(other), strict=False) if other else ()
        for number, (ours, theirs) in enumerate(pairs):
            seconds, others = measured(ours, clock), measured(theirs, clock)
            if seconds is not None and others is not None:
                calls[(*key[:3], number, seconds, ours.text, others, theirs.text)] = (seconds, others)
    return list(calls.values())


def _answers(trial: Trial) -> Sequence[Completion]:
    return (trial.completion.steps or (trial.completion,)) if trial.completion else ()


def measured(completion: Completion | None, clock: Clock) -> float | None:
    """The seconds of one call; None for a recorded answer, whatever its row says."""
    if completion is None or completion.source == "recorded":
        return None
    seconds: float | None = getattr(completion, clock)
    return seconds


def nearest_rank(ordered: Sequence[_Number], percent: int) -> _Number:
    """The smallest value that at least `percent` of the (sorted, not empty) values do not exceed.

    The nearest-rank method: https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method
    """
    return ordered[-(-percent * len(ordered) // 100) - 1]


def enough_calls(percent: int) -> int:
    """The fewest calls of which a percentile is not just the largest: 100 for p99, 10 for p90."""
    return -(-100 // (100 - percent))

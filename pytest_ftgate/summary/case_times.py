"""How long the answers to each case took, as far as it was measured. Nothing here judges."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from pytest_ftgate.record.plan import CaseKey
from pytest_ftgate.record.trials import Trial
from pytest_ftgate.summary.latencies import measured_calls


def case_times_s(runs: Iterable[Iterable[Trial]]) -> dict[CaseKey, float]:
    """Seconds by case, of all its answers together; the mean of the runs that measured it.

    Answers that several items share count once, and those that were never measured make their case unknown.
    """
    found: dict[CaseKey, list[float]] = defaultdict(list)
    for trials in runs:
        by_case: dict[CaseKey, list[Trial]] = defaultdict(list)
        for trial in trials:
            by_case[trial.key[:2]].append(trial)
        for key, its_trials in by_case.items():
            if calls := measured_calls(its_trials, "latency_s"):
                found[key].append(math.fsum(calls))
    return {key: math.fsum(times) / len(times) for key, times in found.items()}

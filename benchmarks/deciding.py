"""How long a record takes to be summarized and judged, with every interval that a report shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

from pytest_ftgate.gates import Assessment, assess
from pytest_ftgate.record import Record
from tests.support.records import case, record, trial

#: Cases, and what is aimed at, in seconds.
SIZES = ((30, 0.05), (10_000, 3.0), (100_000, 30.0))
CATEGORIES = 10


def table(quick: bool) -> Iterator[tuple[str, str, str]]:
    """What was judged, how long it took, and the aim."""
    for cases, aim_s in SIZES[:2] if quick else SIZES:
        for timed in (False, True):
            made = made_record(cases, timed=timed)
            began = time.perf_counter()
            estimate_all(assess(made))
            took = time.perf_counter() - began
            what = "with latencies and tokens" if timed else "passes and failures"
            yield f"judge {cases:,} cases on both arms, {what}", f"{took:.2f} s", f"aim {aim_s:g} s"


def estimate_all(assessment: Assessment) -> None:
    """Computes what reports show of groups and arms, beside the criteria, which are decided already."""
    confidence = float(assessment.gate.confidence)
    for group in assessment.summary.groups:
        group.delta_interval(confidence)
        for rate in (group.model, group.baseline):
            if rate is not None:
                rate.interval(confidence)
        assert group.p_value is not None
    assessment.summary.comparison(confidence)


def made_record(cases: int, *, timed: bool) -> Record:
    """A run in which one answer in five differs between the arms."""
    random = Random(7)
    planned = [
        case(f"c{number}", role=("target", "general")[number % 2], category=f"k{number % CATEGORIES}")
        for number in range(cases)
    ]
    came_in = []
    for one in planned:
        passes = random.random() < 0.8
        for key in one.trial_keys():
            passed = passes if random.random() < 0.9 else not passes
            measured = (
                {"latency_s": random.uniform(0.1, 0.9), "tokens": random.randint(5, 90)} if timed else {}
            )
            came_in.append(trial(key, "P" if passed else "F", expect=one.expect, **measured))
    return record(planned, came_in)

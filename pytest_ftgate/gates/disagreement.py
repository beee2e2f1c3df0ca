"""Metrics of one case set that moved in opposite directions: a sign that one of them was tuned for, not met.

A warning beside the verdict, which decides nothing: a pass rate that rises while the graded value of an entry
falls, or the other way round, each by more than noise explains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates.entries import entry_names
from pytest_ftgate.gates.metrics import mean_metric
from pytest_ftgate.gates.thresholds import points_text
from pytest_ftgate.record.trials import Outcome
from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.summary.case_results import CaseResult, total
from pytest_ftgate.summary.estimating import Pair, change_estimate


def disagreements(cases: Sequence[CaseResult], confidence: float) -> Iterator[str]:
    """A sentence for each entry whose mean value and pass rate moved apart on the cases that have it."""
    named: dict[str, list[CaseResult]] = {}
    for case in cases:
        for name in {name for check in case.planned.expect for name in entry_names(check)}:
            named.setdefault(name, []).append(case)
    for name in sorted(named):
        yield from _disagreement(name, named[name], confidence)


def _disagreement(name: str, cases: Sequence[CaseResult], confidence: float) -> Iterator[str]:
    rows = [(case.pair, _values(case, name)) for case in cases]
    both = [(passes, values) for passes, values in rows if passes is not None and values is not None]
    if not both:
        return
    passes, values = ([row[side] for row in both] for side in range(2))
    changes = _change(passes), _change(values)
    # Bounds are looked for only where the numbers point apart, which they seldom do.
    if changes[0] * changes[1] >= 0 or not all(_is_sure(pairs, confidence) for pairs in (passes, values)):
        return
    rate, mean = (points_text(change) for change in changes)
    yield (
        f"metrics disagree: on {len(both)} cases the pass rate moved by {rate} points and mean:{name} by "
        f"{mean}; one of them may have been gamed"
    )


def _values(case: CaseResult, name: str) -> Pair | None:
    """The entry's mean value on each arm, in the items that judge both."""
    if len(case.planned.expect) == 1 and not case.planned.expect[0].children:
        return case.pair_score  # the only entry there is
    items = {item.nodeid for item in case.planned.paired_items}
    take = mean_metric(name).take
    arms = [
        take([trial for trial in case.of(arm, items) if trial.outcome is not Outcome.ERRORED]) for arm in Arm
    ]
    if not all(arms):
        return None
    (model,), (baseline,) = (samples[0] for samples in arms)
    return model, baseline


def _change(pairs: Sequence[Pair]) -> Fraction:
    model, baseline = (total(side) for side in zip(*pairs, strict=True))
    return (model - baseline) / len(pairs)


def _is_sure(pairs: Sequence[Pair], confidence: float) -> bool:
    low, high = interval(change_estimate(pairs), confidence)
    return low > 0 or high < 0

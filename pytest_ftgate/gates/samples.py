"""What a metric takes from cases, and the one number that is made of it. Nothing here judges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from pytest_ftgate.gates.criteria import Compare
from pytest_ftgate.summary.case_results import mean

#: What one case (or one call) gives: a value, or sums that only mean something over all cases.
Sample = tuple[Fraction, ...]
#: What one case gives on each arm: several samples where calls are counted.
Row = Sequence[Sequence[Sample]]
Combine = Callable[[Sequence[Sample]], Fraction]


def mean_of(samples: Sequence[Sample]) -> Fraction:
    """The mean of samples that are one value each."""
    return mean([sample[0] for sample in samples])


class Combined(NamedTuple):
    """The number that is judged, None for the ratio to a baseline of 0, and what it is made of."""

    observed: Fraction | None
    model: Fraction | None
    baseline: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """The samples of one criterion, a row for each case, and how they become one number.

    `paired` metrics combine samples that hold the model's numbers and then the baseline's.
    """

    rows: Sequence[Row]
    compare: Compare
    combine: Combine
    paired: bool = False

    @property
    def columns(self) -> list[list[Sample]]:
        """All samples of each arm."""
        return columns_of(self.rows)

    def combined(self, rows: Sequence[Row] | None = None) -> Combined:
        """The number of all rows, or of those given, at least one."""
        columns = columns_of(self.rows if rows is None else rows)
        if self.paired:
            pairs = [(*model, *baseline) for model, baseline in zip(*columns, strict=True)]
            return Combined(self.combine(pairs), None, None)
        model, *others = (self.combine(column) for column in columns)
        if not others:
            return Combined(model, model, None)
        baseline = others[0]
        if self.compare == "delta":
            return Combined(model - baseline, model, baseline)
        return Combined(model / baseline if baseline else None, model, baseline)


def columns_of(rows: Sequence[Row]) -> list[list[Sample]]:
    """The samples of all rows, by arm."""
    return [[sample for row in rows for sample in row[arm]] for arm in range(len(rows[0]))]

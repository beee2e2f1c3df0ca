"""What an earlier run shows of a criterion without a formula: its own estimate there, scaled to this suite.

Latencies, tokens, cost, BLEU, perplexity, values of checks, wins, and rates of several groups of cases.
Bounds close in as the root of the number of cases, which is the rule of
`stats.difference_power.cases_by_scaling`; what was seen is taken for the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_ftgate.gates.criteria import Criterion, Evidence
from pytest_ftgate.gates.estimates import Unbounded
from pytest_ftgate.gates.evidence import Level, near_bound
from pytest_ftgate.gates.measuring import Measurement, measure
from pytest_ftgate.gates.selection import Scope
from pytest_ftgate.gates.sentences import counted, value_text
from pytest_ftgate.planning.observed import Observed
from pytest_ftgate.record import RunInfo
from pytest_ftgate.stats.difference_power import cases_by_scaling
from pytest_ftgate.stats.distributions import normal_cdf, normal_quantile
from pytest_ftgate.stats.rate_power import POWER
from pytest_ftgate.stats.unseen import UnseenEstimate
from pytest_ftgate.summary.case_results import exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """An estimate of an earlier run, `n` of what the metric counts, and its bound at `confidence`.

    `value` and `bound`, on the threshold's side, are in the metric's unit; `name` is the earlier run's file.
    With fewer than `least` cases, what was not seen keeps strict evidence from deciding.
    """

    scope: Scope
    name: str
    n: int
    value: float
    bound: float
    confidence: float
    least: int = 1

    @property
    def criterion(self) -> Criterion:
        """The rule."""
        return self.scope.criterion

    @property
    def is_met(self) -> bool:
        """Whether it was met there."""
        return self._distance >= 0

    @property
    def is_at_threshold(self) -> bool:
        """Whether it stood just on the threshold, which no number of cases decides."""
        return self._distance == 0

    @property
    def seen(self) -> str:
        """What it was there: `1.42 s on 120 calls`."""
        return f"{self.text(self.value)} on {counted(self.n, self.scope.metric)}"

    def right(self, n: int, evidence: Evidence) -> float:
        """The chance, 0…1, that `n` of them end as the earlier run's value has it."""
        if evidence == "strict" and n < self.least:
            return 0.0
        spread = self._deviation * math.sqrt(self.n / n)
        if not spread:
            return float(not self.is_at_threshold)
        return normal_cdf(abs(self._distance) / spread - self._z(evidence))

    def needed(self, evidence: Evidence) -> int | None:
        """About how many decide it in four of five runs; None if no number does."""
        if self.is_at_threshold:
            return None
        if evidence == "point":
            reach = self._deviation * normal_quantile(POWER)
            return max(math.ceil(self.n * (reach / self._distance) ** 2), 1)
        found = cases_by_scaling(
            self.n,
            value=self.value,
            bound=self.bound,
            threshold=float(self.criterion.threshold),
            confidence=self.confidence,
        )
        return max(found if found is not None else 1, self.least)

    def detectable(self, n: int, evidence: Evidence) -> float | None:
        """From which true value on `n` of them end in GO in four of five runs; None if no such value is."""
        reach = (self._z(evidence) + normal_quantile(POWER)) * self._deviation * math.sqrt(self.n / n)
        value = float(self.criterion.threshold) + (reach if self.criterion.bound == "at_least" else -reach)
        metric = self.scope.metric
        is_rate = metric.unit == "rate" and not metric.split.contrast
        least, most = (-1.0 if self.criterion.compare == "delta" else 0.0), (1.0 if is_rate else math.inf)
        is_free = metric.split.contrast or (self.criterion.compare == "delta" and not is_rate)
        return value if is_free or least <= value <= most else None

    def text(self, value: float) -> str:
        """A value in the words of the metric's unit."""
        rounded = exact(float(f"{value:.3g}"))
        return value_text(self.criterion, self.scope.metric, rounded)

    @property
    def _distance(self) -> float:
        """How far the value lies on the good side of the threshold."""
        above = self.value - float(self.criterion.threshold)
        return above if self.criterion.bound == "at_least" else -above

    @property
    def _deviation(self) -> float:
        return abs(self.bound - self.value) / normal_quantile(self.confidence)

    def _z(self, evidence: Evidence) -> float:
        return normal_quantile(self.confidence) if evidence == "strict" else 0.0


def scaled(scope: Scope, observed: Observed, confidence: float) -> Scaled | str:
    """What an earlier run shows of a criterion, or in a sentence why it shows nothing of it."""
    if not scope.items or scope.metric.counts == "votes":
        return ""
    found = _measured(scope, observed)
    if found.observed is None:
        return f"{observed.name} has nothing of it: {scope.metric.nothing}"
    if isinstance(found.estimate, Unbounded):
        return f"{observed.name} tells too little of it: {found.estimate.why}"
    resampled, least = found.estimate, 1
    if isinstance(found.estimate, UnseenEstimate) and found.observed != scope.criterion.threshold:
        resampled = found.estimate.seen
        least = found.estimate.least_cases(float(scope.criterion.threshold), confidence)
    bound = near_bound(scope.criterion, found.observed, resampled, Level(confidence=confidence))
    if math.isinf(bound):
        return f"{observed.name} tells too little of it: nothing bounds {counted(found.n, scope.metric)}"
    return Scaled(
        scope=scope,
        name=observed.name,
        n=found.n,
        value=float(found.observed),
        bound=bound,
        confidence=confidence,
        least=least,
    )


def _measured(scope: Scope, observed: Observed) -> Measurement:
    results = observed.results(scope.selected, scope.items)
    return measure(scope, results, RunInfo(run_id="", version=""))

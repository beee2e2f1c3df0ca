"""What the labels of people and of a judge amount to: agreement with intervals, and which way it errs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.stats.agreement import cohen_kappa, krippendorff_alpha
from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.paired_passes import mcnemar_p
from pytest_ftgate.stats.rates import RateEstimate
from pytest_ftgate.summary.estimating import SEED

CONFIDENCE = 0.95

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One labelled row after the judge has seen it: its label, or why there is none."""

    line: int
    human: str
    judge: str | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """How far a judge agrees with people, on `n` answers that both labelled.

    `accuracy` (Wilson), `kappa` (Cohen) and `alpha` (Krippendorff, nominal; both by bootstrap) are None where
    they are undefined. `table` counts labels, the people's first.
    """

    n: int
    errors: int
    accuracy: Fraction | None
    accuracy_bounds: Interval | None
    kappa: float | None
    kappa_bounds: Interval | None
    alpha: float | None
    alpha_bounds: Interval | None
    table: Mapping[tuple[str, str], int]

    @property
    def lenient(self) -> int:
        """How many answers the judge passed and people failed."""
        return self.table.get(("fail", "pass"), 0)

    @property
    def strict(self) -> int:
        """How many answers the judge failed and people passed."""
        return self.table.get(("pass", "fail"), 0)

    @property
    def leaning_p(self) -> float | None:
        """Exact McNemar's p-value of a judge that leans to neither side; None where it never disagrees."""
        return mcnemar_p(self.lenient, self.strict) if self.lenient + self.strict else None


def agreed(pairs: Sequence[tuple[str, str]], errors: int) -> Agreed:
    """The agreement in these pairs of labels, the people's first."""
    n, same = len(pairs), sum(human == judge for human, judge in pairs)
    alpha, alpha_bounds = _alpha(pairs)
    kappa = cohen_kappa(pairs)
    return Agreed(
        n=n,
        errors=errors,
        accuracy=Fraction(same, n) if n else None,
        accuracy_bounds=interval(RateEstimate(passed=same, n=n), CONFIDENCE) if n else None,
        kappa=kappa,
        kappa_bounds=_kappa_bounds(pairs) if kappa is not None else None,
        alpha=alpha,
        alpha_bounds=alpha_bounds,
        table=dict(sorted(Counter(pairs).items())),
    )


def _kappa_bounds(pairs: Sequence[tuple[str, str]]) -> Interval | None:
    from pytest_ftgate.stats.any_statistic import statistic_estimate  # noqa: PLC0415  (loads numpy)

    found = statistic_estimate(
        lambda places: cohen_kappa(pairs[place] for place in places), len(pairs), seed=SEED
    )
    return interval(found, CONFIDENCE) if found else None


def _alpha(pairs: Sequence[tuple[str, str]]) -> tuple[float | None, Interval | None]:
    from pytest_ftgate.stats.alpha_bootstrap import alpha_estimate  # noqa: PLC0415  (loads numpy)

    value = krippendorff_alpha(pairs)
    if value is None:
        return None, None
    labels = sorted({label for pair in pairs for label in pair})
    found = alpha_estimate([[pair.count(label) for label in labels] for pair in pairs], seed=SEED)
    return float(value), interval(found, CONFIDENCE) if found else None

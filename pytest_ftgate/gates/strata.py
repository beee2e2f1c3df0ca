"""Rates made of several groups of cases: which group each case is in, and what each group weighs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from pytest_ftgate.gates.criteria import Criterion
from pytest_ftgate.gates.thresholds import percent_text
from pytest_ftgate.record.plan import PlannedCase
from pytest_ftgate.summary.case_results import total

#: Categories and their shares of the traffic, which add up to 1.
Traffic = Mapping[str, Fraction]
#: The key of a group to which all cases belong.
_ALL = ""
_SEEN, _OTHERS = "seen", "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """One group of cases: its weight in the sum, and the sentence for a plan without any of its cases."""

    weight: Fraction
    lacking: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumRate:
    """The model's rate in one group of `n` cases."""

    rate: Fraction
    n: int


def _nothing_wrong(criterion: Criterion, _: Traffic) -> str | None:
    return "`seen` belongs to `metric: generalization_gap`" if criterion.seen else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How a metric's cases fall into groups whose rates, times their weights, add up to its value.

    `stratum_of` gives the key of a case's group, None if it is in none. `refuses` says what is wrong with a
    criterion. `detail` tells of the parts. A `contrast` of groups is as thin as the thinnest of them, and is
    told in points.
    """

    strata: Callable[[Criterion, Traffic], Mapping[str, Stratum]]
    stratum_of: Callable[[PlannedCase, Criterion, Traffic], str | None]
    refuses: Callable[[Criterion, Traffic], str | None] = _nothing_wrong
    detail: Callable[[Mapping[str, StratumRate]], str] = lambda _: ""
    contrast: bool = False


def _category(case: PlannedCase, _: Criterion, traffic: Traffic) -> str | None:
    return case.category if traffic.get(case.category) else None


def _shares(_: Criterion, traffic: Traffic) -> Mapping[str, Stratum]:
    return {
        category: Stratum(
            weight=share,
            lacking=f"the category '{category}' has {percent_text(share)} of the traffic and no case here",
        )
        for category, share in traffic.items()
        if share
    }


def _refuses_weights(criterion: Criterion, traffic: Traffic) -> str | None:
    if not traffic:
        example = "gate: {traffic: {simple: 70%, edge_case: 30%}}"
        return f"'weighted_pass_rate' needs the share of each category in real use, e.g. {example}"
    if criterion.category or criterion.per == "category":
        return "'weighted_pass_rate' is of all categories: leave `category` and `per: category` out"
    return _nothing_wrong(criterion, traffic)


def _unweighted(parts: Mapping[str, StratumRate]) -> str:
    passed, n = total(part.rate * part.n for part in parts.values()), sum(part.n for part in parts.values())
    return f"({percent_text(passed / n)} unweighted)"


def _seen_or_not(case: PlannedCase, criterion: Criterion, _: Traffic) -> str:
    return _SEEN if criterion.seen in case.tags else _OTHERS


def _seen_minus_others(criterion: Criterion, _: Traffic) -> Mapping[str, Stratum]:
    return {
        _SEEN: Stratum(
            weight=Fraction(1), lacking=f"no case that it reads has the tag '{criterion.seen}' of `seen`"
        ),
        _OTHERS: Stratum(
            weight=Fraction(-1), lacking=f"every case that it reads has the tag '{criterion.seen}' of `seen`"
        ),
    }


def _refuses_gap(criterion: Criterion, _: Traffic) -> str | None:
    if criterion.seen:
        return None
    return "'generalization_gap' needs `seen: TAG`, the tag of the cases that are in the training data"


def _seen_and_others(parts: Mapping[str, StratumRate]) -> str:
    seen, others = (parts[key] for key in (_SEEN, _OTHERS))
    return (
        f"({percent_text(seen.rate)} on {seen.n} seen, {percent_text(others.rate)} on {others.n} other cases)"
    )


#: All cases alike.
WHOLE = Split(
    strata=lambda _criterion, _traffic: {_ALL: Stratum(weight=Fraction(1))},
    stratum_of=lambda _case, _criterion, _traffic: _ALL,
)
#: Each category by its share of the traffic.
BY_TRAFFIC = Split(strata=_shares, stratum_of=_category, refuses=_refuses_weights, detail=_unweighted)
#: The cases that were seen in training against all others.
SEEN_OR_NOT = Split(
    strata=_seen_minus_others,
    stratum_of=_seen_or_not,
    refuses=_refuses_gap,
    detail=_seen_and_others,
    contrast=True,
)

"""What a bound shows at the threshold itself, and where the scale ends, so that no bound can reach it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import BUILTIN_METRICS, Criterion, Metric, Status
from pytest_ftgate.gates.evidence import Level, is_extreme, levels, shown
from tests.gates.test_evidence import STRICT, rated
from tests.support.records import case, gate_of, judged, result, trials


@dataclass(frozen=True)
class Known:
    """An estimate whose bounds and p-values are given."""

    bound: float = 0.5
    p: float = 0.5

    def lower(self, _: float) -> float:
        return self.bound

    upper = lower

    def p_below(self, _: float) -> float:
        return self.p

    p_above = p_below


def criterion(threshold: str = "9/10", **fields: Any) -> Criterion:
    given = {"name": "x", "metric": ("pass_rate",), "written": threshold, **fields}
    return Criterion(threshold=Fraction(threshold), **given)


@pytest.mark.parametrize(
    ("bound", "near", "status"),
    [
        ("at_least", 0.9, Status.GO),
        ("at_least", 0.9 - 1e-9, Status.INCONCLUSIVE),
        ("at_most", 0.9, Status.GO),
        ("at_most", 0.9 + 1e-9, Status.INCONCLUSIVE),
    ],
)
def test_a_bound_at_the_threshold_itself_meets_it(bound: Any, near: float, status: Status) -> None:
    observed = Fraction(1 if bound == "at_least" else 0)

    assert shown(criterion(bound=bound), observed, Known(near), Level(confidence=0.95)) is status


def test_a_p_value_of_exactly_the_level_misses() -> None:
    level = Level(confidence=0.95, tests=3, miss_p=1 - 0.95)

    assert shown(criterion(), Fraction(1, 2), Known(), level) is Status.NO_GO
    assert shown(criterion(), Fraction(1, 2), Known(), replace(level, miss_p=0.0501)) is Status.INCONCLUSIVE


def test_holm_corrects_the_parts_of_a_family_and_a_part_alone_is_none() -> None:
    first, second = levels(Fraction(9, 10), [0.03, 0.02])

    assert (first.tests, second.tests) == (2, 2)
    assert [first.miss_p, second.miss_p] == pytest.approx([0.04, 0.04])
    assert levels(Fraction(9, 10), [0.03]) == [Level(confidence=0.9)]


RATIO_OF_RATES = Metric(name="share", doc="", unit="rate", nothing="")


@pytest.mark.parametrize(
    ("metric", "given", "extreme"),
    [
        ("pass_rate", {"threshold": "1"}, True),
        ("pass_rate", {"threshold": "99/100"}, False),
        ("pass_rate", {"threshold": "0"}, False),  # any rate meets it, and a bound may show so
        ("pass_rate", {"threshold": "0", "bound": "at_most"}, True),
        ("pass_rate", {"threshold": "1", "bound": "at_most"}, False),
        ("pass_rate", {"threshold": "1", "compare": "delta"}, True),
        ("pass_rate", {"threshold": "-1", "bound": "at_most", "compare": "delta"}, True),
        ("pass_rate", {"threshold": "0", "bound": "at_most", "compare": "delta"}, False),
        ("generalization_gap", {"threshold": "-1", "bound": "at_most"}, True),
        ("generalization_gap", {"threshold": "0", "bound": "at_most"}, False),
        ("tokens", {"threshold": "1"}, False),
        ("tokens", {"threshold": "0", "bound": "at_most"}, False),
        ("share", {"threshold": "1", "compare": "ratio"}, False),
        ("share", {"threshold": "0", "bound": "at_most", "compare": "ratio"}, False),
    ],
)
def test_the_scale_ends_where_all_pass_or_none_does(
    metric: str, given: dict[str, Any], extreme: bool
) -> None:
    table = {**BUILTIN_METRICS, "share": RATIO_OF_RATES}

    assert is_extreme(criterion(**given), table[metric]) is extreme


def test_a_part_that_met_its_threshold_did_not_miss_it_by_chance() -> None:
    cases = [
        case(f"{name}{number}", category=name, arms=[Arm.MODEL]) for name in "ab" for number in range(10)
    ]
    came_in = [one for planned in cases for one in trials(planned, "P")]

    made = judged(cases, came_in, gate_of(at_least="90%", per="category") | STRICT)

    assert result(made, "rate[a]").reason == (
        "100% on 10 cases, at least 78.7% with 95% confidence; ≥ 90% is needed; "
        "about 15 more cases would decide"
    )


def test_the_cases_that_would_show_a_miss_are_those_of_one_criterion() -> None:
    assert rated(33, 40, at_least="90%").reason == (
        "82.5% on 40 cases, at most 90.2% with 95% confidence; ≥ 90% is needed; "
        "about 87 more cases would decide"
    )

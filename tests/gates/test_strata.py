"""Rates made of groups of cases: weighted by traffic, or seen in training against the others."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import CriterionResult, GateError, Status, Verdict, parse_gate
from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.rates import RateEstimate
from pytest_ftgate.stats.weighted_sums import unpaired_difference
from tests.support.records import case, gate_of, judged, result, trials

TRAFFIC = {"simple": "75%", "edge": "25%"}


def weighted(
    passed: Mapping[str, tuple[int, int]], traffic: Mapping[str, str] = TRAFFIC, **criterion: Any
) -> Verdict:
    """Categories with passed of n; the baseline passes all."""
    cases = [
        case(f"{category}{number:02}", category=category)
        for category, (_, n) in passed.items()
        for number in range(n)
    ]
    came_in = [
        one
        for planned in cases
        for one in trials(planned, "FP"[int(planned.id[-2:]) < passed[planned.category][0]])
    ]
    gate = gate_of(metric="weighted_pass_rate", **{"at_least": "50%", **criterion})
    return judged(cases, came_in, gate | {"traffic": traffic}).verdict


def rate(verdict: Verdict) -> CriterionResult:
    return verdict.criteria[0]


def test_each_category_weighs_by_its_share_of_the_traffic() -> None:
    found = rate(weighted({"simple": (10, 10), "edge": (5, 20)}))

    assert (found.observed, found.n, found.status) == (Fraction(13, 16), 30, Status.GO)
    assert found.reason == "81.2% on 30 cases (50% unweighted), ≥ 50% is needed"
    assert found.interval is not None
    assert found.interval[0] < 13 / 16 < found.interval[1]


def test_a_weighted_rate_is_compared_with_the_baselines() -> None:
    found = rate(weighted({"simple": (10, 10), "edge": (5, 20)}, compare="delta", at_least="-5%"))

    assert found.observed == Fraction(-3, 16)
    assert found.reason == (
        "-18.8 points on 30 cases (from 100% to 81.2%), ≥ -5% is needed; noise could explain it"
    )


def test_rounded_shares_are_scaled() -> None:
    gate = parse_gate({"traffic": {"a": "33%", "b": "33%", "c": "33%"}})

    assert gate.traffic == {"a": Fraction(1, 3), "b": Fraction(1, 3), "c": Fraction(1, 3)}
    assert gate.digest != parse_gate({}).digest


def test_it_is_said_that_rounded_shares_are_scaled() -> None:
    verdict = weighted({"simple": (10, 10), "edge": (5, 20)}, {"simple": "74.6%", "edge": "24%"})

    assert verdict.warnings == ("the shares of `traffic` add up to 98.6%: they are scaled to 100%",)


def test_traffic_that_weights_nothing_is_no_reason_to_warn() -> None:
    cases = [case(f"c{number}", category="rare") for number in range(10)]

    verdict = judged(cases, None, gate_of(at_least="50%") | {"traffic": {"simple": "98%"}}).verdict

    assert verdict.warnings == ()


def test_a_mistake_in_traffic_is_told_once() -> None:
    gate = gate_of(metric="weighted_pass_rate", at_least="50%") | {"traffic": {"simple": "70"}}

    with pytest.raises(GateError) as told:
        parse_gate(gate)

    assert str(told.value) == "traffic.simple: 70 is not a share: write e.g. 0.3 or 30%"


def test_a_category_of_the_traffic_without_a_case_leaves_it_open() -> None:
    found = rate(weighted({"simple": (10, 10)}))

    assert (found.status, found.observed) == (Status.INCONCLUSIVE, None)
    assert found.reason == "the category 'edge' has 25% of the traffic and no case here"


def test_a_category_without_a_share_is_named_and_left_to_the_other_cases() -> None:
    verdict = weighted({"simple": (10, 10), "edge": (5, 20), "rare": (0, 2)})

    assert rate(verdict).n == 30
    assert verdict.warnings == ("`traffic` has no share for 'rare': 2 cases not in weighted_pass_rate",)
    assert [(one.name, one.n) for one in verdict.criteria[1:]] == [("other_cases", 2)]


def test_a_share_of_nothing_needs_no_case() -> None:
    verdict = weighted({"simple": (10, 10)}, {"simple": "100%", "edge": "0%"})

    assert (rate(verdict).observed, verdict.warnings) == (1, ())


# The gap between cases seen in training and all others.


def gap(
    seen: tuple[int, int], others: tuple[int, int], letters: str = "FP", **criterion: Any
) -> CriterionResult:
    cases = [
        case(f"{tag or 'other'}{number:02}", tags=[tag] if tag else [], arms=[Arm.MODEL])
        for tag, (_, n) in (("trained", seen), ("", others))
        for number in range(n)
    ]
    passed = {True: seen[0], False: others[0]}
    came_in = [
        one
        for planned in cases
        for one in trials(planned, letters[int(planned.id[-2:]) < passed[bool(planned.tags)]])
    ]
    row = {"metric": "generalization_gap", "seen": "trained", "at_most": "10%", **criterion}
    return result(judged(cases, came_in, gate_of(**row) | {"max_errors": 99}))


def test_the_gap_is_the_rate_on_seen_cases_minus_that_on_the_others() -> None:
    found = gap((19, 20), (30, 40))

    assert (found.observed, found.n, found.status) == (Fraction(1, 5), 60, Status.NO_GO)
    assert found.reason == (
        "+20 points on 60 cases (95% on 20 seen, 75% on 40 other cases), ≤ 10% is needed; "
        "noise could explain it"
    )


def test_the_gap_has_newcombes_interval() -> None:
    seen, others = RateEstimate(passed=19, n=20), RateEstimate(passed=30, n=40)

    assert gap((19, 20), (30, 40)).interval == interval(unpaired_difference(seen, others), 0.95)


def test_a_gap_under_strict_evidence() -> None:
    large = gap((60, 60), (30, 60), evidence="strict")
    small = gap((55, 60), (54, 60), evidence="strict")

    assert (large.status, large.reason) == (
        Status.NO_GO,
        "+50 points on 120 cases (100% on 60 seen, 50% on 60 other cases), at least +38.8 points with 95% "
        "confidence; ≤ 10% is needed",
    )
    assert (small.status, small.reason) == (
        Status.INCONCLUSIVE,
        "+1.7 points on 120 cases (91.7% on 60 seen, 90% on 60 other cases), at most +10.9 points with 95% "
        "confidence; ≤ 10% is needed; about 220 more cases would decide",
    )


def test_each_side_needs_the_least_number_of_cases() -> None:
    found = gap((4, 4), (40, 40), min_cases=5)

    assert (found.status, found.reason) == (
        Status.INCONCLUSIVE,
        "0 points on 44 cases (100% on 4 seen, 100% on 40 other cases); "
        "5 cases on each side are the least that decide (min_cases)",
    )


@pytest.mark.parametrize(
    ("seen", "others", "reason"),
    [
        ((0, 0), (3, 3), "no case that it reads has the tag 'trained' of `seen`"),
        ((3, 3), (0, 0), "every case that it reads has the tag 'trained' of `seen`"),
    ],
)
def test_a_gap_needs_cases_on_both_sides(seen: tuple[int, int], others: tuple[int, int], reason: str) -> None:
    found = gap(seen, others)

    assert (found.status, found.reason) == (Status.INCONCLUSIVE, reason)


def test_an_error_widens_the_gap_on_either_side() -> None:
    assert gap((10, 20), (20, 20), letters="EP").observed == 0  # errors on seen cases count as passed
    assert gap((20, 20), (10, 20), letters="EP").observed == Fraction(1, 2)  # on the others as failed

"""What errors, missing groups and bounds that are not there do to a status."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import BUILTIN_METRICS, Metric, Sampled, Status, Unbounded, Word, assess, parse_gate
from pytest_ftgate.gates.estimates import graded
from pytest_ftgate.stats.estimates import Estimate
from tests.gates.test_evidence import STRICT, repeated
from tests.support.records import case, gate_of, judged, record, result, trials


def test_too_many_errors_leave_alone_what_has_none() -> None:
    cases = [case("a", category="x", arms=[Arm.MODEL]), case("b", category="y", arms=[Arm.MODEL])]
    gate = gate_of(at_least="50%", per="category")

    made = judged(cases, [*trials(cases[0], "E"), *trials(cases[1])], gate)

    assert (result(made, "rate[x]").status, result(made, "rate[x]").reason) == (
        Status.INCONCLUSIVE,
        "1 of 1 case errored",
    )
    assert result(made, "rate[y]").status is Status.GO
    assert made.verdict.word is Word.INCOMPLETE


def test_where_no_case_is_read_a_missing_group_is_no_half_measure() -> None:
    traffic = {"traffic": {"x": "50%", "y": "50%"}}
    gate = gate_of(metric="weighted_pass_rate", at_least="50%") | traffic

    nothing = result(judged([case("a", category="z")], None, gate))
    half = result(judged([case("a", category="x")], None, gate))

    assert (nothing.status, half.status) == (Status.NOT_MEASURED, Status.INCONCLUSIVE)
    assert nothing.reason == "the category 'x' has 50% of the traffic and no case here"
    assert half.reason == "the category 'y' has 50% of the traffic and no case here"


def test_errors_among_failures_leave_a_miss_a_miss() -> None:
    assert repeated(["FFF"] * 19 + ["FFE"], at_least="50%").status is Status.NO_GO


def mostly(sampled: Sampled) -> Estimate | Unbounded:
    """Bounds nothing where all passed."""
    values = [row[0][0][0] for row in sampled.rows]
    return Unbounded(why="all alike") if set(values) == {Fraction(1)} else graded(sampled)


def test_what_is_shown_with_an_error_has_to_be_shown_without_it() -> None:
    metric = Metric(
        name="kind",
        doc="",
        unit="rate",
        nothing="",
        passed=lambda one: one.outcome == "passed",
        estimate=mostly,
    )
    table = {**BUILTIN_METRICS, "kind": metric}
    cases = [case(f"c{number:02}", arms=[Arm.MODEL]) for number in range(40)]
    gate = parse_gate(gate_of(metric="kind", at_least="50%") | STRICT | {"max_errors": 2}, metrics=table)

    def status(letters: str) -> tuple[Status, str]:
        came_in: list[Any] = []
        for planned, letter in zip(cases, letters, strict=True):
            came_in += trials(planned, letter)
        found = result(assess(record(cases, came_in), gate, metrics=table))
        return found.status, found.reason.rpartition("; ")[2]

    assert status("F" + "P" * 39)[0] is Status.GO
    assert status("FE" + "P" * 38)[0] is Status.GO
    assert status("E" + "P" * 39) == (
        Status.INCONCLUSIVE,
        "it is not shown with the error counted the other way round",
    )
    assert status("EE" + "P" * 38) == (
        Status.INCONCLUSIVE,
        "it is not shown with errors counted the other way round",
    )

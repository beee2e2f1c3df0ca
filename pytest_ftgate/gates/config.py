"""From the raw `gate:` mapping to a `Gate`; what is wrong in it is a `GateError` that says what is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from pytest_ftgate.cases import digest
from pytest_ftgate.gates.builtin_metrics import BUILTIN_METRICS
from pytest_ftgate.gates.criteria import Criterion, Evidence, Gate, GateError
from pytest_ftgate.gates.criterion_config import Given, parse_cases, parse_criterion, parse_evidence
from pytest_ftgate.gates.metrics import Metric
from pytest_ftgate.gates.raw_values import Reading, mapping, texts
from pytest_ftgate.gates.strata import Traffic
from pytest_ftgate.gates.thresholds import parse_confidence, parse_count, parse_traffic

#: The criteria of a gate without `criteria:`, as DESIGN gives them.
DEFAULT_CRITERIA: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "target_task_improvement": {
            "metric": "pass_rate",
            "role": "target",
            "compare": "delta",
            "at_least": "5%",
        },
        "general_regression": {
            "metric": "pass_rate",
            "role": "general",
            "compare": "delta",
            "at_least": "-5%",
        },
        "exact_match_accuracy": {"metric": "exact_match", "role": "target", "at_least": "85%"},
        "latency_p99": {
            "metric": "latency_p99",
            "compare": "ratio",
            "at_most": "2",
            "min_cases": "100",
            "optional": True,
        },
        "human_preference": {
            "metric": "human_preference",
            "at_least": "60%",
            "min_cases": "30",
            "optional": True,
        },
        "adversarial_robustness": {"metric": "pass_rate", "category": "adversarial", "at_least": "90%"},
        "schema_compliance": {"metric": ["json_schema", "json_valid"], "role": "target", "at_least": "100%"},
    }
)
#: The defaults that decide whatever the plan holds.
ALWAYS_DECIDING = ("target_task_improvement", "general_regression")
STRICT_OPTION = "--ftgate-strict"

_GATE_KEYS = ("evidence", "confidence", "min_cases", "max_errors", "traffic", "suites", "criteria")
_ALL: tuple[str, ...] = ()


def parse_gate(
    raw: Mapping[str, Any],
    options: Sequence[str] = (),
    *,
    metrics: Mapping[str, Metric] = BUILTIN_METRICS,
) -> Gate:
    """A gate from the raw `gate:` mapping ({} for the defaults) and the options that touch it.

    Numbers are the text that was written (`5%`), or numbers; raises `GateError` with all mistakes.
    """
    reading = Reading(mapping(raw, ()), (), _GATE_KEYS)
    evidence: Evidence = reading.given("evidence", parse_evidence, "point")
    traffic, shares = _traffic(reading)
    min_cases = reading.given("min_cases", parse_cases, 10)
    given = Given(min_cases=min_cases, evidence=evidence, traffic=traffic, metrics=metrics)
    gate = Gate(
        criteria=reading.tried((), _criteria, raw, given),
        max_errors=reading.given("max_errors", lambda value, where: parse_count(value, 0, where), 0),
        confidence=reading.given("confidence", parse_confidence, Fraction(95, 100)),
        traffic=traffic or {},
        traffic_written=shares,
        suites=reading.given("suites", texts, _ALL),
        strict=any(option.partition("=")[0] == STRICT_OPTION for option in options),
        is_default="criteria" not in raw,
    )
    reading.refuse()
    return replace(gate, digest=_digest(gate))


def _traffic(reading: Reading) -> tuple[Traffic | None, Fraction]:
    """The shares and what they added up to as written; None after a mistake in them."""
    nothing: tuple[Traffic | None, Fraction] = ({} if "traffic" not in reading.raw else None, Fraction(1))
    return reading.given("traffic", parse_traffic, nothing)


def _criteria(raw: Mapping[str, Any], given: Given) -> tuple[Criterion, ...]:
    where = ("criteria",)
    written = mapping(raw["criteria"], where) if "criteria" in raw else DEFAULT_CRITERIA
    if not written:
        raise GateError(where, "there is no criterion; leave `criteria` out for the seven defaults")
    reading = Reading(written, where, written)
    read = [reading.tried(None, parse_criterion, name, row, given) for name, row in written.items()]
    reading.refuse()
    return tuple(criterion for criterion in read if criterion is not None)


def _digest(gate: Gate) -> str:
    """Of all that decides: how a number was written, and the order of criteria, make no difference."""
    rows = [
        [
            one.name, sorted(one.metric), one.compare, one.bound, str(one.threshold), sorted(one.role),
            sorted(one.suite), sorted(one.category), sorted(one.tag), one.per, one.min_cases, one.evidence,
            one.optional, one.advisory, one.seen,
        ]
        for one in sorted(gate.criteria, key=lambda one: one.name)
    ]  # fmt: skip
    traffic = sorted([category, str(share)] for category, share in gate.traffic.items())
    rest = [gate.max_errors, str(gate.confidence), traffic, sorted(gate.suites), gate.strict, gate.is_default]
    return digest([rows, rest])

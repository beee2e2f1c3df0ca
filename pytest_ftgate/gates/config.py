"""From the raw `gate:` mapping to a `Gate`; what is wrong in it is a `GateError` that says what is right."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal, get_args

from pytest_ftgate.cases import Role, digest
from pytest_ftgate.gates.criteria import Bound, Compare, Criterion, Gate, GateError, Per
from pytest_ftgate.gates.metrics import BUILTIN_METRICS, MEAN, Metric, metric_of
from pytest_ftgate.gates.raw_values import Reading, Where, flag, mapping, one_of, texts
from pytest_ftgate.gates.thresholds import parse_count, parse_share, parse_threshold

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
OWN_CRITERIA = ("other_cases", "must_pass", "every_case")
RESERVED = (*OWN_CRITERIA, "verdict")
STRICT_OPTION = "--ftgate-strict"

_GATE_KEYS = ("evidence", "confidence", "min_cases", "max_errors", "suites", "criteria")
_SELECTORS = ("role", "suite", "category", "tag")
_BOUNDS: tuple[Bound, ...] = get_args(Bound)
_COMPARES: tuple[Compare, ...] = get_args(Compare)
_PERS: tuple[Per, ...] = get_args(Per)
_ALL: tuple[str, ...] = ()
_CRITERION_KEYS = (
    "metric", "compare", *_BOUNDS, *_SELECTORS, "per", "min_cases", "evidence", "optional", "advisory",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_TIMES = re.compile(r"(latency|time_to_first_token)_", re.ASCII)


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
    reading.given("evidence", _evidence, "point")
    min_cases = reading.given("min_cases", _cases, 10)
    gate = Gate(
        criteria=reading.tried((), _criteria, raw, min_cases, metrics),
        max_errors=reading.given("max_errors", lambda value, where: parse_count(value, 0, where), 0),
        confidence=reading.given("confidence", parse_share, Fraction(95, 100)),
        suites=reading.given("suites", texts, _ALL),
        strict=any(option.partition("=")[0] == STRICT_OPTION for option in options),
        is_default="criteria" not in raw,
    )
    reading.refuse()
    return replace(gate, digest=_digest(gate))


def _criteria(raw: Mapping[str, Any], min_cases: int, metrics: Mapping[str, Metric]) -> tuple[Criterion, ...]:
    where = ("criteria",)
    written = mapping(raw["criteria"], where) if "criteria" in raw else DEFAULT_CRITERIA
    if not written:
        raise GateError(where, "there is no criterion; leave `criteria` out for the seven defaults")
    reading = Reading(written, where, written)
    read = [reading.tried(None, _criterion, name, row, min_cases, metrics) for name, row in written.items()]
    reading.refuse()
    return tuple(criterion for criterion in read if criterion is not None)


def _check_name(name: object, where: Where) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise GateError(where, "a name holds only letters, digits and `_ . -`, at most 100")
    if name in RESERVED:
        raise GateError(where, f"'{name}' is a name of ftgate's own; choose another one")


def _criterion(name: str, row: object, min_cases: int, metrics: Mapping[str, Metric]) -> Criterion:
    where = ("criteria", str(name))
    _check_name(name, where)
    reading = Reading(mapping(row, where), where, _CRITERION_KEYS)
    measured = _measured(reading, metrics)
    selectors: dict[str, Any] = {key: reading.given(key, texts, _ALL) for key in _SELECTORS}
    for role in selectors["role"]:
        reading.tried(None, one_of, role, tuple(Role), (*where, "role"))
    optional, advisory = (reading.given(key, flag, False) for key in ("optional", "advisory"))
    if optional and advisory:
        reading.errors.append(GateError(where, "`advisory` criteria never decide; leave `optional` out"))
    rest: dict[str, Any] = {
        "per": reading.given("per", lambda value, where: one_of(value, _PERS, where), None),
        "min_cases": reading.given("min_cases", _cases, min_cases),
        "evidence": reading.given("evidence", _evidence, "point"),
    }
    reading.refuse()
    return Criterion(name=name, optional=optional, advisory=advisory, **measured, **selectors, **rest)


def _measured(reading: Reading, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """What is measured, how it is compared, and with what; {} after a mistake.

    Nothing is called missing beside an unknown key, which most often is what was meant.
    """
    raw, where, misspelt = reading.raw, reading.where, bool(reading.errors)
    compare = reading.given("compare", lambda value, where: one_of(value, _COMPARES, where), "value")
    found = bound = None
    if "metric" in raw or not misspelt:
        found = reading.tried(None, _metric, raw, metrics, where)
    if not misspelt or any(key in raw for key in _BOUNDS):
        bound = reading.tried(None, _bound, raw, where)
    if found is None or bound is None:
        return {}
    names, metric = found
    if compare not in metric.compares:
        possible = " or ".join(f"`{one}`" for one in metric.compares)
        message = f"'{metric.name}' can't be compared as {compare}; it takes {possible}"
        reading.errors.append(GateError((*where, "compare"), message))
        return {}
    no_threshold = (Fraction(0), "")
    threshold, written = reading.given(
        bound, lambda value, where: parse_threshold(value, metric.unit, compare, where), no_threshold
    )
    return {"metric": names, "compare": compare, "bound": bound, "threshold": threshold, "written": written}


def _cases(raw: object, where: Where) -> int:
    return parse_count(raw, 1, where)


def _metric(raw: Mapping[str, Any], metrics: Mapping[str, Metric], where: Where) -> tuple[Where, Metric]:
    if "metric" not in raw:
        raise GateError(where, "`metric` is missing, e.g. `metric: pass_rate`")
    where = (*where, "metric")
    names = texts(raw["metric"], where)
    for name in names:
        if name in metrics and len(names) > 1:
            raise GateError(
                where, f"'{name}' can't stand in a list: a list holds names of scorers or entries"
            )
        if name.startswith(MEAN) and (len(names) > 1 or name == MEAN):
            raise GateError(
                where, f"'{name}' is not a metric: write one `{MEAN}NAME` with the name of an entry"
            )
        near = get_close_matches(name, metrics, 1, 0.6 if _TIMES.match(name) else 0.9)
        if name not in metrics and near:
            raise GateError(where, f"unknown metric '{name}'. Did you mean '{near[0]}'?")
    return names, metric_of(names, metrics)


def _bound(raw: Mapping[str, Any], where: Where) -> Bound:
    given = [bound for bound in _BOUNDS if bound in raw]
    if len(given) == 1:
        return given[0]
    problem = "both are given" if given else "neither is given"
    raise GateError(where, f"write `at_least` or `at_most`; {problem}")


def _evidence(raw: object, where: Where) -> Literal["point", "strict"]:
    evidence = one_of(raw, ("point", "strict"), where)
    if evidence == "strict":
        raise GateError(where, "strict evidence is not available yet; use point")
    return "point"


def _digest(gate: Gate) -> str:
    """Of all that decides: how a number was written, and the order of criteria, make no difference."""
    rows = [
        [
            one.name, sorted(one.metric), one.compare, one.bound, str(one.threshold), sorted(one.role),
            sorted(one.suite), sorted(one.category), sorted(one.tag), one.per, one.min_cases, one.evidence,
            one.optional, one.advisory,
        ]
        for one in sorted(gate.criteria, key=lambda one: one.name)
    ]  # fmt: skip
    rest = [gate.max_errors, str(gate.confidence), sorted(gate.suites), gate.strict, gate.is_default]
    return digest([rows, rest])

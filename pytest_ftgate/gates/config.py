"""From the raw `gate:` mapping to a `Gate`; what is wrong in it is a `GateError` that says what is right."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args

from pytest_ftgate.cases import Role, digest
from pytest_ftgate.gates.criteria import Bound, Compare, Criterion, Gate, GateError, Per
from pytest_ftgate.gates.metrics import BUILTIN_METRICS, MEAN, Metric, metric_of
from pytest_ftgate.gates.thresholds import parse_count, parse_share, parse_threshold

Where = tuple[str, ...]
_Word = TypeVar("_Word", bound=str)

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

    Numbers are the text that was written (`5%`), or numbers; raises `GateError` at the first mistake.
    """
    _mapping(raw, ())
    _check_keys(raw, _GATE_KEYS, ())
    _evidence(raw.get("evidence", "point"), ("evidence",))
    min_cases = parse_count(raw["min_cases"], 1, ("min_cases",)) if "min_cases" in raw else 10
    written = _criteria(raw) if "criteria" in raw else DEFAULT_CRITERIA
    gate = Gate(
        criteria=tuple(_criterion(name, row, min_cases, metrics) for name, row in written.items()),
        max_errors=parse_count(raw["max_errors"], 0, ("max_errors",)) if "max_errors" in raw else 0,
        confidence=parse_share(raw["confidence"], ("confidence",))
        if "confidence" in raw
        else Fraction(95, 100),
        suites=_texts(raw["suites"], ("suites",)) if "suites" in raw else (),
        strict=any(option.partition("=")[0] == STRICT_OPTION for option in options),
        is_default="criteria" not in raw,
    )
    return replace(gate, digest=_digest(gate))


def _criteria(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    where = ("criteria",)
    written = _mapping(raw["criteria"], where)
    if not written:
        raise GateError(where, "there is no criterion; leave `criteria` out for the seven defaults")
    for name in written:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise GateError((*where, str(name)), "a name holds only letters, digits and `_ . -`, at most 100")
        if name in RESERVED:
            raise GateError((*where, name), f"'{name}' is a name of ftgate's own; choose another one")
    return written


def _criterion(name: str, row: object, min_cases: int, metrics: Mapping[str, Metric]) -> Criterion:
    where = ("criteria", name)
    raw = _mapping(row, where)
    _check_keys(raw, _CRITERION_KEYS, where)
    names, metric = _metric(raw, metrics, where)
    compare = _one_of(raw.get("compare", "value"), _COMPARES, (*where, "compare"))
    if compare not in metric.compares:
        possible = " or ".join(f"`{one}`" for one in metric.compares)
        raise GateError(
            (*where, "compare"), f"'{metric.name}' can't be compared as {compare}; it takes {possible}"
        )
    bound = _bound(raw, where)
    threshold, written = parse_threshold(raw[bound], metric.unit, compare, (*where, bound))
    selectors = {key: _texts(raw[key], (*where, key)) for key in _SELECTORS if key in raw}
    for role in selectors.get("role", ()):
        _one_of(role, [one.value for one in Role], (*where, "role"))
    optional, advisory = (_flag(raw.get(key, False), (*where, key)) for key in ("optional", "advisory"))
    if optional and advisory:
        raise GateError(where, "`advisory` criteria never decide; leave `optional` out")
    return Criterion(
        name=name,
        metric=names,
        compare=compare,
        bound=bound,
        threshold=threshold,
        written=written,
        per=_one_of(raw["per"], _PERS, (*where, "per")) if "per" in raw else None,
        min_cases=parse_count(raw["min_cases"], 1, (*where, "min_cases"))
        if "min_cases" in raw
        else min_cases,
        evidence=_evidence(raw.get("evidence", "point"), (*where, "evidence")),
        optional=optional,
        advisory=advisory,
        **selectors,
    )


def _metric(raw: Mapping[str, Any], metrics: Mapping[str, Metric], where: Where) -> tuple[Where, Metric]:
    if "metric" not in raw:
        raise GateError(where, "`metric` is missing, e.g. `metric: pass_rate`")
    where = (*where, "metric")
    names = _texts(raw["metric"], where)
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
    evidence = _one_of(raw, ("point", "strict"), where)
    if evidence == "strict":
        raise GateError(where, "strict evidence is not available yet; use point")
    return "point"


def _mapping(raw: object, where: Where) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise GateError(where, f"a mapping was expected, not {_shown(raw)}")
    return raw


def _check_keys(raw: Mapping[str, Any], known: Collection[str], where: Where) -> None:
    for key in raw:
        if key not in known:
            raise GateError((*where, str(key)), f"unknown key '{key}'{_hint(str(key), known)}")


def _texts(raw: object, where: Where) -> tuple[str, ...]:
    """A text, or a list of different texts."""
    values: list[Any] = list(raw) if isinstance(raw, list | tuple) else [raw]
    for value in values:
        if not isinstance(value, str) or not value.strip():
            raise GateError(where, f"a text was expected, not {_shown(value)}")
    if not values:
        raise GateError(where, "the list is empty")
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise GateError(where, f"'{twice}' stands twice in the list")
    return tuple(values)


def _one_of(raw: object, known: Sequence[_Word], where: Where) -> _Word:
    for value in known:
        if raw == value:
            return value
    near = get_close_matches(str(raw), known, 1)
    hint = f". Did you mean '{near[0]}'?" if near else ""
    raise GateError(where, f"{_shown(raw)} is none of {' | '.join(known)}{hint}")


def _flag(raw: object, where: Where) -> bool:
    if isinstance(raw, bool):
        return raw
    if raw in ("true", "false"):
        return raw == "true"
    raise GateError(where, f"write true or false, not {_shown(raw)}")


def _hint(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f". Did you mean '{near[0]}'?" if near else f"; known are {', '.join(known)}"


def _shown(raw: object) -> str:
    if raw is None or raw == "":
        return "nothing"
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, Mapping):
        return "a mapping"
    return "a list" if isinstance(raw, list | tuple) else f"'{raw}'"


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

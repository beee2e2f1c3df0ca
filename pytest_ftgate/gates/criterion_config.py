"""From one raw criterion to a `Criterion`; what is wrong in it is a `GateError` that says what is right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, get_args

from pytest_ftgate.cases import Role
from pytest_ftgate.gates.criteria import Bound, Compare, Criterion, Evidence, GateError, Per
from pytest_ftgate.gates.metrics import FAMILIES, MEAN, Metric, metric_of
from pytest_ftgate.gates.raw_values import Reading, Where, flag, mapping, one_of, texts
from pytest_ftgate.gates.strata import Traffic
from pytest_ftgate.gates.thresholds import parse_count, parse_threshold

OWN_CRITERIA = ("other_cases", "must_pass", "every_case")
RESERVED = (*OWN_CRITERIA, "verdict")

_SELECTORS = ("role", "suite", "category", "tag")
_BOUNDS: tuple[Bound, ...] = get_args(Bound)
_COMPARES: tuple[Compare, ...] = get_args(Compare)
_PERS: tuple[Per, ...] = get_args(Per)
_EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)
_ALL: tuple[str, ...] = ()
_CRITERION_KEYS = (
    "metric", "compare", *_BOUNDS, *_SELECTORS, "per", "seen", "min_cases", "evidence",
    "optional", "advisory",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_ANSWERS = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_TIMES = re.compile(r"(latency|time_to_first_token)_", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the gate says once for all of its criteria, and the metrics that they can name.

    `traffic` is None after a mistake in it, so that nobody is told that it is missing.
    """

    min_cases: int
    evidence: Evidence
    traffic: Traffic | None
    metrics: Mapping[str, Metric]


def _check_name(name: object, where: Where) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise GateError(where, "a name holds only letters, digits and `_ . -`, at most 100")
    if name in RESERVED:
        raise GateError(where, f"'{name}' is a name of ftgate's own; choose another one")


def parse_criterion(name: str, row: object, given: Given) -> Criterion:
    """One criterion from its raw mapping; raises `GateError` with all mistakes."""
    where = ("criteria", str(name))
    _check_name(name, where)
    reading = Reading(mapping(row, where), where, _CRITERION_KEYS)
    measured = _measured(reading, given.metrics)
    selectors: dict[str, Any] = {key: reading.given(key, texts, _ALL) for key in _SELECTORS}
    for role in selectors["role"]:
        reading.tried(None, one_of, role, tuple(Role), (*where, "role"))
    optional, advisory = (reading.given(key, flag, False) for key in ("optional", "advisory"))
    if optional and advisory:
        reading.errors.append(GateError(where, "`advisory` criteria never decide; leave `optional` out"))
    rest: dict[str, Any] = {
        "per": reading.given("per", lambda value, where: one_of(value, _PERS, where), None),
        "seen": reading.given("seen", _tag, ""),
        "min_cases": reading.given("min_cases", parse_cases, given.min_cases),
        "evidence": reading.given("evidence", parse_evidence, given.evidence),
    }
    reading.refuse()
    criterion = Criterion(name=name, optional=optional, advisory=advisory, **measured, **selectors, **rest)
    refuses = metric_of(criterion.metric, given.metrics).split.refuses
    if given.traffic is not None and (wrong := refuses(criterion, given.traffic)):
        raise GateError(where, wrong)
    return criterion


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


def parse_cases(raw: object, where: Where) -> int:
    """A least number of cases."""
    return parse_count(raw, 1, where)


def parse_evidence(raw: object, where: Where) -> Evidence:
    """What decides: the estimate, or what its bounds show."""
    return one_of(raw, _EVIDENCE, where)


def _tag(raw: object, where: Where) -> str:
    tags = texts(raw, where)
    if len(tags) > 1:
        raise GateError(where, "one tag was expected, not a list")
    return tags[0]


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
        _check_family(name, len(names) > 1, where)
        near = get_close_matches(name, metrics, 1, 0.6 if _TIMES.match(name) else 0.9)
        if name not in metrics and near:
            raise GateError(where, f"unknown metric '{name}'. Did you mean '{near[0]}'?")
    return names, metric_of(names, metrics)


def _check_family(name: str, in_list: bool, where: Where) -> None:
    """Names of two parts stand alone; those that count answers have a whole number behind their colon."""
    if name.startswith(MEAN) and (in_list or name == MEAN):
        raise GateError(where, f"'{name}' is not a metric: write one `{MEAN}NAME` with the name of an entry")
    for family in (family for family in FAMILIES if family != MEAN):
        first, _, k = name.partition(":")
        if f"{first}:" == family and (in_list or not _ANSWERS.fullmatch(k)):
            message = (
                f"'{name}' is not a metric: write one `{family}K` with a whole number from 1, e.g. {family}3"
            )
            raise GateError(where, message)


def _bound(raw: Mapping[str, Any], where: Where) -> Bound:
    given = [bound for bound in _BOUNDS if bound in raw]
    if len(given) == 1:
        return given[0]
    problem = "both are given" if given else "neither is given"
    raise GateError(where, f"write `at_least` or `at_most`; {problem}")

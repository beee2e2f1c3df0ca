"""A measurement in words, as the reason of a criterion tells it. Nothing here judges."""

from __future__ import annotations

import math
from fractions import Fraction

from pytest_ftgate.gates.criteria import Criterion
from pytest_ftgate.gates.evidence import looks_down
from pytest_ftgate.gates.measuring import Measurement
from pytest_ftgate.gates.metrics import MEAN, Metric
from pytest_ftgate.gates.thresholds import Unit, amount_text, percent_text, points_text
from pytest_ftgate.summary.case_results import exact


def told(criterion: Criterion, metric: Metric, found: Measurement) -> str:
    """The measurement: `+5 points on 40 cases (from 80% to 85%)`."""
    assert found.observed is not None
    value = value_text(criterion, metric, found.observed)
    times = " the baseline" if criterion.compare == "ratio" else ""
    detail = found.detail or _sides(criterion, metric, found) or metric.split.detail(found.parts)
    return " ".join([f"{value}{times} on {counted(found.n, metric)}", *filter(None, [detail])])


def bound_text(
    criterion: Criterion, metric: Metric, found: Measurement, bound: float, confidence: float
) -> str:
    """The bound that decides: `at least 87.3% with 95% confidence`."""
    assert found.observed is not None
    side = "at least" if looks_down(criterion, found.observed) else "at most"
    if math.isinf(bound):
        side = "an upper" if bound > 0 else "a lower"
        return f"without {side} bound at {percent_text(exact(confidence))} confidence"
    value = value_text(criterion, metric, exact(bound))
    return f"{side} {value} with {percent_text(exact(confidence))} confidence"


def value_text(criterion: Criterion, metric: Metric, value: Fraction) -> str:
    """A value, delta or ratio in the words of its unit: `85%`, `+5 points`, `1.2 times`, `+0.25 s`.

    A mean score whose threshold was written as a number, such as 0.7, is told as one.
    """
    if criterion.compare == "ratio":
        return f"{amount_text(value, 'number', criterion.threshold)} times"
    is_difference = criterion.compare == "delta" or metric.split.contrast
    unit = _unit(criterion, metric)
    if unit == "rate" and is_difference:
        return f"{points_text(value, criterion.threshold)} points"
    sign = "+" if is_difference and value > 0 else ""
    return f"{sign}{amount_text(value, unit, criterion.threshold)}"


def _unit(criterion: Criterion, metric: Metric) -> Unit:
    is_plain_mean = criterion.metric[0].startswith(MEAN) and "%" not in criterion.written
    return "number" if metric.is_coefficient or is_plain_mean else metric.unit


def counted(n: int, metric: Metric) -> str:
    """So many cases, calls or reviewed cases."""
    return f"{n} {metric.noun if n != 1 else metric.noun.removesuffix('s')}"


def _sides(criterion: Criterion, metric: Metric, found: Measurement) -> str:
    if found.model is None or found.baseline is None:
        return ""
    baseline, model = (amount_text(side, _unit(criterion, metric)) for side in (found.baseline, found.model))
    return f"(from {baseline} to {model})"

"""Numbers as people read them: percent, points, seconds. Rounding never turns a miss into a hit.

An exact value is never shown as 100 %, 0 % or its threshold unless it is just that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from pytest_ftgate.gates import CriterionResult

NOTHING = "-"

#: Bounds nearer than this are shown with a decimal.
_CLOSE = 0.1

_SECONDS = re.compile(r"(?:latency|time_to_first_token)_p\d+")
_PLAIN = {"tokens", "cost", "perplexity"}
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,30})?", re.ASCII)


def percent(rate: Fraction | float | None) -> str:
    """A rate 0…1 as percent with one decimal: `83.3%`, `-` for nothing measured."""
    if rate is None:
        return NOTHING
    shown = fixed(Fraction(rate) * 100, 1)
    if shown == "100.0" and rate < 1:
        return ">99.9%"
    if shown == "0.0" and rate > 0:
        return "<0.1%"
    return f"{shown}%"


def points(delta: Fraction | float | None) -> str:
    """A difference of rates in percentage points: `+16.0`; even a tiny one keeps its sign: `-0.0`."""
    if delta is None:
        return NOTHING
    sign = "-" if delta < 0 else "+" if delta > 0 else ""
    return sign + fixed(abs(Fraction(delta)) * 100, 1)


def percent_interval(bounds: tuple[float, float]) -> str:
    """Bounds of a rate in whole percent, with a decimal where they are close: `[44%, 97%]`."""
    return _bracketed(bounds, _whole_percent, percent)


def points_interval(bounds: tuple[float, float]) -> str:
    """Bounds of a difference in whole points, with a decimal where they are close: `[+9, +35]`."""
    return _bracketed(bounds, _whole_points, points)


def share(value: Fraction | float) -> str:
    """A share that was configured, as short as it can be: `95%`, `97.5%`."""
    return f"{float(value) * 100:.10g}%"


def p_value(p: float | None) -> str:
    """A p-value with three decimals: `0.289`, `<0.001`, `-` for none."""
    if p is None:
        return NOTHING
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def amount(value: Fraction | float, bounds: tuple[float, float] | None = None, *, digits: int = 3) -> str:
    """A quantity from 0, with so many digits that count, and its bounds: `1.05 [0.98, 1.12]`."""
    size = float(value)
    decimals = min(max(digits - 1 - math.floor(math.log10(size)), 0), 6) if size > 0 else 0
    shown = fixed(value, decimals)
    if bounds is None:
        return shown
    low, high = (fixed(bound, decimals) for bound in bounds)
    return f"{shown} [{low}, {high}]"


def count(value: Fraction | float) -> str:
    """A count that repeats may have made fractional: `5`, `4.67`."""
    return str(int(value)) if value == int(value) else fixed(value, 2)


def observed(result: CriterionResult) -> str:
    """What was observed, in the unit of the metric, with enough decimals to tell it from the threshold."""
    value = result.observed
    if value is None or not math.isfinite(value):
        return NOTHING
    scale, unit, least = _unit(result)
    scaled = value * scale
    shown = fixed(scaled, least)
    for decimals in range(least + 1, 6):
        if not _looks_like_threshold(shown, scaled, result, scale):
            break
        shown = fixed(scaled, decimals)
    sign = "+" if result.compare == "delta" and value > 0 else ""
    return f"{sign}{shown}{unit}"


def observed_interval(result: CriterionResult) -> str:
    """The interval of what was observed, in the unit of the metric; empty where nothing bounds it."""
    bounds = result.interval
    if bounds is None or not all(map(math.isfinite, bounds)):
        return ""
    scale, unit, decimals = _unit(result)
    if unit == "%":
        return percent_interval(bounds)
    if scale == 100:
        return f"{points_interval(bounds)} points"
    low, high = (fixed(bound, decimals) for bound in bounds)
    return f"[{low}, {high}]{unit}"


def fixed(value: Fraction | float, decimals: int) -> str:
    """`value` with so many decimals, rounded half to even from its exact value."""
    exact = Fraction(value) * 10**decimals
    scaled = Decimal(round(exact))  # round() of a Fraction is exact, half to even
    return f"{scaled.scaleb(-decimals).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN):f}"


def _bracketed(
    bounds: tuple[float, float], whole: Callable[[float], str], finer: Callable[[float], str]
) -> str:
    form = finer if bounds[1] - bounds[0] < _CLOSE else whole
    return f"[{', '.join(map(form, bounds))}]"


def _whole_percent(rate: float) -> str:
    if 0 < rate < 1 and round(rate, 2) in (0, 1):
        return "<1%" if rate < 0.5 else ">99%"
    return f"{rate * 100:.0f}%"


def _whole_points(delta: float) -> str:
    """With a sign, even where it is next to nothing: `-0` lies below no change at all."""
    return f"{delta * 100:+.0f}" if delta else "0"


#: Agreement beyond chance is no share of anything.
_COEFFICIENTS = ("agreement", "judge_agreement")


def _unit(result: CriterionResult) -> tuple[int, str, int]:
    """Factor, unit and least decimals."""
    metric = result.metric[0] if result.metric else ""
    if result.compare == "ratio":
        return 1, "x", 2
    if _SECONDS.fullmatch(metric):
        return 1, " s", 3
    if metric in _PLAIN:
        return 1, "", 2
    if "%" not in result.threshold and metric.startswith("mean:"):
        return 1, "", 3
    if metric in _COEFFICIENTS:
        return 1, "", 2
    return (100, " points", 1) if result.compare == "delta" else (100, "%", 1)


def _looks_like_threshold(shown: str, scaled: Fraction | float, result: CriterionResult, scale: int) -> bool:
    found = _NUMBER.search(result.threshold)
    if found is None:
        return False
    threshold = Fraction(found.group()) * (1 if "%" in result.threshold else scale)
    return Fraction(shown) == threshold != Fraction(scaled)

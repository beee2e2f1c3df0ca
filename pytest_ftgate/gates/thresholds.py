"""Numbers of the gate: from the text that was written to exact fractions, and back to text for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from pytest_ftgate.gates.criteria import Compare, GateError
from pytest_ftgate.gates.raw_values import mapping

Unit = Literal["rate", "seconds", "number"]

_NUMBER = re.compile(r"([+-]?(?:\d{1,15}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?)\s?(%?)", re.ASCII)
#: As far as shares that were rounded may be off 100% together.
_ROUNDED = Fraction(2, 100)
#: A surer bound would lie beyond the last of a thousand resamples.
_SUREST = Fraction(999, 1000)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


def parse_threshold(
    raw: object, unit: Unit, compare: Compare, where: tuple[str, ...]
) -> tuple[Fraction, str]:
    """The exact threshold and the text that was written for it; a `GateError` says what would be right."""
    value, written, percent = _number(raw, where)
    is_rate = unit == "rate" and compare != "ratio"
    if percent and not is_rate:
        what = "a ratio" if compare == "ratio" else "this metric"
        raise GateError(where, f"{written} is a percentage, but {what} takes a plain number, e.g. 2")
    if compare == "ratio" and value <= 0:
        raise GateError(where, f"{written} is not a ratio: write a number above 0, e.g. 2")
    if value < 0 and compare != "delta":
        raise GateError(where, f"{written} is negative: that takes `compare: delta`, else a number from 0")
    if is_rate:
        _check_rate(value, written, percent, compare, where)
    return value, written


def parse_confidence(raw: object, where: tuple[str, ...]) -> Fraction:
    """A confidence above 1/2, up to 99.9%, as 0.95 or 95%."""
    value, written, _ = _number(raw, where)
    if not 0 < value < 1:
        raise GateError(where, f"{written} is not between 0 and 1: write e.g. 0.95 or 95%")
    if value <= Fraction(1, 2):
        raise GateError(where, f"{written} is too low: write the chance of being right, e.g. 0.95 or 95%")
    if value > _SUREST:
        raise GateError(where, f"{written} is more than any suite can show: write at most 99.9%, e.g. 95%")
    return value


def parse_traffic(raw: object, where: tuple[str, ...]) -> tuple[dict[str, Fraction], Fraction]:
    """Each category's share of the traffic, scaled to add up to 1 where they were rounded; the sum before."""
    written = mapping(raw, where)
    if not written:
        raise GateError(where, "the share of each category is missing, e.g. {simple: 70%, edge_case: 30%}")
    shares: dict[str, Fraction] = {}
    for category, share in written.items():
        if not isinstance(category, str):
            raise GateError(
                where, f"a category is a text, and {_shown(category)} is none: write it in quotes"
            )
        shares[category] = _number(share, (*where, category))[0]
        if not 0 <= shares[category] <= 1:
            raise GateError((*where, category), f"{share} is not a share: write e.g. 0.3 or 30%")
    together = sum(shares.values(), Fraction(0))
    if abs(together - 1) > _ROUNDED:
        raise GateError(where, f"the shares add up to {_plain(together * 100)}%, and have to make 100%")
    return {category: share / together for category, share in shares.items()}, together


def parse_count(raw: object, least: int, where: tuple[str, ...]) -> int:
    """A whole number from `least`."""
    text = str(raw).strip()
    if not _WHOLE.fullmatch(text):
        raise GateError(where, f"{_shown(raw)} is not a whole number from {least}")
    if int(text) < least:
        raise GateError(where, f"{text} is too small: write a whole number from {least}")
    return int(text)


def _number(raw: object, where: tuple[str, ...]) -> tuple[Fraction, str, bool]:
    """Value, text, and whether it was written in percent."""
    if raw is None or raw == "":
        raise GateError(where, "the number is missing: write e.g. 85% or 0.85")
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise GateError(where, f"{_shown(raw)} is not a number: write e.g. 85% or 0.85")
    written = str(raw).strip()
    found = _NUMBER.fullmatch(written)
    if found is None:
        raise GateError(where, f"{_shown(raw)} is not a finite number: write e.g. 85% or 0.85")
    percent = bool(found[2])
    return Fraction(found[1]) / (100 if percent else 1), written, percent


def _check_rate(
    value: Fraction, written: str, percent: bool, compare: Compare, where: tuple[str, ...]
) -> None:
    bare = written.rstrip("% ").lstrip("+-")
    sign = "-" if value < 0 else ""
    if compare == "value" and percent and 0 < value < Fraction(1, 100):
        meant = _plain(value * 10000)
        raise GateError(
            where, f"{written} is less than one percent; probably {meant}%: write {meant}% or {bare}"
        )
    if abs(value) <= 1:
        return
    if percent or abs(value) > 100:
        raise GateError(where, f"{written} is not a rate: rates go from 0 to 1, or from 0% to 100%")
    raise GateError(where, f"{written} is not a rate: write {sign}{bare}% or {_plain(value / 100)}")


def _plain(value: Fraction) -> str:
    try:
        return f"{float(value):.12g}"
    except OverflowError:  # the ratio of two floats may be beyond all floats
        return f"{Decimal(value.numerator) / value.denominator:.6e}"


def _shown(raw: Any) -> str:
    """The user's own text; what is empty, or no text at all, says so."""
    if raw is None or raw == "":
        return "nothing"
    if isinstance(raw, Mapping):
        return "a mapping"
    if isinstance(raw, list | tuple):
        return "a list"
    return str(raw).lower() if isinstance(raw, bool) else str(raw)


def percent_text(rate: Fraction, threshold: Fraction | None = None) -> str:
    """A rate as percent: 83.3%; with more decimals where rounding would show the threshold itself."""
    return f"{_decimal(rate * 100, None if threshold is None else threshold * 100)}%"


def points_text(delta: Fraction, threshold: Fraction | None = None) -> str:
    """A difference of rates in percentage points with its sign: +5, -22.2."""
    text = _decimal(delta * 100, None if threshold is None else threshold * 100)
    return f"+{text}" if delta > 0 else text


def amount_text(value: Fraction, unit: Unit, threshold: Fraction | None = None) -> str:
    """A value in the unit of its metric."""
    if unit == "rate":
        return percent_text(value, threshold)
    return f"{_decimal(value, threshold, 3)}{' s' if unit == 'seconds' else ''}"


def _decimal(value: Fraction, threshold: Fraction | None, decimals: int = 1) -> str:
    """Rounded, but never onto nothing, all or a threshold that it is not."""
    rounded = next(
        (
            shown
            for places in range(decimals, 12)
            if (shown := round(value, places)) not in (0, 100, threshold)
        ),
        value,
    )
    return _plain(value if value in (0, 100, threshold) else rounded)

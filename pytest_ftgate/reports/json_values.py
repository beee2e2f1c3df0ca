"""Values as JSON has them: finite numbers, builtins in a fixed order. The same value gives the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any


def number(value: Fraction | float | None) -> float | int | None:
    """A finite JSON number; whole ones without a decimal point, so that equal values have equal bytes."""
    if value is None or not _is_finite(value):
        return None
    return int(value) if value == int(value) else float(value)


def _is_finite(value: Fraction | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a fraction beyond all floats
        return False


def plain(value: Any) -> Any:
    """Builtins in a fixed order: mappings by key, sequences as lists, what is not finite as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float | Fraction):
        return number(value)
    return value

"""Lengths of time as people write them: `90s`, `30m`, `2h`, `1h30m`, `7d`."""

from __future__ import annotations

import re

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> float:
    """Seconds, more than 0; raises ValueError for anything but numbers with a unit each."""
    if not re.fullmatch(r"(?:\d{1,6}[smhd])+", text, re.ASCII):
        raise ValueError(f"'{text}' is not a length of time; write such as 90s, 30m, 2h or 1d")
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhd])", text))
    if not seconds:
        raise ValueError(f"'{text}' is no time at all; write such as 90s, 30m, 2h or 1d")
    return float(seconds)

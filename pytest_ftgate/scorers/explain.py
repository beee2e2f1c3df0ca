"""How scorers quote answers and references: short, on one line, control characters inert."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pytest_ftgate.scores import Score

TEXT_LIMIT = 200
EXPLANATION_LIMIT = 4000
_MOST_LISTED = 6

#: Scores are sums and quotients of floats; a threshold is met if it is missed by no more than rounding.
ROUNDING = 1e-9


def quote(text: str, limit: int = TEXT_LIMIT) -> str:
    """The text as a literal: `'Lyon'`, long ones cut and their length named."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}… ({len(text)} characters)"


def quote_pattern(pattern: str) -> str:
    r"""A regular expression as it is written, its backslashes too: `'(?i)\bApril'`."""
    shown = printable(pattern[:TEXT_LIMIT])
    mark = '"' if "'" in shown and '"' not in shown else "'"
    return f"{mark}{shown}{mark}" + (f"… ({len(pattern)} characters)" if len(pattern) > TEXT_LIMIT else "")


def show(value: object, limit: int = TEXT_LIMIT) -> str:
    """Any JSON value: texts quoted, all else as JSON."""
    if isinstance(value, str):
        return quote(value, limit)
    text = printable(json.dumps(value, ensure_ascii=False, default=repr))
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def show_any(values: Sequence[object]) -> str:
    """What was expected: one value, or `one of` the first few."""
    limit = 60 if len(values) > 1 else TEXT_LIMIT
    return _listed([show(value, limit) for value in values[:_MOST_LISTED]], len(values))


def quote_patterns(patterns: Sequence[str]) -> str:
    """The same of regular expressions."""
    return _listed([quote_pattern(pattern) for pattern in patterns[:_MOST_LISTED]], len(patterns))


def _listed(shown: Sequence[str], total: int) -> str:
    if total == 1:
        return shown[0]
    return f"one of {', '.join(shown)}" + (f", … ({total})" if total > len(shown) else "")


def printable(text: str) -> str:
    """The text with everything escaped that a terminal could take for more than a character."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def bounded(explanation: str) -> str:
    """An explanation of at most `EXPLANATION_LIMIT` characters."""
    if len(explanation) <= EXPLANATION_LIMIT:
        return explanation
    return f"{explanation[:EXPLANATION_LIMIT]}… ({len(explanation)} characters)"


def short_path(filename: str) -> str:
    """A path relative to the working directory if it lies below."""
    try:
        return Path(filename).relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return filename


def number(value: float) -> str:
    """A measured number, in as many digits as one reads: 0.8571, 12.5, 3."""
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def meets(value: float, at_least: float) -> bool:
    """Whether `value` reaches the threshold: inclusive, and 0.1 + 0.2 reaches 0.3."""
    return value >= at_least - ROUNDING


@lru_cache(maxsize=256)
def verdict(scorer: str, passed: bool, said: str) -> Score:
    """A score of 1 or 0, its explanation headed by the scorer's name.

    Both arms often answer the same: then it is one object.
    """
    return Score(scorer=scorer, value=1.0 if passed else 0.0, passed=passed, explanation=f"{scorer}: {said}")


def best(scores: Sequence[Score]) -> Score:
    """The best of several scores, the first of equals."""
    return max(scores, key=lambda score: (score.passed, score.value))

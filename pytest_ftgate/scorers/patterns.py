"""Regular expressions of users, searched in answers with a time limit; the only importer of `regex`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers.explain import quote_pattern

if TYPE_CHECKING:
    import regex

#: Seconds for one search in one answer.
SEARCH_LIMIT_S = 2.0
_PROBE_LIMIT_S = 0.5
#: `regex` writes out the least number of repetitions: ((a{1000}){1000}){1000} would take all memory there is.
_MAX_WRITTEN_OUT = 100_000
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(?P<least>\d+)(?:,\d*)?\}|[()]|[^()]", re.DOTALL)
#: They have nothing in common: what finds something in each, and in its own words, finds it in anything.
_PROBES = ("", "a", "Z", "0", " ", "\n", "-", "é", "世", "Sorry, 12345 of it!\nNo.", "xyz " * 50)


@lru_cache(maxsize=512)
def compiled(pattern: str) -> regex.Pattern[str]:
    """The pattern in the syntax of `re`, which `regex` extends; raises `regex.error`."""
    import regex  # noqa: PLC0415 (loaded when used)

    return regex.compile(pattern)


def search(
    pattern: str, text: str, *, last: bool = False, limit_s: float = SEARCH_LIMIT_S
) -> regex.Match[str] | None:
    """The first (or last) place where the pattern matches.

    Other threads run meanwhile. Raises ScorerError when the time is up.
    """
    try:
        if not last:
            return compiled(pattern).search(text, timeout=limit_s, concurrent=True)
        found = None
        for found in compiled(pattern).finditer(text, timeout=limit_s, concurrent=True):  # noqa: B007
            pass
    except TimeoutError:
        raise ScorerError(
            f"the pattern {quote_pattern(pattern)} took longer than {limit_s:g} s on an answer of "
            f"{len(text)} characters; write it without nested repetition"
        ) from None
    return found


def check_pattern(pattern: object) -> str | None:
    """What is wrong with a pattern: not text, blank, not a regular expression, or it matches everything."""
    import regex  # noqa: PLC0415 (loaded when used)

    if not isinstance(pattern, str):
        return f"the pattern must be text, not {pattern!r}"
    if _written_out(pattern) > _MAX_WRITTEN_OUT:
        most = f"{_MAX_WRITTEN_OUT:,} times"
        return f"the pattern {quote_pattern(pattern)} repeats more than {most}; use smaller counts"
    try:
        compiled(pattern)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        return f"the pattern {quote_pattern(pattern)} is not a regular expression: {error}"
    if _matches_all(pattern, (*_PROBES, *regex.findall(r"\w+", pattern))):
        return f"the pattern {quote_pattern(pattern)} matches everything; anchor it or use a stricter one"
    return None


def _matches_all(pattern: str, probes: Iterable[str]) -> bool:
    try:
        return all(compiled(pattern).search(probe, timeout=_PROBE_LIMIT_S) for probe in probes)
    except TimeoutError:
        return False


def _written_out(pattern: str) -> int:
    """About how many parts the pattern has with its repetitions written out."""
    groups, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        if token[0] == "(":
            groups.append(0)
            last = 0
        elif token[0] == ")" and len(groups) > 1:
            last = groups.pop() + 1
            groups[-1] += last
        elif token["least"]:
            groups[-1] += last * (int(token["least"][:9]) - 1)
            last *= int(token["least"][:9])
        else:
            last = 1
            groups[-1] += 1
    return sum(groups)

"""The scorer `numeric`: the number that an answer ends in, compared exactly or within a tolerance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pytest_ftgate.scorers.explain import quote, show, verdict
from pytest_ftgate.scorers.options import as_list, check_limit, first_problem
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

_CURRENCY = "$€£¥₹₩₽¢"
#: A sign counts only where no operand stands before it: 7-3 ends in 3, "= -3" in -3. Digits inside words
#: (GPT4, x2) are no numbers; a point or comma that no digit follows is punctuation.
_NUMBER = re.compile(
    rf"""
    (?<![\w.])(?<![\d),.][{_CURRENCY}])
    (?P<sign>(?<![\w)\]])[-+\u2212\u2013])?[ ]?[{_CURRENCY}]?[ ]?(?P<inner>(?<=[{_CURRENCY}])[-\u2212])?
    (?P<digits>\d{{1,3}}(?:,\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
    (?P<power>[eE][-+]?\d{{1,3}}(?!\w))?
    """,
    re.VERBOSE,
)


def numbers_in(text: str) -> list[Decimal]:
    """All numbers of a text in order: thousands separators, currency signs and % are dropped."""
    return [number for found in _NUMBER.finditer(text) if (number := _value(found)) is not None]


def parse_number(value: object) -> Decimal | None:
    """The one number that a reference is, written as a number or as text (`$1,200`); None if it is none."""
    if isinstance(value, bool):
        return None
    text = str(value).strip().rstrip("%").strip()
    found = _NUMBER.fullmatch(text)
    return _value(found) if found else None


def _value(found: re.Match[str]) -> Decimal | None:
    sign = "-" if (found["sign"] or found["inner"] or "+") in "-\u2212\u2013" else ""
    try:
        number = Decimal(sign + found["digits"].replace(",", "") + (found["power"] or ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _numeric(options: Mapping[str, Any], subject: Subject) -> Score:
    marker = options.get("after")
    got = _chosen(subject.text, marker)
    if got is None:
        wanted = f"no number after {quote(marker)}" if marker else "no number"
        return verdict("numeric", False, f"{wanted} in {quote(subject.text)}, expected {_wanted(options)}")
    passed = any(_close(got, parse_number(value), options) for value in as_list(options["reference"]))
    ending = "as expected: " if passed else "expected "
    return verdict(
        "numeric", passed, f"got {_shown(got)} in {quote(subject.text)}, {ending}{_wanted(options)}"
    )


def _chosen(text: str, marker: str | None) -> Decimal | None:
    """The first number after the marker's last occurrence; without a marker the last number."""
    if marker is None:
        return next(reversed(numbers_in(text)), None)
    _, found, rest = text.rpartition(marker)
    return next(iter(numbers_in(rest)), None) if found else None


def _close(got: Decimal, reference: Decimal | None, options: Mapping[str, Any]) -> bool:
    if reference is None:
        return False
    absolute, relative = (Decimal(str(options.get(name, 0))) for name in ("abs", "rel"))
    return abs(got - reference) <= max(absolute, relative * abs(reference))


def _shown(number: Decimal) -> str:
    return f"{number:f}" if abs(number.adjusted()) < 20 else f"{number:.6g}"


def _wanted(options: Mapping[str, Any]) -> str:
    values = " or ".join(str(value) for value in as_list(options["reference"]))
    within = ", ".join(f"{name} {options[name]:g}" for name in ("abs", "rel") if options.get(name))
    return f"{values} within {within}" if within else values


def _check(options: Mapping[str, Any]) -> str | None:
    values = as_list(options.get("reference"))
    wrong = next((value for value in values if parse_number(value) is None), None)
    return first_problem(
        None if values else "'reference' is an empty list; give at least one number",
        f"'reference' is {show(wrong)}, which is not a number" if values and wrong is not None else None,
        None
        if options.get("after") != ""
        else "'after' is empty; leave it out or give the text before the number",
        check_limit(options, "abs"),
        check_limit(options, "rel"),
    )


_NUMERIC = {"type": ["number", "string"]}
_TOLERANCE = {"type": "number", "minimum": 0}

SCORERS = (
    ScorerSpec(
        name="numeric",
        doc="The last number of the answer (or the first one after `after`) equals the reference.",
        score=_numeric,
        options={
            "reference": Option(
                schema={"anyOf": [_NUMERIC, {"type": "array", "items": _NUMERIC, "minItems": 1}]},
                text=True,
                doc="The expected number, `$1,200` and `5 %` too; a list means any of them.",
            ),
            "after": Option(
                schema={"type": "string", "minLength": 1},
                text=True,
                doc="Text before the number; its last occurrence counts, and an answer without it fails.",
            ),
            "abs": Option(
                schema={"type": "number", "minimum": 0}, doc="Allowed absolute difference. Default: 0."
            ),
            "rel": Option(
                schema=_TOLERANCE,
                doc="Allowed difference as a share of the reference. Default: 0. The wider one counts.",
            ),
        },
        main="reference",
        required=("reference",),
        check=_check,
    ),
)

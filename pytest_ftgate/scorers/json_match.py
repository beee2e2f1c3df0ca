"""The scorer `json_match`: the answer's JSON against a reference, with tolerance, subset and free order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.scorers.explain import quote, show, verdict
from pytest_ftgate.scorers.json_values import NotJsonError, parse_json
from pytest_ftgate.scorers.matching import unmatched
from pytest_ftgate.scorers.options import EXTRACT, check_limit
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

Path = tuple[str, ...]
_MAX_FREE_ORDER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """How values are compared; `tolerance` maps dotted paths (`items.*.price`) to absolute differences."""

    subset: bool
    ignore_order: bool
    tolerance: Mapping[Path, float]

    def difference(self, wanted: Any, got: Any, path: Path = ()) -> str | None:
        """The first difference in words, or None."""
        if isinstance(wanted, dict) and isinstance(got, dict):
            return self._of_objects(wanted, got, path)
        if isinstance(wanted, list) and isinstance(got, list):
            return self._of_lists(wanted, got, path)
        if self._equal(wanted, got, path):
            return None
        return f"at {_dotted(path)}: got {show(got)}, expected {show(wanted)}"

    def _of_objects(self, wanted: dict[str, Any], got: dict[str, Any], path: Path) -> str | None:
        for key, value in wanted.items():
            if key not in got:
                return f"at {_dotted((*path, key))}: nothing, expected {show(value)}"
            found = self.difference(value, got[key], (*path, key))
            if found:
                return found
        extra = next((key for key in got if key not in wanted), None)
        if extra is None or self.subset:
            return None
        return f"at {_dotted((*path, extra))}: got {show(got[extra])}, expected nothing"

    def _of_lists(self, wanted: Sequence[Any], got: Sequence[Any], path: Path) -> str | None:
        if len(wanted) != len(got):
            counts = f"got {len(got)} elements {show(got)}, expected {len(wanted)} {show(wanted)}"
            return f"at {_dotted(path)}: {counts}"
        if self.ignore_order and len(wanted) <= _MAX_FREE_ORDER:
            return self._of_bags(wanted, got, path)
        pairs = enumerate(zip(wanted, got, strict=True))
        return next((d for i, (w, g) in pairs if (d := self.difference(w, g, (*path, str(i))))), None)

    def _of_bags(self, wanted: Sequence[Any], got: Sequence[Any], path: Path) -> str | None:
        def fits(i: int, j: int) -> bool:
            return self.difference(wanted[i], got[j], (*path, "*")) is None

        missing, surplus = unmatched(len(wanted), len(got), fits)
        if not missing:
            return None
        # The only one left on both sides: its inner difference says more than the two values.
        inner = (
            self.difference(wanted[missing[0]], got[surplus[0]], (*path, "*")) if len(missing) == 1 else None
        )
        return inner or f"at {_dotted(path)}: no element {show(wanted[missing[0]])} in {show(got)}"

    def _equal(self, wanted: Any, got: Any, path: Path) -> bool:
        if isinstance(wanted, bool) or isinstance(got, bool):
            return wanted is got
        if isinstance(wanted, int | float) and isinstance(got, int | float):
            return wanted == got or abs(wanted - got) <= self._allowed(path)
        return type(wanted) is type(got) and bool(wanted == got)

    def _allowed(self, path: Path) -> float:
        return max(
            (limit for pattern, limit in self.tolerance.items() if _covers(pattern, path)), default=0.0
        )


def _covers(pattern: Path, path: Path) -> bool:
    """Whether a tolerance stands for this place: the empty pattern for all, `*` for any one key or index."""
    if not pattern:
        return True
    same = (p in ("*", key) or key == "*" for p, key in zip(pattern, path, strict=False))
    return len(pattern) == len(path) and all(same)


def _dotted(path: Path) -> str:
    return ".".join(path) if path else "the top"


def _tolerances(value: Any) -> dict[Path, float]:
    if isinstance(value, Mapping):
        return {tuple(path.split(".")): limit for path, limit in value.items()}
    return {(): value} if value is not None else {}


def _reference(options: Mapping[str, Any]) -> Any:
    """The reference; text that is a JSON object or array (a CSV cell can be nothing else) is read as one."""
    value = options["reference"]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return parse_json(value)
        except NotJsonError:
            return value
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _json_match(options: Mapping[str, Any], subject: Subject) -> Score:
    try:
        got = parse_json(subject.text, extract=options.get("extract", False))
    except NotJsonError as error:
        return verdict("json_match", False, f"{quote(subject.text)} is not JSON: {error}")
    comparison = _Comparison(
        subset=options.get("subset", False),
        ignore_order=options.get("ignore_order", False),
        tolerance=_tolerances(options.get("tolerance")),
    )
    reference = _reference(options)
    found = comparison.difference(reference, got)
    return verdict("json_match", not found, found or f"got {show(got)}, as expected: {show(reference)}")


def _check(options: Mapping[str, Any]) -> str | None:
    reference, tolerance = options.get("reference"), options.get("tolerance")
    if isinstance(reference, str) and not reference.strip():
        return f"'reference' is {quote(reference)}; give the expected JSON value"
    if options.get("subset") and reference in ({}, "{}"):
        return "a subset of {} matches every object; name the keys that are expected"
    try:
        json.dumps(_plain(reference), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return f"'reference' is {show(reference)}, which is not a JSON value"
    limits = tolerance.items() if isinstance(tolerance, Mapping) else [("tolerance", tolerance)]
    return next((problem for path, limit in limits if (problem := check_limit({path: limit}, path))), None)


SCORERS = (
    ScorerSpec(
        name="json_match",
        doc="The answer is JSON and equals the reference; 1 equals 1.0, true does not equal 1.",
        score=_json_match,
        options={
            "reference": Option(
                schema={},
                doc="The expected value; a list means a JSON array. Text that is a JSON object or array is "
                "read as one.",
            ),
            "subset": Option(
                schema={"type": "boolean"},
                doc="Objects may have more keys than the reference, at any depth. Default: false.",
            ),
            "ignore_order": Option(
                schema={"type": "boolean"},
                doc=f"Arrays of up to {_MAX_FREE_ORDER} elements match in any order. Default: false.",
            ),
            "tolerance": Option(
                schema={
                    "anyOf": [
                        {"type": "number", "minimum": 0},
                        {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
                    ]
                },
                doc="Allowed absolute difference of numbers, for all or by path: "
                "`{total: 0.01, 'items.*.price': 0.5}`.",
            ),
            "extract": EXTRACT,
        },
        main="reference",
        required=("reference",),
        check=_check,
    ),
)

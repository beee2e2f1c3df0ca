"""Scores: what a check says of an answer. Plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

#: Scores that no entry of a case asked for: an answer cut off at the token limit, an assert in a Python test.
UNASKED = ("finish_reason", "assert")


#: Most scores have none.
_NO_DETAILS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one check says of one answer.

    `value` is finite and in [0, 1]. `explanation` says what was compared, on a pass too. `details` are
    builtins that a gate metric needs later (sufficient statistics of BLEU and chrF, a perplexity's sum of
    log-probabilities). Composites keep their parts in `children`.
    """

    scorer: str
    value: float
    passed: bool
    explanation: str
    name: str | None = None
    weight: float = 1.0
    details: Mapping[str, Any] = field(default_factory=lambda: _NO_DETAILS)
    children: tuple[Score, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Builtins only, empty fields left out, ready for `json.dumps`."""
        row: dict[str, Any] = {"scorer": self.scorer, "value": self.value, "passed": self.passed}
        row["explanation"] = self.explanation
        if self.name:
            row["name"] = self.name
        if self.weight != 1.0:
            row["weight"] = self.weight
        if self.details:
            row["details"] = dict(self.details)
        if self.children:
            row["children"] = [child.as_json() for child in self.children]
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        return cls(
            scorer=row["scorer"],
            value=row["value"],
            passed=row["passed"],
            explanation=row["explanation"],
            name=row.get("name"),
            weight=row.get("weight", 1.0),
            details=row.get("details", _NO_DETAILS),
            children=tuple(cls.from_json(child) for child in row["children"]) if "children" in row else (),
        )

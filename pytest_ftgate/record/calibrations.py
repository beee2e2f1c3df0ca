"""Calibrations: how people and a judge labelled the same answers. Plain values; nothing here judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pytest_ftgate.cases import canonical
from pytest_ftgate.errors import RecordError

#: What the labels of a calibration are: of one answer, or of two.
LABELS = (("pass", "fail"), ("a", "b", "tie"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """One check of one or several judges on labelled answers.

    `judges` describes who judged, as a run does, and `check` digests by what. `pairs` are labels of the same
    answer or pair of answers: the people's, then the judge's. `errors` more answers got no judgement.
    """

    judges: tuple[Mapping[str, Any], ...]
    check: str
    pairs: tuple[tuple[str, str], ...]
    errors: int = 0

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        return {
            "judges": [dict(judge) for judge in self.judges],
            "check": self.check,
            "pairs": [list(pair) for pair in self.pairs],
            "errors": self.errors,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; other keys are ignored. Raises ValueError for labels that are none."""
        pairs = tuple((str(human), str(judge)) for human, judge in row["pairs"])
        used = {label for pair in pairs for label in pair}
        if not any(used <= set(labels) for labels in LABELS):
            raise ValueError(f"labels {', '.join(sorted(used))}")
        errors = int(row.get("errors", 0))
        if errors < 0:
            raise ValueError(f"errors is {errors}")
        return cls(
            judges=tuple(dict(judge) for judge in row["judges"]),
            check=str(row["check"]),
            pairs=pairs,
            errors=errors,
        )


def merged_calibrations(calibrations: Iterable[Calibration]) -> tuple[Calibration, ...]:
    """All calibrations, sorted, each once; a `RecordError` names two of one check by the same judges."""
    found = {canonical(one.as_json()): one for one in calibrations}
    seen: set[str] = set()
    for one in found.values():
        who = canonical([one.as_json()["judges"], one.check])
        if who in seen:
            names = ", ".join(str(judge.get("name")) for judge in one.judges)
            raise RecordError(
                f"two calibrations are of one check by the same judge ({names}): give the one that counts"
            )
        seen.add(who)
    return tuple(found[key] for key in sorted(found))

"""One past run as a value: its verdict, its criteria and its rates. It turns into builtins and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pytest_ftgate.cases import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryModel:
    """Who answered for one arm: the name and the revision that the entry gave, "" for none."""

    name: str
    revision: str = ""

    @property
    def title(self) -> str:
        """Name and revision."""
        return f"{self.name} {self.revision}".strip()

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        return {"name": self.name} | ({"revision": self.revision} if self.revision else {})

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; other keys are ignored."""
        return cls(name=_text(row["name"]), revision=_text(row.get("revision", "")))


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRate:
    """Share of cases that passed, 0…1, of `n` that were measured, with its two-sided interval."""

    rate: float
    n: int
    interval: tuple[float, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        return {"rate": self.rate, "n": self.n, "interval": list(self.interval) if self.interval else None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; other keys are ignored."""
        return cls(
            rate=_share(row["rate"]), n=_count(row["n"]), interval=_bounds(row.get("interval"), _share)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryGroup:
    """The cases of one category or role, or all: `by` is `category`, `role` or `all`; `n` are planned.

    A side is None where nothing of it was measured.
    """

    by: str
    value: str
    n: int
    model: HistoryRate | None
    baseline: HistoryRate | None = None

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        sides = {"model": self.model, "baseline": self.baseline}
        told = {side: rate.as_json() for side, rate in sides.items() if rate is not None}
        return {"by": self.by, "value": self.value, "n": self.n} | told

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; other keys are ignored."""
        sides = {side: HistoryRate.from_json(row[side]) for side in ("model", "baseline") if row.get(side)}
        return cls(
            by=_text(row["by"]),
            value=_text(row["value"]),
            n=_count(row["n"]),
            model=sides.get("model"),
            baseline=sides.get("baseline"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryCriterion:
    """What became of a criterion: `observed` and `interval` are in the unit of its metric, 0…1 for rates."""

    name: str
    status: str
    observed: float | None
    n: int
    interval: tuple[float, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        interval = list(self.interval) if self.interval else None
        told = {"name": self.name, "status": self.status, "observed": self.observed, "n": self.n}
        return {**told, "interval": interval}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; other keys are ignored."""
        observed = row.get("observed")
        return cls(
            name=_text(row["name"]),
            status=_text(row["status"]),
            observed=None if observed is None else _number(observed),
            n=_count(row["n"]),
            interval=_bounds(row.get("interval"), _number),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRun:
    """A whole run that was decided. `started` and `finished` are ISO 8601 stamps, `verdict` its word.

    `models` are by role: `model`, `baseline`, and who graded. Intervals are two-sided at `confidence`, 0…1.
    Runs of equal `gate` and `plan` (digests) and of the same graders were judged by the same criteria on the
    same cases: only those are comparable. `groups` has `all` first, then roles, then categories.
    """

    run_id: str
    started: str
    finished: str
    verdict: str
    models: Mapping[str, HistoryModel]
    gate: str
    plan: str
    confidence: float
    criteria: tuple[HistoryCriterion, ...] = ()
    groups: tuple[HistoryGroup, ...] = ()

    @property
    def is_ship(self) -> bool:
        """Whether the model of this run might ship."""
        return self.verdict == "SHIP"

    def is_comparable(self, other: HistoryRun) -> bool:
        """Whether the same gate and the same graders judged the same cases."""
        return (self.gate, self.plan, self.graders) == (other.gate, other.plan, other.graders)

    @property
    def when(self) -> str:
        """The start to the minute, for people."""
        return self.started[:16].replace("T", " ")

    @property
    def graders(self) -> Mapping[str, HistoryModel]:
        """Who graded answers for checks."""
        return {role: model for role, model in self.models.items() if role not in list(Arm)}

    @property
    def by_name(self) -> Mapping[tuple[str, str], HistoryGroup]:
        """The groups by `by` and `value`."""
        return {(group.by, group.value): group for group in self.groups}

    def group(self, by: str, value: str) -> HistoryGroup | None:
        """The group of that name; None where this run had no such cases."""
        return self.by_name.get((by, value))

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        return {
            "run_id": self.run_id,
            "started": self.started,
            "finished": self.finished,
            "verdict": self.verdict,
            "models": {arm: model.as_json() for arm, model in self.models.items()},
            "gate": {"digest": self.gate},
            "plan": {"digest": self.plan},
            "confidence": self.confidence,
            "criteria": [criterion.as_json() for criterion in self.criteria],
            "groups": [group.as_json() for group in self.groups],
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; other keys are ignored. Raises what a damaged row raises."""
        return cls(
            run_id=_text(row["run_id"]),
            started=_text(row["started"]),
            finished=_text(row["finished"]),
            verdict=_verdict(row["verdict"]),
            models={str(arm): HistoryModel.from_json(model) for arm, model in row["models"].items()},
            gate=_text(row["gate"]["digest"]),
            plan=_text(row["plan"]["digest"]),
            confidence=_share(row["confidence"]),
            criteria=tuple(map(HistoryCriterion.from_json, row["criteria"])),
            groups=tuple(map(HistoryGroup.from_json, row["groups"])),
        )


#: What a whole run may say.
_VERDICTS = ("SHIP", "ITERATE", "INCONCLUSIVE")
#: More cases than any run has: a wider number would only break what shows it.
_MANY = 10**9


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def _verdict(value: Any) -> str:
    if value not in _VERDICTS:
        raise ValueError(f"its verdict is {value!r}, one of {', '.join(_VERDICTS)} was expected")
    return _text(value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MANY:
        raise ValueError(f"{value!r} is not a count")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _share(value: Any) -> float:
    found = _number(value)
    if not 0 <= found <= 1:
        raise ValueError(f"{value!r} is not a share from 0 to 1")
    return found


def _bounds(value: Any, read: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = value
    return read(low), read(high)

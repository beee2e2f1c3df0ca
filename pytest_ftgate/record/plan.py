"""The plan of a run: every case, item, arm and repeat that has to run. Plain values; nothing here judges."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, Self

from pytest_ftgate.cases import Arm, EvalCase, Expectation, Role, Turn, canonical, digest, digest_of_list

CaseKey = tuple[str, str]


class TrialKey(NamedTuple):
    """What makes a trial unique in a run. `repeat` counts from 1; `item` is the pytest node id."""

    suite: str
    case: str
    arm: Arm
    repeat: int
    item: str

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        return {
            "suite": self.suite,
            "case": self.case,
            "arm": self.arm.value,
            "repeat": self.repeat,
            "item": self.item,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; other keys are ignored."""
        return cls(str(row["suite"]), str(row["case"]), Arm(row["arm"]), int(row["repeat"]), str(row["item"]))

    def __str__(self) -> str:
        return f"{self.item} ({self.arm}{f', repeat {self.repeat}' if self.repeat > 1 else ''})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """One pytest item that judges a case, on which arms.

    `repeats` are those that this item runs (a Python test runs each repeat as an item of its own); empty: all
    of the case's.
    """

    nodeid: str
    arms: tuple[Arm, ...]
    repeats: tuple[int, ...] = ()

    @property
    def pairs(self) -> bool:
        """Whether this item judges both arms."""
        return len(self.arms) > 1

    def as_json(self) -> dict[str, Any]:
        """Builtins only, empty fields left out, ready for `json.dumps`."""
        row: dict[str, Any] = {"nodeid": self.nodeid, "arms": [arm.value for arm in self.arms]}
        return row | ({"repeats": list(self.repeats)} if self.repeats else {})

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        return cls(
            nodeid=str(row["nodeid"]),
            arms=tuple(Arm(arm) for arm in row["arms"]),
            repeats=tuple(int(repeat) for repeat in row.get("repeats", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCase:
    """One case as the gate and the reports need it. A case with `skip` is not in the plan: it is only named.

    `expect` holds the checks with their names, without their options: the scores say what was compared. Those
    of the `turns` of a scripted conversation (0 for any other case) come first.
    `digest` covers the whole case (prompt, tools, params, expectations).
    """

    suite: str
    id: str
    role: Role
    category: str
    tags: tuple[str, ...] = ()
    path: str
    line: int
    repeat: int = 1
    must_pass: bool = False
    skip: str | None = None
    expect: tuple[Expectation, ...] = ()
    items: tuple[PlannedItem, ...] = ()
    prompt: str = ""
    asked: str = ""
    digest: str = ""
    turns: int = 0
    #: Suite and id: unique in a run.
    key: CaseKey = field(init=False, repr=False, compare=False)
    #: Of all its items, in their order.
    node_ids: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.suite, self.id))
        object.__setattr__(self, "node_ids", tuple(item.nodeid for item in self.items))

    @property
    def judging_items(self) -> tuple[PlannedItem, ...]:
        """The items whose outcome says something; the case's own item with `expect: none` only asks.

        A Python test judges the case by its asserts, whatever the case expects. Its node ends with the case's
        id in brackets, the case's own with the bare id; what comes before may differ from `path` (links).
        """
        if self.expect:
            return self.items
        return tuple(item for item in self.items if item.nodeid.rpartition("::")[2] != self.id)

    @property
    def paired_items(self) -> tuple[PlannedItem, ...]:
        """The judging items that judge both arms: comparisons are made of them."""
        return tuple(item for item in self.judging_items if item.pairs)

    def trial_keys(self) -> Iterator[TrialKey]:
        """The trials of this case; none if it is skipped."""
        if self.skip is not None:
            return
        for item in self.items:
            for repeat in item.repeats or range(1, self.repeat + 1):
                for arm in item.arms:
                    yield TrialKey(self.suite, self.id, arm, repeat, item.nodeid)

    def as_json(self) -> dict[str, Any]:
        """Builtins only, empty fields left out, ready for `json.dumps`."""
        row: dict[str, Any] = {"suite": self.suite, "id": self.id, "role": self.role.value}
        row |= {"category": self.category, "path": self.path, "line": self.line}
        rest: dict[str, Any] = {
            "tags": list(self.tags),
            "repeat": self.repeat if self.repeat != 1 else None,
            "must_pass": self.must_pass or None,
            "skip": self.skip,
            "expect": [expectation_as_json(check) for check in self.expect],
            "items": [item.as_json() for item in self.items],
            "prompt": self.prompt or None,
            "asked": self.asked or None,
            "digest": self.digest or None,
            "turns": self.turns or None,
        }
        return row | {key: value for key, value in rest.items() if value is not None and value != []}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        return cls(
            suite=str(row["suite"]),
            id=str(row["id"]),
            role=Role(row["role"]),
            category=str(row["category"]),
            tags=tuple(str(tag) for tag in row.get("tags", ())),
            path=str(row["path"]),
            line=int(row["line"]),
            repeat=int(row.get("repeat", 1)),
            must_pass=row.get("must_pass", False) is True,
            skip=row.get("skip"),
            expect=tuple(expectation_from_json(check) for check in row.get("expect", ())),
            items=tuple(PlannedItem.from_json(item) for item in row.get("items", ())),
            prompt=str(row.get("prompt", "")),
            asked=str(row.get("asked", "")),
            digest=str(row.get("digest", "")),
            turns=int(row.get("turns", 0)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that has to run, sorted by suite and case id, and what the selection left out before the start.

    `left_out` names items, files or globs; it is empty for a run that is not narrowed.
    """

    cases: tuple[PlannedCase, ...] = ()
    left_out: tuple[str, ...] = ()
    #: What `digest` found, since a large plan has it looked for at the start and at the end.
    _digest: str | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cases", tuple(sorted(self.cases, key=lambda case: case.key)))
        object.__setattr__(self, "left_out", tuple(sorted(set(self.left_out))))

    def trial_keys(self) -> Iterator[TrialKey]:
        """Every trial that has to run, skipped cases left out."""
        for case in self.cases:
            yield from case.trial_keys()

    @property
    def digest(self) -> str:
        """Digest of all cases, whatever the selection left out; processes and shards compare it."""
        if self._digest is None:
            object.__setattr__(
                self, "_digest", digest_of_list(canonical(case.as_json()) for case in self.cases)
            )
        assert self._digest is not None
        return self._digest

    def as_text(self) -> str:
        """Lines of JSON: what was left out, then each case, since all of them as builtins are much memory."""
        cases = (canonical(case.as_json()) for case in self.cases)
        return "\n".join([canonical(self.left_out), *cases])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The inverse of `as_text`."""
        first, *lines = text.split("\n")
        plan = cls(
            cases=tuple(PlannedCase.from_json(json.loads(line)) for line in lines),
            left_out=tuple(str(name) for name in json.loads(first)),
        )
        object.__setattr__(plan, "_digest", digest_of_list(lines))
        return plan


def case_plan(case: EvalCase, items: Sequence[PlannedItem]) -> PlannedCase:
    """A case as the plan holds it: checks without their options, digests of what is asked and expected."""
    asked = case.asked
    return PlannedCase(
        suite=case.suite,
        id=case.id,
        role=case.role,
        category=case.category,
        tags=case.tags,
        path=case.path,
        line=case.line,
        repeat=case.repeat,
        must_pass=case.must_pass,
        skip=case.skip,
        expect=_skeletons(tuple(map(_shape, case.checks))),
        items=tuple(sorted(items, key=lambda item: item.nodeid)),
        prompt=case.prompt,
        asked=asked,
        digest=_case_digest(case, asked),
        turns=len(case.turns),
    )


def expectation_as_json(check: Expectation) -> dict[str, Any]:
    """A check as builtins, without its options."""
    row: dict[str, Any] = {"scorer": check.scorer}
    if check.name is not None:
        row["name"] = check.name
    if check.weight != 1.0:
        row["weight"] = check.weight
    if check.children:
        row["children"] = [expectation_as_json(child) for child in check.children]
    return row


def expectation_from_json(row: Mapping[str, Any]) -> Expectation:
    """The inverse of `expectation_as_json`."""
    return Expectation(
        scorer=str(row["scorer"]),
        name=row.get("name"),
        weight=float(row.get("weight", 1.0)),
        children=tuple(expectation_from_json(child) for child in row.get("children", ())),
    )


#: A check's scorer, name, weight and children.
_Shape = tuple[str, str | None, float, tuple[Any, ...]]


def _shape(check: Expectation) -> _Shape:
    return check.scorer, check.name, check.weight, tuple(map(_shape, check.children))


@lru_cache(maxsize=1024)
def _skeletons(shapes: tuple[_Shape, ...]) -> tuple[Expectation, ...]:
    """Checks without their options: the same objects for all cases that are checked alike, as most are."""
    return tuple(
        Expectation(scorer=scorer, name=name, weight=weight, children=_skeletons(children))
        for scorer, name, weight, children in shapes
    )


def _case_digest(case: EvalCase, asked: str) -> str:
    content = {
        "asked": asked,
        **_judged(case),
        "accept_truncated": case.accept_truncated,
        "metadata": case.metadata,
    }
    return digest(content | ({"turns": [_judged(turn) for turn in case.turns]} if case.turns else {}))


def _judged(of: EvalCase | Turn) -> dict[str, Any]:
    return {
        "expect": [_full(check) for check in of.expect],
        "answer": asdict(of.answer) if of.answer else None,
    }


def _full(check: Expectation) -> dict[str, Any]:
    rest = {"options": check.options, "children": [_full(child) for child in check.children]}
    return expectation_as_json(check) | rest

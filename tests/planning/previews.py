"""Previews of small runs, in a line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ftgate.cases import Arm, EvalCase, Expectation, Role
from pytest_ftgate.gates import BUILTIN_METRICS, parse_gate
from pytest_ftgate.planning import Answerer, Ask, Preview
from pytest_ftgate.record import Plan, PlannedItem, case_plan

BOTH = (Arm.MODEL, Arm.BASELINE)
LIVE = Answerer(name="gpt", kind="openai")


def case(case_id: str = "c0", prompt: str = "Capital of France?", **fields: Any) -> EvalCase:
    suite = fields.pop("suite", "tools")
    given = {
        "suite": suite,
        "id": case_id,
        "path": f"evals/{suite}.evalcase.yaml",
        "line": 3,
        "expect": (Expectation(scorer="exact_match"),),
        "messages": ({"role": "user", "content": prompt},),
    }
    return EvalCase(**given | fields)


def cases(n: int, *, role: str = "target", **fields: Any) -> list[EvalCase]:
    """So many cases of one kind; ids begin with suite and category."""
    kind = f"{fields.get('suite', 'tools')}-{fields.get('category', 'default')}"
    return [case(f"{kind}-{number}", role=Role(role), **fields) for number in range(n)]


def preview(
    of: Sequence[EvalCase],
    gate: Mapping[str, Any] | None = None,
    *,
    arms: Sequence[Arm] = BOTH,
    answerers: Mapping[Arm, Answerer] | None = None,
    options: Sequence[str] = (),
    **rest: Any,
) -> Preview:
    """What a run of these cases would do; the gate is raw, without a least number of cases."""
    who = {arm: (answerers or {}).get(arm, LIVE) for arm in arms}
    planned = [case_plan(one, [PlannedItem(nodeid=f"{one.path}::{one.id}", arms=tuple(arms))]) for one in of]
    asks = [
        Ask(case=one, arm=arm, repeat=repeat, answerer=who[arm])
        for one in of
        for repeat in range(1, one.repeat + 1)
        for arm in arms
        if one.skip is None
    ]
    return Preview(
        plan=Plan(cases=tuple(planned), left_out=rest.pop("left_out", ())),
        gate=parse_gate({"min_cases": 1, **(gate or {})}, options),
        metrics=BUILTIN_METRICS,
        cases=tuple(of),
        asks=tuple(asks),
        **rest,
    )


def one_criterion(name: str = "rate", **criterion: Any) -> dict[str, Any]:
    """A raw gate of one criterion."""
    return {"criteria": {name: {"metric": "pass_rate", **criterion}}}

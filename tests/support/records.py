"""Small records for tests: cases, trials and runs in a line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_ftgate.cases import Arm, Expectation, Role
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.gates import Assessment, CriterionResult, assess
from pytest_ftgate.record import (
    Outcome,
    Plan,
    PlannedCase,
    PlannedItem,
    Record,
    RunInfo,
    RunRecord,
    Trial,
    TrialError,
    TrialKey,
)
from pytest_ftgate.scores import Score

BOTH = (Arm.MODEL, Arm.BASELINE)
OUTCOMES = {"P": Outcome.PASSED, "F": Outcome.FAILED, "E": Outcome.ERRORED}


def entry(scorer: str = "exact_match", name: str | None = None, *children: Expectation) -> Expectation:
    return Expectation(scorer=scorer, name=name, children=children)


def case(
    case_id: str,
    *,
    suite: str = "tools",
    role: str = "target",
    category: str = "simple",
    expect: Sequence[Expectation] = (entry(),),
    arms: Sequence[Arm] = BOTH,
    items: Sequence[PlannedItem] | None = None,
    **rest: Any,
) -> PlannedCase:
    path = f"evals/{suite}.evalcase.yaml"
    own = PlannedItem(nodeid=f"{path}::{case_id}", arms=tuple(arms))
    return PlannedCase(
        suite=suite,
        id=case_id,
        role=Role(role),
        category=category,
        path=path,
        line=1,
        expect=tuple(expect),
        items=tuple(items) if items is not None else (own,),
        **rest,
    )


def python_item(case_id: str, *arms: Arm, repeats: tuple[int, ...] = ()) -> PlannedItem:
    """An item of a Python test."""
    suffix = f"#{repeats[0]}" if repeats and repeats[0] > 1 else ""
    return PlannedItem(nodeid=f"tests/test_tone.py::test_tone[{case_id}{suffix}]", arms=arms, repeats=repeats)


def scores_of(checks: Iterable[Expectation], passed: bool) -> tuple[Score, ...]:
    return tuple(
        Score(
            scorer=check.scorer,
            name=check.name,
            value=float(passed),
            passed=passed,
            explanation="compared",
            children=scores_of(check.children, passed if check.scorer != "not" else not passed),
        )
        for check in checks
    )


def trial(
    key: TrialKey,
    outcome: str = "P",
    *,
    expect: Sequence[Expectation] = (entry(),),
    scores: Sequence[Score] | None = None,
    completion: Completion | None = None,
    **measured: Any,
) -> Trial:
    """One trial; with `E` no answer arrived."""
    if outcome == "E":
        error = TrialError(kind="timeout", message="no answer within 60 s")
        return Trial(key=key, outcome=Outcome.ERRORED, error=error, completion=completion)
    if completion is None:
        tokens = measured.pop("tokens", None)
        completion = Completion(text="Paris", usage=Usage(output_tokens=tokens), **measured)
    told = scores if scores is not None else scores_of(expect, outcome == "P")
    return Trial(key=key, outcome=OUTCOMES[outcome], completion=completion, scores=tuple(told))


def trials(planned: PlannedCase, model: str = "P", baseline: str = "P", **rest: Any) -> list[Trial]:
    """All trials of a case; `model` and `baseline` hold a letter for each repeat, of all items."""
    letters = {Arm.MODEL: model, Arm.BASELINE: baseline}
    return [
        trial(key, letters[key.arm][(key.repeat - 1) % len(letters[key.arm])], expect=planned.expect, **rest)
        for key in planned.trial_keys()
    ]


def record(
    cases: Sequence[PlannedCase],
    came_in: Iterable[Trial] | None = None,
    *,
    left_out: Sequence[str] = (),
    **run: Any,
) -> Record:
    """A record; without trials given, all passed on both arms."""
    collected = RunRecord()
    for one in came_in if came_in is not None else [one for planned in cases for one in trials(planned)]:
        collected.add(one)
    plan = Plan(cases=tuple(cases), left_out=tuple(left_out))
    return collected.freeze(RunInfo(run_id="run-1", version="0.1.0", **run), plan)


def gate_of(name: str = "rate", **criterion: Any) -> dict[str, Any]:
    """A raw gate of one criterion, without a least number of cases."""
    return {"min_cases": 1, "criteria": {name: {"metric": "pass_rate", **criterion}}}


def judged(
    cases: Sequence[PlannedCase], came_in: Iterable[Trial] | None, gate: Mapping[str, Any], **run: Any
) -> Assessment:
    return assess(record(cases, came_in, gate=gate, **run))


def result(assessment: Assessment, name: str = "rate") -> CriterionResult:
    found = {one.name: one for one in assessment.verdict.criteria}
    return found[name]

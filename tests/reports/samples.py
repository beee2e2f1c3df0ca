"""Assessments to show: real summaries of small records, under verdicts written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from pytest_ftgate.cases import Arm, EvalCase, Expectation, Role
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.gates import Assessment, CriterionResult, Status, Verdict, Word, parse_gate
from pytest_ftgate.record import (
    Outcome,
    Plan,
    PlannedCase,
    PlannedItem,
    Record,
    RunInfo,
    Trial,
    TrialError,
    TrialKey,
)
from pytest_ftgate.scores import Score
from pytest_ftgate.summary import summarize

MODEL, BASELINE = Arm.MODEL, Arm.BASELINE
PATH = "evals/tools.evalcase.yaml"


def score(passed: bool, explanation: str = "", **more: Any) -> Score:
    said = explanation or ("got 'Paris', expected 'Paris'" if passed else "got 'Lyon', expected 'Paris'")
    scorer = more.pop("scorer", "exact_match")
    return Score(scorer=scorer, value=float(passed), passed=passed, explanation=f"{scorer}: {said}", **more)


def trial(
    arm: Arm = MODEL,
    passed: bool = True,
    *,
    case: str = "capital",
    suite: str = "tools",
    path: str = PATH,
    repeat: int = 1,
    text: str | None = None,
    scores: Sequence[Score] | None = None,
    **completion: Any,
) -> Trial:
    said = ("Paris" if passed else "Lyon") if text is None else text
    return Trial(
        key=TrialKey(suite, case, arm, repeat, f"{path}::{case}"),
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        completion=Completion(text=said, **{"finish_reason": "stop"} | completion),
        scores=(score(passed),) if scores is None else tuple(scores),
    )


def errored(
    arm: Arm = MODEL, message: str = "no answer within 60 s from localhost:8000", **key: Any
) -> Trial:
    return replace(
        trial(arm, **key),
        outcome=Outcome.ERRORED,
        completion=None,
        scores=(),
        error=TrialError(kind="timeout", message=message),
    )


def eval_case(**changes: Any) -> EvalCase:
    made: dict[str, Any] = {
        "suite": "tools",
        "id": "capital",
        "path": PATH,
        "line": 14,
        "category": "simple",
        "messages": ({"role": "user", "content": "What is the capital of France?"},),
        "expect": (Expectation(scorer="exact_match", options={"reference": "Paris"}),),
    }
    return EvalCase(**made | changes)


@dataclass(frozen=True)
class Category:
    """Cases of one category: how many pass on both arms, regress, are fixed, fail on both."""

    name: str
    both: int = 0
    regressed: int = 0
    fixed: int = 0
    neither: int = 0
    role: Role = Role.TARGET
    suite: str = "tools"

    def outcomes(self) -> list[tuple[bool, bool]]:
        pairs = [(True, True), (False, True), (True, False), (False, False)]
        counts = (self.both, self.regressed, self.fixed, self.neither)
        return [pair for pair, count in zip(pairs, counts, strict=True) for _ in range(count)]


def record(
    categories: Sequence[Category],
    *,
    arms: Sequence[Arm] = (MODEL, BASELINE),
    repeats: int = 1,
    run: RunInfo | None = None,
    left_out: Sequence[str] = (),
) -> Record:
    cases, trials = [], []
    for category in categories:
        path = f"evals/{category.suite}.evalcase.yaml"
        for number, passes in enumerate(category.outcomes(), 1):
            name = f"{category.name.replace(' ', '-')}-{number:02}"
            item = PlannedItem(nodeid=f"{path}::{name}", arms=tuple(arms))
            cases.append(
                PlannedCase(
                    suite=category.suite,
                    id=name,
                    role=category.role,
                    category=category.name,
                    path=path,
                    line=number * 4,
                    repeat=repeats,
                    expect=(Expectation(scorer="exact_match"),),
                    items=(item,),
                    prompt="What is the capital of France?",
                )
            )
            where: dict[str, Any] = {
                "case": name,
                "suite": category.suite,
                "path": path,
                "usage": Usage(output_tokens=2),
            }
            for arm, passed in zip(Arm, passes, strict=True):
                if arm in arms:
                    trials += [
                        trial(arm, passed or number % 2 == repeat % 2 == 0, repeat=repeat, **where)
                        for repeat in range(1, repeats + 1)
                    ]
    info = run or RunInfo(
        run_id="r-1",
        started="2026-03-02T10:00:00+00:00",
        finished="2026-03-02T10:04:10+00:00",
        version="0.1.0",
        models={
            str(arm): {"name": name, "host": "localhost:8000", "kind": "openai"}
            for arm, name in zip(Arm, ("acme/support-8b-lora", "llama-3.1-8b"), strict=True)
            if arm in arms
        },
    )
    ordered = tuple(sorted(trials, key=lambda one: one.key))
    return Record(run=info, plan=Plan(cases=tuple(cases), left_out=tuple(left_out)), trials=ordered)


def criterion(name: str, status: Status, **changes: Any) -> CriterionResult:
    made: dict[str, Any] = {
        "metric": ("pass_rate",),
        "compare": "value",
        "observed": Fraction(1, 2),
        "threshold": "≥ 90%",
        "n": 20,
        "evidence": "point",
        "decides": True,
        "reason": "",
    }
    return CriterionResult(name=name, status=status, **made | changes)


def assessment(
    record: Record,
    word: Word = Word.SHIP,
    sentence: str = "all 2 criteria are met",
    *,
    criteria: Sequence[CriterionResult] = (),
    reasons: Sequence[str] = (),
    warnings: Sequence[str] = (),
    narrowed: bool = False,
) -> Assessment:
    verdict = Verdict(
        word=word,
        sentence=sentence,
        reasons=tuple(reasons),
        criteria=tuple(criteria),
        complete=word is not Word.INCOMPLETE,
        narrowed=narrowed,
        whole_shard=False,
        warnings=tuple(warnings),
    )
    gate = replace(parse_gate({}), criteria=(), digest="0123456789abcdef")
    return Assessment(record=record, summary=summarize(record), gate=gate, verdict=verdict)


SUITE = (
    Category("simple", both=9, fixed=1),
    Category("edge_case", both=7, fixed=1, neither=1),
    Category("adversarial", both=3, fixed=2, neither=1),
    Category("capitals", both=3, regressed=1, neither=1, role=Role.GENERAL, suite="facts"),
)

CRITERIA = (
    criterion(
        "target_task_improvement",
        Status.GO,
        compare="delta",
        observed=Fraction(4, 25),
        threshold="≥ 5%",
        n=25,
        reason="the pass rate rose by 16.0 points",
    ),
    criterion(
        "general_regression",
        Status.NO_GO,
        compare="delta",
        observed=Fraction(-1, 5),
        threshold="≥ -5%",
        n=5,
        reason="the pass rate fell by 20.0 points: 1 case lost, none won; noise could explain it",
    ),
    criterion(
        "adversarial_robustness",
        Status.INCONCLUSIVE,
        observed=Fraction(5, 6),
        n=6,
        reason="6 cases were measured, 10 are needed",
    ),
    criterion(
        "latency_p99",
        Status.NOT_MEASURED,
        metric=("latency_p99",),
        compare="ratio",
        observed=None,
        threshold="≤ 2",
        n=0,
        decides=False,
        reason="recorded answers have no latency",
    ),
)


def tuned_suite(**changes: Any) -> Assessment:
    """A suite of 30 cases that a tuned model wins, with one regression in its general abilities."""
    sentence = "general_regression is NO-GO: -20.0 points, needed ≥ -5%; capitals dropped from 80.0% to 60.0%"
    made: Mapping[str, Any] = {"criteria": CRITERIA} | changes
    return assessment(record(SUITE), Word.ITERATE, sentence, **made)


def timed(whole: Record, *, slower: float = 1.3) -> Record:
    """The record with streamed times, tokens and costs, which say that the model is so much slower."""
    answered = [replace(one, completion=_timed(one, place, slower)) for place, one in enumerate(whole.trials)]
    return replace(whole, trials=tuple(answered))


def _timed(one: Trial, place: int, slower: float) -> Completion:
    assert one.completion is not None
    latency_s = (0.2 + place * 37 % 101 / 1000) * (slower if one.key.arm is MODEL else 1)
    return replace(
        one.completion,
        source="live",
        latency_s=latency_s,
        time_to_first_token_s=latency_s / 4,
        usage=Usage(input_tokens=100, output_tokens=100 + place * 53 % 97),
        cost=0.0001 + place * 53 % 97 / 1_000_000,
    )


def against_itself(whole: Record) -> Record:
    """The record as that of an A/A run."""
    models = {str(arm): {"name": "llama-3.1-8b", "host": "localhost:8000", "kind": "openai"} for arm in Arm}
    return replace(whole, run=replace(whole.run, models=models))

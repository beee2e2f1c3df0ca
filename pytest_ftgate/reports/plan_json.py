"""The plan of a run as JSON, `ftgate.plan/1`. The same plan gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_ftgate.planning import CriterionPlan, Demand, Outlook, RunPlan

if TYPE_CHECKING:
    from pytest_ftgate.planning.leakage import Leaks  # (loads rapidfuzz)

PLAN_SCHEMA = "ftgate.plan/1"


def plan_json(plan: RunPlan) -> dict[str, Any]:
    """Everything that the report shows, at its most verbose; rates and chances are 0…1."""
    preview = plan.preview
    return {
        "schema": PLAN_SCHEMA,
        "plan": {
            "cases": plan.cases,
            "trials": sum(1 for _ in preview.plan.trial_keys()),
            "digest": preview.plan.digest,
            "left_out": list(preview.plan.left_out),
            "skipped": [{"suite": c.suite, "id": c.id, "reason": c.skip} for c in plan.skipped],
            "assumed_arms": sorted(preview.assumed),
        },
        "gate": {"digest": preview.gate.digest, "confidence": float(preview.gate.confidence)},
        "warnings": list(preview.warnings),
        "groups": [
            {"suite": group.suite, "role": group.role, "category": group.category, "n": group.n}
            for group in plan.groups
        ],
        "requests": [_demand(demand) for demand in plan.demands],
        "graders": [
            {"role": grading.role, "name": grading.name, "requests": grading.requests}
            for grading in plan.preview.gradings
        ],
        "assumptions": {
            "based_on": plan.based_on,
            "rate": plan.assumptions.rate,
            "baseline": plan.assumptions.baseline,
            "change": plan.assumptions.change,
            "discordance": plan.assumptions.discordance,
        },
        "criteria": [_criterion(criterion) for criterion in plan.criteria],
        "leakage": _leaks(plan.leaks) if plan.leaks else None,
    }


def _demand(demand: Demand) -> dict[str, Any]:
    return {
        "arm": str(demand.arm),
        "answered_by": demand.answerer.name,
        "kind": demand.answerer.kind,
        "cases": demand.cases,
        "requests": demand.requests if demand.sends else 0,
        "tokens_in": demand.tokens_in if demand.sends else 0,
        "tokens_out": demand.tokens_out if demand.sends else 0,
        "observed": demand.observed,
        "unlimited": demand.unlimited if demand.sends else 0,
        "cost": demand.cost,
        "price": _price(demand),
    }


def _price(demand: Demand) -> dict[str, Any] | None:
    """Per million tokens; without a `source` it is the user's own."""
    price = demand.answerer.price
    if price is None:
        return None
    return {"input": price[0], "output": price[1], "source": demand.answerer.price_source or None}


def _criterion(plan: CriterionPlan) -> dict[str, Any]:
    criterion, truth = plan.criterion, plan.truth
    return {
        "name": criterion.name,
        "prospect": str(plan.outlook.prospect),
        "metric": list(criterion.metric),
        "compare": criterion.compare,
        "threshold": criterion.needed,
        "evidence": criterion.evidence,
        "n": plan.n,
        "counts": plan.counts,
        "decides": plan.decides,
        "truth": {
            "rate": truth.rate,
            "baseline": truth.baseline,
            "change": truth.change,
            "discordance": truth.discordance,
            "source": truth.source,
        }
        if truth
        else None,
        "outlooks": {evidence: _outlook(outlook) for evidence, outlook in plan.outlooks.items()},
    }


def _outlook(outlook: Outlook) -> dict[str, Any]:
    return {
        "prospect": str(outlook.prospect),
        "sentence": outlook.sentence,
        "remedy": outlook.remedy or None,
        "chance": outlook.chance,
        "detectable": outlook.detectable,
        "needed": outlook.needed,
        "if_unchanged": outlook.if_unchanged,
    }


def _leaks(leaks: Leaks) -> dict[str, Any]:
    return {
        "files": list(leaks.files),
        "rows": leaks.rows,
        "cases": leaks.cases,
        "exact_cases": leaks.exact_cases,
        "places": leaks.places,
        "leaks": [
            {
                "suite": leak.prompt.case.suite,
                "id": leak.prompt.case.id,
                "path": leak.prompt.case.path,
                "line": leak.prompt.case.line,
                "file": leak.file,
                "row": leak.line,
                "kind": leak.kind,
                "likeness": leak.likeness,
                "prompt": leak.prompt.text,
                "text": leak.text,
            }
            for leak in leaks.leaks
        ],
        "broken": [{"file": row.file, "row": row.line, "message": row.message} for row in leaks.broken],
        "broken_rows": leaks.broken_rows,
    }

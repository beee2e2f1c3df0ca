"""From an assessment to the line that the history keeps of it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment, CriterionResult
from pytest_ftgate.history.runs import (
    HistoryCriterion,
    HistoryGroup,
    HistoryModel,
    HistoryRate,
    HistoryRun,
)
from pytest_ftgate.record import Plan
from pytest_ftgate.summary import Group, Rate

_BY = ("all", "role", "category")


def history_run(assessment: Assessment) -> HistoryRun | None:
    """What is kept of a run; None of one that is not whole: its rates would be those of other cases."""
    run, verdict = assessment.record.run, assessment.verdict
    if not verdict.complete or run.no_model:
        return None
    confidence = float(assessment.gate.confidence)
    groups = [group for by in _BY for group in assessment.summary.groups if group.by == by]
    return HistoryRun(
        run_id=run.run_id,
        started=run.started,
        finished=run.finished,
        verdict=str(verdict.word),
        models={role: _model(model) for role, model in run.models.items() if model},
        gate=assessment.gate.digest,
        plan=_digest(assessment.record.plan),
        confidence=confidence,
        criteria=tuple(map(_criterion, verdict.criteria)),
        groups=tuple(_group(group, confidence) for group in groups),
    )


def _digest(plan: Plan) -> str:
    """Of what the model is asked and how that is judged, wherever it stands: a moved line changes nothing."""
    rows = sorted(
        [
            *case.key,
            case.digest,
            case.asked,
            case.repeat,
            case.must_pass,
            case.category,
            str(case.role),
            case.skip,
        ]
        + [[item.nodeid.rpartition("::")[2], *item.repeats] for item in case.items if Arm.MODEL in item.arms]
        for case in plan.cases
    )
    return hashlib.sha256(json.dumps(rows).encode("ascii")).hexdigest()[:16]


def _model(described: Mapping[str, Any]) -> HistoryModel:
    return HistoryModel(name=str(described.get("name") or ""), revision=str(described.get("revision") or ""))


def _criterion(result: CriterionResult) -> HistoryCriterion:
    bounds = result.interval
    return HistoryCriterion(
        name=result.name,
        status=str(result.status),
        observed=_finite(result.observed),
        n=result.n,
        interval=bounds if bounds is not None and all(map(math.isfinite, bounds)) else None,
    )


def _finite(value: Fraction | float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _group(group: Group, confidence: float) -> HistoryGroup:
    return HistoryGroup(
        by=group.by,
        value=group.value,
        n=group.n,
        model=_rate(group.model, confidence),
        baseline=_rate(group.baseline, confidence) if group.baseline is not None else None,
    )


def _rate(rate: Rate, confidence: float) -> HistoryRate | None:
    if rate.rate is None:
        return None
    return HistoryRate(rate=float(rate.rate), n=rate.n, interval=rate.interval(confidence))

"""The JSON report and its head, the verdict file. The same assessment gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment, CriterionResult, Gate
from pytest_ftgate.record import Record, RunInfo, Trial
from pytest_ftgate.reports.atomic import write_atomic
from pytest_ftgate.reports.inert import inert_json
from pytest_ftgate.reports.json_comparison import comparison_json, repeats_json
from pytest_ftgate.reports.json_values import number, plain
from pytest_ftgate.reports.votes import votes_json
from pytest_ftgate.summary import SEED, CaseResult, Group, Latency, Rate

__all__ = [
    "REPORT_SCHEMA",
    "incomplete_verdict_json",
    "json_text",
    "report_json",
    "verdict_json",
    "write_atomic",
]

REPORT_SCHEMA = "ftgate.report/1"


def report_json(assessment: Assessment) -> dict[str, Any]:
    """Everything: the verdict file's content, then groups, arms beside each other, and cases with trials."""
    summary, confidence = assessment.summary, float(assessment.gate.confidence)
    repeats = summary.repeats
    return verdict_json(assessment) | {
        "groups": [_group(group, confidence) for group in summary.groups],
        "latency": {str(arm): _latency(summary.latency.get(arm)) for arm in Arm},
        "comparison": comparison_json(summary.comparison(confidence)),
        **({"judged_pairs": pairs.as_json()} if (pairs := summary.judged_pairs) is not None else {}),
        "repeats": {str(arm): repeats_json(repeats[arm]) for arm in Arm},
        **({"votes": votes_json(summary.votes)} if summary.votes else {}),
        "cases": [_case(case) for case in summary.cases],
    }


def verdict_json(assessment: Assessment) -> dict[str, Any]:
    """The content of the verdict file: what was decided, by which gate, on what."""
    run, verdict = assessment.record.run, assessment.verdict
    return {
        "schema": REPORT_SCHEMA,
        "run_id": run.run_id,
        "verdict": str(verdict.word),
        "sentence": verdict.sentence,
        "mode": run.mode,
        "complete": verdict.complete,
        "reasons": list(verdict.reasons),
        "warnings": list(verdict.warnings),
        "started": run.started,
        "finished": run.finished,
        "version": run.version,
        "gate": _gate(assessment.gate, run.gate_options),
        "model": plain(run.models.get(Arm.MODEL)),
        "baseline": plain(run.models.get(Arm.BASELINE)),
        **({"graders": graders} if (graders := _graders(run)) else {}),
        "plan": _plan(assessment.record),
        "criteria": [_criterion(result) for result in verdict.criteria],
    }


def _graders(run: RunInfo) -> dict[str, Any]:
    """Judges and embeddings, under their roles; nothing where no check asked any."""
    return {name: plain(found) for name, found in run.models.items() if name not in list(Arm)}


def incomplete_verdict_json(run_id: str, reason: str, started: str) -> dict[str, Any]:
    """The verdict file of a run that has not come to its end, for its start and for a run that can't be.

    Of a reason of several lines the sentence has the first.
    """
    first, *further = reason.splitlines() or [""]
    more = f" (and {len(further)} more)" if further else ""
    return {
        "schema": REPORT_SCHEMA,
        "run_id": run_id,
        "verdict": "INCOMPLETE",
        "sentence": first + more,
        "complete": False,
        "reasons": [first, *further],
        "started": started,
        "finished": None,
    }


def json_text(content: Mapping[str, Any]) -> str:
    """The text of a report: indented, harmless to print, ended by a newline; NaN and infinity are refused."""
    return inert_json(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _gate(gate: Gate, options: Iterable[str]) -> dict[str, Any]:
    return {
        "digest": gate.digest,
        "default": gate.is_default,
        "options": list(options),
        "max_errors": gate.max_errors,
        "confidence": float(gate.confidence),
        "seed": SEED,
        "traffic": {category: number(gate.traffic[category]) for category in sorted(gate.traffic)},
        "suites": list(gate.suites),
    }


def _plan(record: Record) -> dict[str, Any]:
    plan = record.plan
    skipped = [case for case in plan.cases if case.skip is not None]
    return {
        "cases": len(plan.cases) - len(skipped),
        "trials": sum(1 for _ in plan.trial_keys()),
        "digest": plan.digest,
        "suites": sorted({case.suite for case in plan.cases}),
        "skipped": [{"suite": case.suite, "id": case.id, "reason": case.skip} for case in skipped],
        "left_out": list(plan.left_out),
    }


def _criterion(result: CriterionResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "status": str(result.status),
        "metric": list(result.metric),
        "compare": result.compare,
        "observed": number(result.observed),
        "threshold": result.threshold,
        "interval": plain(result.interval),
        "p_value": number(result.p_value),
        "n": result.n,
        "evidence": result.evidence,
        "decides": result.decides,
        "reason": result.reason,
    }


def _group(group: Group, confidence: float) -> dict[str, Any]:
    delta = {
        "value": number(group.delta),
        "interval": plain(group.delta_interval(confidence)),
        "p_value": number(group.p_value),
    }
    return {
        "by": group.by,
        "value": group.value,
        "n": group.n,
        "model": _rate(group.model, confidence),
        "baseline": _rate(group.baseline, confidence),
        "paired": group.paired,
        "delta": delta if group.delta is not None else None,
        "wins": group.wins,
        "losses": group.losses,
        "ties": group.ties,
        "flagged": group.flagged,
    }


def _rate(rate: Rate | None, confidence: float) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {
        "passed": number(rate.passed),
        "n": rate.n,
        "pass_rate": number(rate.rate),
        "interval": plain(rate.interval(confidence)),
    }


def _latency(latency: Latency | None) -> dict[str, Any] | None:
    if latency is None:
        return None
    names = ("p50", "p90", "p95", "p99")
    return {"n": latency.n} | {name: number(getattr(latency, name)) for name in names}


def _case(case: CaseResult) -> dict[str, Any]:
    planned = case.planned
    return {
        "id": planned.id,
        "nodeid": planned.items[0].nodeid if planned.items else f"{planned.path}::{planned.id}",
        "suite": planned.suite,
        "role": str(planned.role),
        "category": planned.category,
        "tags": list(planned.tags),
        "path": planned.path,
        "line": planned.line,
        "prompt": planned.prompt,
        "skip": planned.skip,
        "must_pass": planned.must_pass,
        "outcome": {str(arm): _word(case.outcome.get(arm)) for arm in Arm},
        "pass_rate": {str(arm): number(case.passes.get(arm)) for arm in Arm},
        "unstable": [str(arm) for arm in case.unstable_on],
        "score": {str(arm): number(case.score.get(arm)) for arm in Arm},
        "flip": str(case.flip),
        "trials": [_trial(trial) for trial in case.trials],
    }


def _trial(trial: Trial) -> dict[str, Any]:
    key = trial.key
    error = {"kind": trial.error.kind, "message": trial.error.message} if trial.error else None
    return {
        "arm": str(key.arm),
        "repeat": key.repeat,
        "item": key.item,
        "outcome": str(trial.outcome),
        "score": number(trial.score),
        "error": error,
        "completion": plain(trial.completion.as_json()) if trial.completion else None,
        "scores": [plain(score.as_json()) for score in trial.scores],
    }


def _word(value: str | None) -> str | None:
    return None if value is None else str(value)

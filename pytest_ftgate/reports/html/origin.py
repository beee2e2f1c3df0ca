"""How it was measured: models, graders, versions, digests, seeds, what was left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.gates import Assessment
from pytest_ftgate.record import RunInfo
from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.numbers import share
from pytest_ftgate.summary import SEED

_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """`models` are a role and its facts; `facts` are names and values; all harmless."""

    models: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    facts: tuple[tuple[str, str], ...]
    skipped: tuple[str, ...]
    left_out: tuple[str, ...]


def origin(assessment: Assessment) -> Origin:
    """Where the numbers of a page come from."""
    plan = assessment.record.plan
    skipped = [f"{case.suite}/{case.id}: {case.skip}" for case in plan.cases if case.skip is not None]
    return Origin(
        models=tuple((inert_line(role), tuple(_model(one))) for role, one in _models(assessment)),
        facts=tuple((name, inert_line(value, limit=600)) for name, value in _facts(assessment) if value),
        skipped=_capped(skipped),
        left_out=_capped(plan.left_out),
    )


def _models(assessment: Assessment) -> Iterator[tuple[str, dict[str, Any]]]:
    for role, model in assessment.record.run.models.items():
        served = _served(assessment, role)
        yield str(role), dict(model) | ({"served as": served} if served else {})


def _served(assessment: Assessment, role: str) -> str:
    """What the endpoint says it served, with fingerprints: several of them mean that it changed."""
    found = {
        " ".join(filter(None, (answer.model, answer.fingerprint)))
        for trial in assessment.record.trials
        if trial.key.arm == role and (answer := trial.completion) is not None
    }
    return ", ".join(sorted(found - {""})[:4])


def _model(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in model.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        yield inert_line(str(name), limit=60), inert_line(text, limit=400)


def _facts(assessment: Assessment) -> Iterator[tuple[str, str]]:
    run, plan, gate = assessment.record.run, assessment.record.plan, assessment.gate
    yield "run", run.run_id
    yield "started", run.started
    yield "finished", run.finished
    yield "pytest-ftgate", run.version
    yield "answers", ", ".join(f"{n:,} {source}" for source, n in _sources(assessment))
    yield "plan", f"{len(plan.cases):,} cases, digest {plan.digest}"
    if assessment.verdict.judged:
        yield "gate", f"digest {gate.digest}{', the default one' if gate.is_default else ''}"
    yield "confidence", f"{share(gate.confidence)} (intervals two-sided, bounds that decide one-sided)"
    if assessment.verdict.judged:
        yield "errors allowed", str(gate.max_errors)
    yield "seed of all resampling", str(SEED)
    yield "options of the gate", " ".join(run.gate_options)
    yield "suites", ", ".join(sorted({case.suite for case in plan.cases}))
    yield from _client(run)


def _client(run: RunInfo) -> Iterator[tuple[str, str]]:
    if run.lag_p95_s is not None:
        yield "lag of this client", f"{run.lag_p95_s * 1000:.1f} ms (95% of its samples were within)"
    if run.shard is not None:
        yield "shard", "{} of {}".format(*run.shard)
    for one in run.calibrations:
        judges = ", ".join(str(judge.get("name")) for judge in one.judges)
        yield "calibration of a judge", f"{judges}: {len(one.pairs)} labels, check {one.check}"


def _sources(assessment: Assessment) -> list[tuple[str, int]]:
    trials = assessment.record.trials
    return sorted(Counter(str(one.completion.source) for one in trials if one.completion).items())


def _capped(names: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    more = (f"and {len(names) - _MOST:,} more",) if len(names) > _MOST else ()
    return (*map(inert_line, names[:_MOST]), *more)

"""What JUnit XML says beyond pytest's own: properties of a case, texts of criteria and of the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.completions import Completion
from pytest_ftgate.gates import CriterionResult, Verdict
from pytest_ftgate.record import PlannedCase, Trial
from pytest_ftgate.reports.inert import harmless_start, inert_line
from pytest_ftgate.reports.numbers import observed
from pytest_ftgate.reports.outcomes import of_arm, outcomes_of

_MAX_REASONS = 50


def case_properties(case: EvalCase | PlannedCase, trials: Sequence[Trial]) -> list[tuple[str, str]]:
    """Name and value of every property that is known; numbers are the model's, means over its trials."""
    (outcome, flip), model = outcomes_of(case, trials), of_arm(trials, Arm.MODEL)
    answers = [trial.completion for trial in model if trial.completion is not None]
    found = {
        "ftgate_outcome": outcome[Arm.MODEL],
        "ftgate_baseline_outcome": outcome[Arm.BASELINE],
        "ftgate_flip": flip if trials else None,
        "ftgate_score": _mean([trial.score for trial in model], "{:.4f}"),
        "ftgate_latency_s": _mean([answer.latency_s for answer in answers], "{:.3f}"),
        "ftgate_tokens": _mean([_tokens(answer) for answer in answers], "{:.10g}"),
        "ftgate_cost": _mean([answer.cost for answer in answers], "{:.6g}"),
        "ftgate_category": inert_line(case.category),
    }
    return [_property(name, str(value)) for name, value in found.items() if value is not None]


def criterion_text(result: CriterionResult) -> str:
    """The first line is a message on its own; then the reason, and how the criterion is measured."""
    shown_only = "" if result.decides else " (shown only)"
    numbers = f"{observed(result)}, needed {result.threshold}, n={result.n}{shown_only}"
    lines = [
        f"{result.status}: {result.name}: {numbers}",
        result.reason,
        f"metric {', '.join(result.metric)}, compare {result.compare}, evidence {result.evidence}",
    ]
    return "\n".join(harmless_start(inert_line(text, limit=2000)) for text in lines if text)


def verdict_text(verdict: Verdict) -> str:
    """The word and its sentence, then reasons and warnings."""
    return "\n".join(inert_line(text, limit=2000) for text in _verdict(verdict))


def _verdict(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.word}: {verdict.sentence}"
    reasons = [reason for reason in verdict.reasons if reason.removeprefix("cut short: ") != verdict.sentence]
    yield from (f"- {reason}" for reason in reasons[:_MAX_REASONS])
    if len(reasons) > _MAX_REASONS:
        yield f"({len(reasons) - _MAX_REASONS} more reasons; the verdict file has all)"
    yield from (f"warning: {warning}" for warning in verdict.warnings[:_MAX_REASONS])


@lru_cache(maxsize=4096)
def _property(name: str, value: str) -> tuple[str, str]:
    """The pair; one for all cases of which the same is said, since pytest keeps them to the end."""
    return name, value


def _tokens(answer: Completion) -> int | None:
    known = [part for part in (answer.usage.input_tokens, answer.usage.output_tokens) if part is not None]
    return sum(known) if known else None


def _mean(values: Sequence[float | None], form: str) -> str | None:
    known = [value for value in values if value is not None]
    return form.format(sum(known) / len(known)) if known else None

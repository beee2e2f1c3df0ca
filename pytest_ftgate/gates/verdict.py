"""The verdict: one word over all criteria and the state of the run, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates.builtin_metrics import BUILTIN_METRICS
from pytest_ftgate.gates.config import parse_gate
from pytest_ftgate.gates.criteria import CriterionResult, Gate, GateError, Status
from pytest_ftgate.gates.deciding import decide
from pytest_ftgate.gates.metrics import Metric
from pytest_ftgate.gates.run_state import in_brief, lacks, warnings
from pytest_ftgate.gates.selection import scopes
from pytest_ftgate.gates.thresholds import points_text
from pytest_ftgate.record.plan import CaseKey, Plan
from pytest_ftgate.record.runs import Record, RunInfo
from pytest_ftgate.summary import Group, Summary, summarize

_NAMED = 3
UNJUDGED = "two runs are compared, and no gate judged them"
#: Intervals narrower than this, 0…2, are told with a decimal.
_NARROW = 0.1


class Word(StrEnum):
    """What the verdict says."""

    SHIP = "SHIP"
    ITERATE = "ITERATE"
    INCONCLUSIVE = "INCONCLUSIVE"
    INCOMPLETE = "INCOMPLETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One word, one sentence of why, and the reasons in full. `complete` is False exactly for INCOMPLETE.

    `judged` is False where no gate was asked, as for two runs that are only compared: the word is INCOMPLETE
    then, whatever they show, and people are not told it.
    """

    word: Word
    sentence: str
    reasons: tuple[str, ...]
    criteria: tuple[CriterionResult, ...]
    complete: bool
    narrowed: bool
    whole_shard: bool
    warnings: tuple[str, ...] = ()
    judged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All that a report may show; `metrics` are those that the gate's criteria name."""

    record: Record
    summary: Summary
    gate: Gate
    verdict: Verdict
    metrics: Mapping[str, Metric] = field(default_factory=lambda: BUILTIN_METRICS)

    def read_cases(self) -> dict[str, Collection[CaseKey]]:
        """The cases that each criterion reads, by its name."""
        planned = [case.planned for case in self.summary.cases]
        return {one.criterion.name: one.items.keys() for one in scopes(self.gate, planned, self.metrics)}


def judged_cases(gate: Gate, plan: Plan) -> frozenset[CaseKey]:  # noqa: ARG001  (no gate leaves a case out)
    """(suite, case id) of all cases that a deciding criterion judges, once `other_cases` took the rest.

    These are all cases that are not skipped and whose model is judged, whatever the criteria are.
    """
    return frozenset(
        case.key
        for case in plan.cases
        if case.skip is None and any(Arm.MODEL in item.arms for item in case.judging_items)
    )


def assess(
    record: Record, gate: Gate | None = None, *, metrics: Mapping[str, Metric] = BUILTIN_METRICS
) -> Assessment:
    """Judges a record by the gate stored in it, or by another one, and then says so.

    Raises `GateError` if the stored gate is needed and wrong.
    """
    is_other = gate is not None and gate.digest != _own_digest(record.run, metrics)
    gate = parse_gate(record.run.gate, record.run.gate_options, metrics=metrics) if gate is None else gate
    summary = summarize(record)
    results = decide(gate, summary.cases, record.run, metrics)
    verdict = _verdict(summary, gate, results, other_gate=is_other)
    return Assessment(record=record, summary=summary, gate=gate, verdict=verdict, metrics=metrics)


def _own_digest(run: RunInfo, metrics: Mapping[str, Metric]) -> str | None:
    """That of the gate by which the run was judged; None of one that can't be read any more."""
    try:
        return parse_gate(run.gate, run.gate_options, metrics=metrics).digest
    except GateError:
        return None


def unjudged(record: Record) -> Assessment:
    """The record with its numbers, and no gate: intervals are those of its gate's confidence."""
    given = {"confidence": record.run.gate["confidence"]} if "confidence" in record.run.gate else {}
    gate = replace(parse_gate(given), criteria=())
    summary = summarize(record)
    verdict = Verdict(
        word=Word.INCOMPLETE,
        sentence=UNJUDGED,
        reasons=(UNJUDGED,),
        criteria=(),
        complete=False,
        narrowed=False,
        whole_shard=False,
        warnings=warnings(summary, gate),
        judged=False,
    )
    return Assessment(record=record, summary=summary, gate=gate, verdict=verdict)


def _verdict(
    summary: Summary, gate: Gate, results: tuple[CriterionResult, ...], *, other_gate: bool
) -> Verdict:
    run = summary.record.run
    reasons, brief = lacks(summary, gate), in_brief(summary, gate)
    whole_shard = run.shard is not None and not reasons
    if run.shard is not None:
        shard = "shard {} of {}: `ftgate decide` judges the shards together".format(*run.shard)
        reasons.append(shard)
        brief.append(shard)
    word = Word.INCOMPLETE if reasons else _word(results)
    judged_by = [f"judged by another gate ({gate.digest}) than the run's own"] if other_gate else []
    return Verdict(
        word=word,
        sentence="; ".join(brief)
        if reasons
        else _sentence(word, results, summary.flagged, float(gate.confidence)),
        # A part of the cases says nothing about criteria that are meant for all.
        reasons=(*reasons, *(_blocking_reasons(results) if run.shard is None else ())),
        criteria=results,
        complete=not reasons,
        narrowed=bool(summary.record.plan.left_out),
        whole_shard=whole_shard,
        warnings=(*judged_by, *warnings(summary, gate), *_waived(results)),
    )


def _waived(results: Sequence[CriterionResult]) -> list[str]:
    return [f"{result.name} did not decide: {result.waived}" for result in results if result.waived]


def _word(results: Sequence[CriterionResult]) -> Word:
    deciding = {result.status for result in results if result.decides}
    if Status.NO_GO in deciding:
        return Word.ITERATE
    # Not `all(...)` alone: where nothing decides, nothing may ship.
    return Word.SHIP if deciding == {Status.GO} else Word.INCONCLUSIVE


def _blocking(results: Sequence[CriterionResult]) -> list[CriterionResult]:
    """The deciding criteria that are not GO, NO-GO first."""
    blocking = [result for result in results if result.decides and result.status is not Status.GO]
    return sorted(blocking, key=lambda result: result.status is not Status.NO_GO)


def _blocking_reasons(results: Sequence[CriterionResult]) -> list[str]:
    return [f"{result.name} is {result.status}: {result.reason}" for result in _blocking(results)]


def _sentence(
    word: Word, results: Sequence[CriterionResult], flagged: Sequence[Group], confidence: float
) -> str:
    deciding = [result for result in results if result.decides]
    if not deciding:
        why = "no criterion decides: none of them is measured here, or all are advisory"
    elif word is Word.SHIP:
        named = [f"{result.name} ({result.reason})" for result in deciding]
        why = f"{_all_of(len(deciding))} met: {_some(named)}"
    else:
        why = _why_not(word, results, len(deciding))
    return why + _flags(flagged, confidence)


def _all_of(n: int) -> str:
    return "the one deciding criterion is" if n == 1 else f"all {n} deciding criteria are"


def _some(named: Sequence[str]) -> str:
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more


def _why_not(word: Word, results: Sequence[CriterionResult], deciding: int) -> str:
    statuses = (Status.NO_GO,) if word is Word.ITERATE else (Status.INCONCLUSIVE, Status.NOT_MEASURED)
    blocking = [result for result in _blocking(results) if result.status in statuses]
    what = "not met" if word is Word.ITERATE else "not decided"
    share = f"{len(blocking)} of {deciding} deciding criteria {'is' if len(blocking) == 1 else 'are'}"
    share = "the one deciding criterion is" if deciding == 1 else share
    by_reason: dict[str, list[str]] = {}
    for result in blocking:
        by_reason.setdefault(result.reason, []).append(result.name)
    named = [f"{' and '.join(names)} ({reason})" for reason, names in by_reason.items()]
    return f"{share} {what}: {_some(named)}"


def _cases(n: int) -> str:
    return "1 case" if n == 1 else f"{n} cases"


def _flags(flagged: Sequence[Group], confidence: float) -> str:
    if not flagged:
        return ""
    named = [_flag(group, confidence) for group in flagged]
    noun = "category" if len(named) == 1 else "categories"
    return f"; flagged: {noun} {_some(named)} dropped by more than 5 points"


def _flag(group: Group, confidence: float) -> str:
    """A category with its interval: `arithmetic (-14.3 points, -47 to 21, on 7 cases)`."""
    bounds = group.delta_interval(confidence)
    assert group.delta is not None
    assert bounds is not None
    low, high = (_bound(bound, narrow=bounds[1] - bounds[0] < _NARROW) for bound in bounds)
    return f"{group.value} ({points_text(group.delta)} points, {low} to {high}, on {_cases(group.paired)})"


def _bound(bound: float, *, narrow: bool) -> str:
    """In points: whole ones, unless the interval is narrow."""
    return f"{bound * 100:z.1f}" if narrow else f"{bound * 100:z.0f}"

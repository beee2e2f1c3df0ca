"""The head of the page: the verdict, and the three questions that people come with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment, Status, Verdict, Word
from pytest_ftgate.reports.arms import is_against_itself
from pytest_ftgate.reports.html.cases import anchor_of, kind_of, reason_of
from pytest_ftgate.reports.html.criteria import could_be_noise
from pytest_ftgate.reports.inert import inert_line, inert_text
from pytest_ftgate.reports.lines import shorten
from pytest_ftgate.reports.numbers import p_value, percent, percent_interval, points, points_interval, share
from pytest_ftgate.reports.outcomes import samples_of
from pytest_ftgate.summary import CaseResult, Flip, Group

#: A word is never told by its colour alone.
SIGNS = {Word.SHIP: "✓", Word.ITERATE: "✕", Word.INCONCLUSIVE: "?", Word.INCOMPLETE: "!"}
_ANSWERS = {
    Word.SHIP: "Yes.",
    Word.ITERATE: "No.",
    Word.INCONCLUSIVE: "Not decided.",
    Word.INCOMPLETE: "Unknown: the run is not whole.",
}
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What people come to ask: in brief, in some lines, and where to read on.

    `examples` are cases: what leads to them, their names, prompts, and why they came out as they did.
    """

    question: str
    brief: str
    lines: tuple[str, ...]
    where: str
    examples: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Texts of the head, harmless."""

    word: str
    sign: str
    sentence: str
    model: str
    baseline: str
    facts: tuple[str, ...]
    answers: tuple[Answer, ...]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


def heading(assessment: Assessment, cases: Sequence[CaseResult]) -> Heading:
    """The head of an assessment's page; `cases` in the order of `case_order`."""
    verdict, run = assessment.verdict, assessment.record.run
    return Heading(
        word=str(verdict.word) if verdict.judged else "COMPARED",
        sign=SIGNS[verdict.word] if verdict.judged else "=",
        sentence=inert_text(verdict.sentence),
        model=_name(assessment, Arm.MODEL) or "no model",
        baseline=_name(assessment, Arm.BASELINE) or "no baseline",
        facts=tuple(map(inert_line, _facts(assessment))),
        answers=(_ship(assessment), _worse(assessment, cases), _sure(assessment)),
        reasons=tuple(map(inert_text, verdict.reasons))
        if verdict.word is Word.INCOMPLETE and verdict.judged
        else (),
        warnings=tuple(map(inert_text, (*verdict.warnings, *_itself(is_against_itself(run))))),
    )


def _itself(same: bool) -> Iterator[str]:
    if same:
        yield "model and baseline are the same: all differences on this page are noise"


def _name(assessment: Assessment, arm: Arm) -> str:
    model = assessment.record.run.models.get(arm) or {}
    revision = f" @ {model['revision']}" if model.get("revision") else ""
    return inert_line(f"{model.get('name', '')}{revision}", limit=160)


def _facts(assessment: Assessment) -> Iterator[str]:
    run, summary = assessment.record.run, assessment.summary
    cases = sum(case.planned.skip is None for case in summary.cases)
    yield f"{_count(cases, 'case')}, {_count(len(assessment.record.trials), 'trial')}"
    yield f"{run.mode} answers"
    if run.finished:
        yield f"finished {_stamp(run.finished)}{_took(run.started, run.finished)}"
    yield f"run {run.run_id}"


def _stamp(text: str) -> str:
    return text[:16].replace("T", " ") + (" UTC" if text.endswith(("+00:00", "Z")) else "")


def _took(started: str, finished: str) -> str:
    try:
        seconds = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
    except (ValueError, TypeError):
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f" after {minutes} min {rest} s" if minutes else f" after {max(seconds, 0):.1f} s"


def _ship(assessment: Assessment) -> Answer:
    verdict = assessment.verdict
    brief = _ANSWERS[verdict.word] if verdict.judged else "Nobody judged."
    lines = tuple(_met(assessment)) if verdict.judged else ("two runs are compared, without a gate",)
    return Answer(question="May it ship?", brief=brief, lines=lines, where="criteria")


def _met(assessment: Assessment) -> Iterator[str]:
    deciding = [one for one in assessment.verdict.criteria if one.decides]
    met = sum(one.status is Status.GO for one in deciding)
    yield f"{met} of {_count(len(deciding), 'deciding criterion', 'deciding criteria')} met"
    for status, what in (
        (Status.NO_GO, "not met"),
        (Status.INCONCLUSIVE, "not decided"),
        (Status.NOT_MEASURED, "not measured"),
    ):
        if named := [one for one in deciding if one.status is status]:
            yield f"{what}: {_named([one.name for one in named])}"


def _worse(assessment: Assessment, cases: Sequence[CaseResult]) -> Answer:
    is_paired = any(case.pair for case in cases)
    worse = [case for case in cases if kind_of(case) == ("regression" if is_paired else "failed")]
    brief, lines = _changes(assessment, len(worse)) if is_paired else _failures(len(worse))
    errors = len(assessment.summary.errored)
    return Answer(
        question="What got worse?",
        brief=brief,
        lines=(
            *lines,
            *([f"{_count(errors, 'trial')} errored: neither passed nor failed"] if errors else []),
        ),
        where="changes",
        examples=tuple(map(_example, samples_of(worse, _NAMED))),
    )


def _example(case: CaseResult) -> tuple[str, str, str, str]:
    asked = shorten(inert_line(" ".join(case.planned.prompt[:400].split()), limit=400), 90)
    return (
        anchor_of(case),
        inert_line(case.planned.id, limit=60),
        asked,
        inert_line(reason_of(case), limit=200),
    )


def _failures(failed: int) -> tuple[str, list[str]]:
    return "Nothing to compare with.", [f"{_count(failed, 'case')} failed"]


def _changes(assessment: Assessment, lost: int) -> tuple[str, list[str]]:
    fixed = sum(case.flip is Flip.FIXED for case in assessment.summary.cases)
    drops = [f"{group.value} {points(group.delta)}" for group in assessment.summary.flagged]
    lines = [f"{_count(fixed, 'case')} fixed"]
    if drops:
        lines.append(
            f"{_count(len(drops), 'category', 'categories')} down by more than 5 points: {_named(drops)}"
        )
    return _count(lost, "regression") + ".", lines


def _sure(assessment: Assessment) -> Answer:
    confidence = float(assessment.gate.confidence)
    whole = next((group for group in assessment.summary.groups if group.by == "all"), None)
    if whole is None:
        return Answer(question="How sure is this?", brief="Nothing was measured.", lines=(), where="rates")
    noisy = [one.name for one in assessment.verdict.criteria if one.decides and could_be_noise(one)]
    lines = [_overall(whole, confidence), *([f"noise may explain: {_named(noisy)}"] if noisy else [])]
    return Answer(
        question="How sure is this?",
        brief=_certainty(assessment.verdict),
        lines=tuple(lines),
        where="rates",
    )


_DECISIVE = {
    Word.SHIP: (Status.GO, "criterion met", "criteria met"),
    Word.ITERATE: (Status.NO_GO, "failure", "failures"),
}


def _certainty(verdict: Verdict) -> str:
    """Whether another run of the same models might end otherwise."""
    if verdict.word not in _DECISIVE or not verdict.judged:
        return {Word.INCONCLUSIVE: "Not sure enough to decide."}.get(verdict.word, "Nothing is decided.")
    status, one, many = _DECISIVE[verdict.word]
    told = [each for each in verdict.criteria if each.decides and each.status is status and each.interval]
    noisy = sum(map(could_be_noise, told))
    if not told:
        return "Unknown: nothing bounds it."
    if not noisy:
        return (
            f"Sure: noise explains none of the {len(told)} {many}."
            if len(told) > 1
            else f"Sure: no noise explains the {one}."
        )
    if noisy == len(told):
        return f"Not very: noise may explain {'all ' if noisy > 1 else ''}the {_count(noisy, one, many)}."
    return f"Mostly: noise may explain {noisy} of the {len(told)} {many}."


def _overall(group: Group, confidence: float) -> str:
    bounds = group.delta_interval(confidence)
    if bounds is None or group.delta is None:
        rate = group.model.interval(confidence)
        told = f" {percent_interval(rate)}, a {share(confidence)} interval" if rate else ""
        return f"all cases: {percent(group.model.rate)} passed{told}, n={group.model.n}"
    change = f"{points(group.delta)} points {points_interval(bounds)}"
    of = f"a {share(confidence)} interval, {_count(group.paired, 'case')} of both arms, p {_p(group.p_value)}"
    return f"all cases: {change}, {of}"


def _p(p: float | None) -> str:
    shown = p_value(p)
    return f"< {shown[1:]}" if shown.startswith("<") else f"= {shown}"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return inert_line(", ".join(names[:_NAMED]), limit=240) + more


def _count(n: int, noun: str, nouns: str = "") -> str:
    return f"{n} {noun}" if n == 1 else f"{n:,} {nouns or f'{noun}s'}"

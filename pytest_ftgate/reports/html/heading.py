"""The head of the page: the verdict, and the three questions that people come with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment, CriterionResult, Status, Word
from pytest_ftgate.reports.arms import is_against_itself
from pytest_ftgate.reports.html.criteria import could_be_noise
from pytest_ftgate.reports.inert import inert_line, inert_text
from pytest_ftgate.reports.numbers import p_value, percent, points, points_interval, share
from pytest_ftgate.summary import Flip, Group

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
class Heading:
    """Texts of the head, harmless; `answers` are the three questions with theirs, and where to read on."""

    word: str
    sign: str
    sentence: str
    model: str
    baseline: str
    facts: tuple[str, ...]
    answers: tuple[tuple[str, str, tuple[str, ...], str], ...]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


def heading(assessment: Assessment) -> Heading:
    """The head of an assessment's page."""
    verdict, run = assessment.verdict, assessment.record.run
    return Heading(
        word=str(verdict.word),
        sign=SIGNS[verdict.word],
        sentence=inert_text(verdict.sentence),
        model=_name(assessment, Arm.MODEL) or "no model",
        baseline=_name(assessment, Arm.BASELINE) or "no baseline",
        facts=tuple(map(inert_line, _facts(assessment))),
        answers=(
            ("May it ship?", _ANSWERS[verdict.word], tuple(_ship(assessment)), "criteria"),
            ("What got worse?", *_worse(assessment), "changes"),
            ("How sure is this?", *_sure(assessment), "rates"),
        ),
        reasons=tuple(map(inert_text, verdict.reasons)),
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


def _ship(assessment: Assessment) -> Iterator[str]:
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


def _worse(assessment: Assessment) -> tuple[str, tuple[str, ...]]:
    cases = assessment.summary.cases
    lost = [case for case in cases if case.flip is Flip.REGRESSION]
    fixed = sum(case.flip is Flip.FIXED for case in cases)
    errors = len(assessment.summary.errored)
    if not any(case.pair for case in cases):
        failed = sum(case.outcome[Arm.MODEL] == "failed" for case in cases)
        return "Nothing to compare with.", (f"{_count(failed, 'case')} failed", *_errors(errors))
    flagged = sorted(assessment.summary.flagged, key=lambda group: group.delta or 0)
    drops = [f"{group.value} {points(group.delta)}" for group in flagged]
    told = [f"{_count(fixed, 'case')} fixed"]
    if drops:
        told.append(
            f"{_count(len(drops), 'category', 'categories')} down by more than 5 points: {_named(drops)}"
        )
    return _count(len(lost), "regression") + ".", (*told, *_errors(errors))


def _errors(n: int) -> list[str]:
    return [f"{_count(n, 'trial')} errored: neither passed nor failed"] if n else []


def _sure(assessment: Assessment) -> tuple[str, tuple[str, ...]]:
    confidence = float(assessment.gate.confidence)
    whole = next((group for group in assessment.summary.groups if group.by == "all"), None)
    if whole is None:
        return "Nothing was measured.", ()
    headline, detail = _overall(whole, confidence)
    return headline, (detail, *_noise(assessment.verdict.criteria))


def _overall(group: Group, confidence: float) -> tuple[str, str]:
    bounds = group.delta_interval(confidence)
    if bounds is None or group.delta is None:
        rate = group.model.interval(confidence)
        told = f"{percent(rate[0])} to {percent(rate[1])}" if rate else "no interval"
        return (
            f"{percent(group.model.rate)} passed.",
            f"{share(confidence)} interval {told}, n={group.model.n}",
        )
    headline = f"{points(group.delta)} points {points_interval(bounds)}."
    of = f"pass rate of all cases, {share(confidence)} interval, {_count(group.paired, 'pair')}"
    return headline, f"{of}, p {_p(group.p_value)}"


def _p(p: float | None) -> str:
    shown = p_value(p)
    return f"< {shown[1:]}" if shown.startswith("<") else f"= {shown}"


def _noise(criteria: tuple[CriterionResult, ...]) -> Iterator[str]:
    """How many criteria another run of the same models might decide the other way."""
    bounded = [one for one in criteria if one.decides and one.interval]
    if not bounded:
        return
    open_ = [one.name for one in bounded if could_be_noise(one)]
    if open_:
        verb = "has its threshold" if len(open_) == 1 else "have their thresholds"
        named = _named(open_)
        yield f"{len(open_)} of {len(bounded)} {verb} inside the interval, so noise may decide: {named}"
    else:
        yield f"no threshold lies inside its interval ({_count(len(bounded), 'criterion', 'criteria')})"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return inert_line(", ".join(names[:_NAMED]), limit=240) + more


def _count(n: int, noun: str, nouns: str = "") -> str:
    return f"{n} {noun}" if n == 1 else f"{n:,} {nouns or f'{noun}s'}"

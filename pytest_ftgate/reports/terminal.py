"""The report at the end of a session: table, criteria, flips, verdict. It returns lines, never prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment, CriterionResult, Status, Verdict, Word
from pytest_ftgate.record import Outcome
from pytest_ftgate.reports.arms import arms_lines, is_against_itself
from pytest_ftgate.reports.criterion_lines import criterion_lines
from pytest_ftgate.reports.inert import harmless_start
from pytest_ftgate.reports.judges import judge_lines
from pytest_ftgate.reports.lines import (
    Line,
    Segment,
    Style,
    as_ascii,
    cells,
    line,
    shorten,
    shorten_middle,
)
from pytest_ftgate.reports.outcomes import of_arm, repeats_passed, samples_of
from pytest_ftgate.reports.page import Page
from pytest_ftgate.reports.reasons import short_reason
from pytest_ftgate.reports.stability import stability_lines
from pytest_ftgate.reports.table import table
from pytest_ftgate.reports.votes import votes_line
from pytest_ftgate.summary import CaseResult, Flip

WORD_STYLES: Mapping[Word, Style] = {
    Word.SHIP: "green",
    Word.ITERATE: "red",
    Word.INCONCLUSIVE: "yellow",
    Word.INCOMPLETE: "yellow",
}

_MIN_WIDTH, _MAX_WIDTH = 72, 160
_AGAINST_ITSELF = "A/A run: every difference is noise of this suite; twice "
_NEXT = (
    "next: add cases as the reasons say (repeats are no cases), or let the gate ask for less; "
    "`ftgate plan` shows beforehand what a suite can decide"
)
_MAX_FLIPS, _MAX_FLIPS_VERBOSE = 5, 500
_MAX_REASONS, _MAX_REASONS_VERBOSE = 10, 200


def render_terminal(
    assessment: Assessment, *, width: int, verbosity: int = 0, ascii_only: bool = False
) -> Sequence[Line]:
    """The whole report, or with `-q` (verbosity below 0) the failed criteria and the verdict.

    `width` is the terminal's, in columns; 72 to 160 of them are used.
    """
    page = Page(width=min(max(width, _MIN_WIDTH), _MAX_WIDTH), verbosity=verbosity, ascii_only=ascii_only)
    sections = [section for section in _sections(assessment, page) if section]
    lines = [row for section in sections for row in (*section, line())][:-1]
    return [as_ascii(row) for row in lines] if ascii_only else lines


def _sections(assessment: Assessment, page: Page) -> Iterator[list[Line]]:
    verdict, confidence = assessment.verdict, assessment.gate.confidence
    is_shard = assessment.record.run.shard is not None
    if page.verbosity < 0:
        judged = verdict.criteria if assessment.record.trials and not is_shard else ()
        failed = [result for result in judged if result.decides and result.status is not Status.GO]
        yield [*criterion_lines(failed, confidence, page), *_verdict(verdict, page)]
        return
    # A narrowed run decides nothing, and its failures have just been shown: numbers on request only.
    if not verdict.narrowed or page.verbosity > 0:
        yield _with_caption(assessment, table(assessment, page), page)
    # Where nothing came in, as after a collection error, every line would only repeat that.
    if not verdict.narrowed and assessment.record.trials:
        if page.verbosity > 0:
            yield list(arms_lines(assessment, page))
        # Criteria are meant for all cases: what a part of them shows would mislead.
        yield list(judge_lines(assessment.summary.judged_pairs, page))
        yield list(criterion_lines(() if is_shard else verdict.criteria, confidence, page))
        yield [*_flips(assessment, page), *stability_lines(assessment.summary, page)]
        if votes := assessment.summary.votes:
            yield list(page.paragraph(page.text(votes_line(votes)), indent="  "))
    yield list(_verdict(verdict, page))


def _with_caption(assessment: Assessment, rows: list[Line], page: Page) -> list[Line]:
    """The table below a line that says who was compared, and from where the answers came."""
    if not rows:
        return []
    run = assessment.record.run
    names = [f"{arm} {run.models[arm]['name']}" for arm in Arm if run.models.get(arm, {}).get("name")]
    if is_against_itself(run):
        twice = page.text(str(run.models[Arm.MODEL].get("name")))
        names = [_AGAINST_ITSELF + shorten_middle(twice, page.width - len(_AGAINST_ITSELF))]
    shard = f"shard {run.shard[0]} of {run.shard[1]}" if run.shard else ""
    parts = [", ".join(names), "" if run.mode == "live" else f"answers: {run.mode}", shard]
    caption = page.text("; ".join(part for part in parts if part))
    return [line(Segment(shorten_middle(caption, page.width), "dim")), *rows] if caption else rows


def _flips(assessment: Assessment, page: Page) -> Iterator[Line]:
    """The regressions with a reason each, the most serious first; the other flips as numbers."""
    cases = assessment.summary.cases
    by_flip = {flip: [case for case in cases if case.flip is flip] for flip in Flip}
    regressions = sorted(by_flip[Flip.REGRESSION], key=lambda case: not case.planned.must_pass)
    limit = _MAX_FLIPS_VERBOSE if page.verbosity > 0 else _MAX_FLIPS
    by_chance = is_against_itself(assessment.record.run)
    if regressions:
        hint = "" if len(regressions) <= limit or page.verbosity > 0 else "; -v shows all"
        shown = "" if len(regressions) <= limit else f", {limit} shown{hint}"
        what = "failed as model and passed as baseline" if by_chance else "regressed (the baseline passed)"
        yield line(Segment(f"{_cases(len(regressions))} {what}{shown}", "bold"))
    for case in regressions if len(regressions) <= limit else samples_of(regressions, limit):
        yield from _regression(case, page)
    fixed, both = by_flip[Flip.FIXED], by_flip[Flip.BOTH_FAILED]
    better = f"{_cases(len(fixed))} {'the other way round' if by_chance else 'fixed'}"
    if fixed and page.verbosity > 0:
        cut = f", {_MAX_FLIPS_VERBOSE} shown" if len(fixed) > _MAX_FLIPS_VERBOSE else ""
        yield line(Segment(f"{better} (the model passed, the baseline did not){cut}", "bold"))
        for case in fixed[:_MAX_FLIPS_VERBOSE]:
            yield line(f"  {shorten_middle(_name(case, page), page.width - 2)}")
    counts = [better] * bool(fixed and page.verbosity <= 0)
    counts += [f"{_cases(len(both))} failed on both arms"] * bool(both)
    if counts:
        yield line(", ".join(counts))


def _regression(case: CaseResult, page: Page) -> Iterator[Line]:
    name, reason = _name(case, page), page.text(_reason(case))
    if 2 + cells(name) + 2 + cells(reason) <= page.width:
        yield line(f"  {name}  ", Segment(reason, "red"))
        return
    yield line(f"  {shorten_middle(name, page.width - 2)}")
    yield line("    ", Segment(shorten(harmless_start(reason), page.width - 4), "red"))


def _name(case: CaseResult, page: Page) -> str:
    return page.text(f"{case.planned.path}::{case.planned.id}")


def _reason(case: CaseResult) -> str:
    """Why the model missed it, in one line; of several repeats, also how many passed."""
    trials = of_arm(case.trials, Arm.MODEL)
    missed = [trial for trial in trials if trial.outcome is not Outcome.PASSED]
    if not missed:
        return "no reason is recorded"
    return "; ".join(part for part in (repeats_passed(trials), short_reason(missed[0])) if part)


def _verdict(verdict: Verdict, page: Page) -> Iterator[Line]:
    """The word and its sentence, what an incomplete run lacks, and warnings."""
    limit = _MAX_REASONS_VERBOSE if page.verbosity > 0 else _MAX_REASONS
    if verdict.judged:
        yield from _word(verdict, limit, page)
    yield from _listed(verdict.warnings, "warning: ", "yellow", limit, page)


def _word(verdict: Verdict, limit: int, page: Page) -> Iterator[Line]:
    first, *rest = page.paragraph(page.text(f"{verdict.word}: {verdict.sentence}"), indent="  ", max_lines=8)
    yield line(Segment(verdict.word, WORD_STYLES[verdict.word]), first[0].text.removeprefix(verdict.word))
    yield from rest
    if verdict.word is Word.INCOMPLETE:
        yield from _listed(_lacking(verdict), "  - ", "plain", limit, page)
    if page.verbosity >= 0 and verdict.word is Word.INCONCLUSIVE and any(map(_is_open, verdict.criteria)):
        yield from page.paragraph(_NEXT, indent="  ")


def _is_open(result: CriterionResult) -> bool:
    """Whether it was measured, and more cases like these could decide it."""
    return result.decides and result.status is Status.INCONCLUSIVE and result.interval is not None


def _lacking(verdict: Verdict) -> list[str]:
    """The reasons that neither the sentence nor a criterion's line has told."""
    told = tuple(f"{result.name} is " for result in verdict.criteria)
    lacking = [reason for reason in verdict.reasons if not reason.startswith(told)]
    return [reason for reason in lacking if reason.removeprefix("cut short: ") not in verdict.sentence]


def _listed(texts: Sequence[str], first: str, style: Style, limit: int, page: Page) -> Iterator[Line]:
    for text in texts[:limit]:
        yield from page.paragraph(page.text(text), first=first, indent="    ", style=style, max_lines=4)
    if len(texts) > limit:
        yield line(f"  ({len(texts) - limit} more{'; -v shows more' if page.verbosity <= 0 else ''})")


def _cases(number: int) -> str:
    return f"{number} case" if number == 1 else f"{number} cases"

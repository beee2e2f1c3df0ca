"""The report for a pull request and for GitHub's step summary: short, and no model formats anything in it.

Every text that is not ours stands on one line in a code span, so that no answer can make a heading, a link,
an image, a mention or HTML. The JSON report holds the texts themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment, CriterionResult, Status, Verdict, Word
from pytest_ftgate.record import Outcome
from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.judges import judge_sentences
from pytest_ftgate.reports.numbers import (
    NOTHING,
    observed,
    observed_interval,
    percent,
    percent_interval,
    points,
    points_interval,
    share,
)
from pytest_ftgate.reports.outcomes import of_arm, samples_of
from pytest_ftgate.reports.reasons import short_reason
from pytest_ftgate.reports.votes import votes_line
from pytest_ftgate.summary import CaseResult, Flip, Group, JudgedPairs, Rate

_MAX_CRITERIA, _MAX_CATEGORIES, _MAX_FLIPS, _MAX_NOTES = 16, 14, 5, 4
_SENTENCE, _LINE = 1000, 300
# GitHub's parser gives up on longer runs, and would then read what stands between them as Markdown.
_LONG_RUN = re.compile("`{10,}")
_RUN = re.compile("`+")
# In a table even a code span ends at a bar, and not all parsers agree on what a backslash before it means.
_BAR = re.compile(r"\|")

_SIGNS = {
    Status.GO: "✅ GO",
    Status.NO_GO: "❌ NO-GO",
    Status.INCONCLUSIVE: "❔ INCONCLUSIVE",
    Status.NOT_MEASURED: "➖ NOT MEASURED",  # noqa: RUF001 - the heavy minus is meant
}
_WORD_SIGNS = {Word.SHIP: "✅", Word.ITERATE: "❌", Word.INCONCLUSIVE: "❔", Word.INCOMPLETE: "⚠️"}


def render_markdown(assessment: Assessment) -> str:
    """At most 60 lines: the verdict first, criteria, categories, and in a fold the flips worth reading."""
    blocks = [block for block in _blocks(assessment) if block]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def code(text: str, *, limit: int = _LINE) -> str:
    r"""Any text as one code span: harmless and on one line, bars as `\x7c`, long runs of backticks as `\x60`.

    Its content is `code_text`; a parser of CommonMark gives that back unchanged.
    """
    shown = code_text(text, limit=limit)
    if not shown.strip(" "):
        return "(empty)"
    longest = max(map(len, _RUN.findall(shown)), default=0)
    fence = "`" * (longest + 1)
    room = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{room}{shown}{room}{fence}"


def code_text(text: str, *, limit: int = _LINE) -> str:
    """What a code span shows of a text."""
    shown = _BAR.sub(r"\\x7c", inert_line(text, limit=limit))
    return _LONG_RUN.sub(lambda run: r"\x60" * len(run[0]), shown)


def _blocks(assessment: Assessment) -> Iterator[list[str]]:
    verdict = assessment.verdict
    yield from _heading(verdict)
    yield _about(assessment)
    yield _notes(verdict)
    if not verdict.narrowed and assessment.record.trials:
        yield _criteria(verdict.criteria if assessment.record.run.shard is None else ())
        yield [votes_line(assessment.summary.votes)] if assessment.summary.votes else []
        yield _categories(assessment)
        yield _judged(assessment.summary.judged_pairs)
        yield _flips(assessment.summary.cases)


def _heading(verdict: Verdict) -> Iterator[list[str]]:
    if not verdict.judged:
        yield ["## Two runs compared"]
        return
    yield [f"## {_WORD_SIGNS[verdict.word]} {verdict.word}"]
    yield [code(verdict.sentence, limit=_SENTENCE)]


def _judged(pairs: JudgedPairs | None) -> list[str]:
    return [f"- {sentence}" for sentence in judge_sentences(pairs)] if pairs is not None else []


def _about(assessment: Assessment) -> list[str]:
    run = assessment.record.run
    names = [
        f"{arm} {code(str(run.models[arm]['name']), limit=100)}"
        for arm in Arm
        if run.models.get(arm, {}).get("name")
    ]
    mode = [] if run.mode == "live" else [f"answers {code(run.mode)}"]
    return [" · ".join([*names, *mode, f"run {code(run.run_id, limit=100)}"])]


def _notes(verdict: Verdict) -> list[str]:
    """What an incomplete run lacks, and warnings."""
    reasons = verdict.reasons if verdict.word is Word.INCOMPLETE and verdict.judged else ()
    lacking = [reason for reason in reasons if reason.removeprefix("cut short: ") not in verdict.sentence]
    return [*_listed("", lacking), *_listed("warning: ", verdict.warnings)]


def _listed(before: str, texts: Sequence[str]) -> list[str]:
    rows = [f"- {before}{code(text)}" for text in texts[:_MAX_NOTES]]
    return rows + ([f"- {len(texts) - _MAX_NOTES} more"] if len(texts) > _MAX_NOTES else [])


def _criteria(results: Sequence[CriterionResult]) -> list[str]:
    """Those that block first, where there are too many to show."""
    if not results:
        return []
    shown = list(results)
    if len(results) > _MAX_CRITERIA:
        shown = sorted(results, key=lambda result: (not result.decides, result.status is Status.GO))
    rows = [_criterion(result) for result in shown[:_MAX_CRITERIA]]
    return _table(("criterion", "status", "observed", "needed", "n"), rows, len(results) - len(rows))


def _criterion(result: CriterionResult) -> Sequence[str]:
    status = _SIGNS[result.status] + ("" if result.decides else " (shown only)")
    bounds = observed_interval(result)
    numbers = f"{observed(result)} {bounds}".rstrip()
    return code(result.name, limit=100), status, numbers, code(result.threshold, limit=40), str(result.n)


def _categories(assessment: Assessment) -> list[str]:
    confidence = float(assessment.gate.confidence)
    groups = [group for group in assessment.summary.groups if group.by in ("category", "role", "all")]
    roles = [group for group in groups if group.by == "role"]
    categories = [group for group in groups if group.by == "category"]
    if len(categories) > _MAX_CATEGORIES:
        categories.sort(key=lambda group: not group.flagged)
    shown = categories[:_MAX_CATEGORIES] if len(categories) > 1 else []
    everything = [group for group in groups if group.by == "all"]
    totals = [*(roles if len(roles) > 1 else ()), *everything]
    rows = [_group(group, confidence) for group in (*shown, *totals)]
    compared = any(group.baseline is not None for group in groups)
    header = ("category", "n", "model", "baseline", "delta", f"{share(confidence)} CI", "w/l/t")
    columns = slice(None) if compared else slice(3)
    made = _table(header[columns], [row[columns] for row in rows], len(categories) - len(shown))
    if not compared or everything[0].paired == everything[0].n:
        return made
    return [*made, "", f"n counts planned cases; delta and w/l/t are of {everything[0].paired} on both arms."]


def _group(group: Group, confidence: float) -> Sequence[str]:
    bounds = group.delta_interval(confidence)
    return (
        f"**{group.value}**" if group.by in ("role", "all") else code(group.value, limit=60),
        str(group.n),
        _rate(group.model, confidence if group.baseline is None else None),
        _rate(group.baseline, None),
        points(group.delta) + (" ❗" if group.flagged and group.by == "category" else ""),
        points_interval(bounds) if bounds else NOTHING,
        f"{group.wins}/{group.losses}/{group.ties}" if bounds else NOTHING,
    )


def _rate(rate: Rate | None, confidence: float | None) -> str:
    if rate is None:
        return NOTHING
    bounds = rate.interval(confidence) if confidence is not None else None
    return percent(rate.rate) + (f" {percent_interval(bounds)}" if bounds else "")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], hidden: int) -> list[str]:
    made = [header, ["---"] * len(header), *rows]
    more = [[f"{hidden} more", *[""] * (len(header) - 1)]] if hidden > 0 and len(rows) > 1 else []
    return [f"| {' | '.join(row)} |" for row in (*made, *more)]


def _flips(cases: Sequence[CaseResult]) -> list[str]:
    """Regressions first, the most serious of them first; a fold, since they quote answers."""
    lost, fixed = ([case for case in cases if case.flip is flip] for flip in (Flip.REGRESSION, Flip.FIXED))
    if not lost and not fixed:
        return []
    shown = [*samples_of(lost, _MAX_FLIPS), *samples_of(fixed, _MAX_FLIPS)][:_MAX_FLIPS]
    rows = [_flip(case) for case in shown]
    cut = f"; {len(shown)} of them here" if len(shown) < len(lost) + len(fixed) else ""
    summary = f"<summary>{len(lost)} regressed, {len(fixed)} fixed{cut}</summary>"
    return ["<details>", summary, "", *rows, "", "</details>"]


def _flip(case: CaseResult) -> str:
    name = code(f"{case.planned.path}::{case.planned.id}", limit=200)
    whose = Arm.MODEL if case.flip is Flip.REGRESSION else Arm.BASELINE
    missed = [trial for trial in of_arm(case.trials, whose) if trial.outcome is not Outcome.PASSED]
    before = "" if whose is Arm.MODEL else "the baseline's "
    reason = f": {before}{code(short_reason(missed[0]))}" if missed else ""
    return f"- {case.flip}: {name}{reason}"

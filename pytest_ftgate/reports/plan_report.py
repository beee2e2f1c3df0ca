"""What `ftgate plan` shows: cases, requests and cost, what each criterion can decide, leaks. Lines only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_ftgate.planning import CriterionPlan, Demand, Grading, Outlook, Prospect, RunPlan
from pytest_ftgate.planning.advice import about, percent, points
from pytest_ftgate.planning.assumptions import BASELINE, DISCORDANCE, MARGIN
from pytest_ftgate.reports.columns import columns
from pytest_ftgate.reports.lines import Line, Segment, Style, as_ascii, cells, line, pad, shorten_middle
from pytest_ftgate.reports.numbers import NOTHING
from pytest_ftgate.reports.page import Page
from pytest_ftgate.reports.plan_leaks import leak_lines

PROSPECT_STYLES: Mapping[Prospect, Style] = {
    Prospect.DECIDABLE: "green",
    Prospect.TOO_FEW: "yellow",
    Prospect.NEVER: "red",
    Prospect.UNKNOWN: "plain",
    Prospect.NO_CASES: "dim",
}

_MIN_WIDTH, _MAX_WIDTH = 72, 160
_MAX_GROUPS = 40
_MAX_LISTED = 20
_WORD = max(len(prospect) for prospect in Prospect)
_SHOWN_ONLY = "shown only"


def render_plan(plan: RunPlan, *, width: int, verbosity: int = 0, ascii_only: bool = False) -> Sequence[Line]:
    """The whole plan; `width` is the terminal's, in columns, of which 72 to 160 are used."""
    page = Page(width=min(max(width, _MIN_WIDTH), _MAX_WIDTH), verbosity=verbosity, ascii_only=ascii_only)
    sections = [
        [*_cases(plan, page)],
        [*_demands(plan, page)],
        [*_assumptions(plan, page)],
        [*_criteria(plan.criteria, page)],
        [*leak_lines(plan.leaks, page)] if plan.leaks else [],
        [*_conclusion(plan)],
    ]
    lines = [row for section in sections if section for row in (*section, line())][:-1]
    return [as_ascii(row) for row in lines] if ascii_only else lines


# Cases and requests.


def _cases(plan: RunPlan, page: Page) -> Iterator[Line]:
    suites = len({group.suite for group in plan.groups})
    noun = "1 suite" if suites == 1 else f"{suites} suites"
    yield line(Segment(f"{_counted(plan.cases, 'case')} in {noun}", "bold"))
    shown = plan.groups if page.verbosity > 0 else plan.groups[:_MAX_GROUPS]
    rows = [
        (page.text(group.suite), group.role, page.text(group.category), f"{group.n:,}") for group in shown
    ]
    yield from columns(("suite", "role", "category", "cases"), rows, page, right=1)
    if len(shown) < len(plan.groups):
        yield _note(f"{len(plan.groups) - len(shown)} more categories; -v shows all", page)
    if plan.skipped:
        yield from _listed(
            f"{_counted(len(plan.skipped), 'case')} skipped",
            [f"{case.path}::{case.id}: {case.skip}" for case in plan.skipped],
            page,
        )
    if plan.is_narrowed:
        left_out = plan.preview.plan.left_out
        said = f"narrowed ({_counted(len(left_out), 'item')} left out): such a run decides nothing"
        yield from page.paragraph(
            f"{said}. Requests are those of what is selected, criteria those of a whole run.", style="yellow"
        )
    yield from _warnings(plan, page)


def _warnings(plan: RunPlan, page: Page) -> Iterator[Line]:
    for warning in plan.preview.warnings[:_MAX_LISTED]:
        yield from page.paragraph(page.text(warning), first="warning: ", indent="    ", style="yellow")


def _demands(plan: RunPlan, page: Page) -> Iterator[Line]:
    if not plan.demands:
        return
    rows = [_demand(demand, page) for demand in plan.demands]
    rows += [_grading(grading, page) for grading in plan.preview.gradings]
    header = ("arm", "answered by", "requests", "tokens in", "tokens out", "cost")
    yield from columns(header, rows, page, right=4)
    yield from page.paragraph(" ".join(_rules(plan)), style="dim")
    if plan.preview.assumed:
        named = [f"--{arm}=NAME" for arm in sorted(plan.preview.assumed, reverse=True)]
        both = "both arms are" if len(named) > 1 else "it is"
        yield from page.paragraph(
            f"No model is named, so {both} assumed; name {'them' if len(named) > 1 else 'it'} with "
            f"{' '.join(named)}.",
            style="dim",
        )


def _demand(demand: Demand, page: Page) -> tuple[str, ...]:
    name = page.text(demand.answerer.name)
    if not demand.sends:
        return str(demand.arm), name, "0", NOTHING, NOTHING, "saved"
    estimated = "~" if demand.observed else "≤ "
    out = "no limit" if demand.tokens_out is None else f"{estimated}{demand.tokens_out:,}"
    return str(demand.arm), name, f"{demand.requests:,}", f"~{demand.tokens_in:,}", out, _cost(demand)


def _grading(grading: Grading, page: Page) -> tuple[str, ...]:
    name = page.text(grading.name)
    return grading.role, name, f"≤ {grading.requests:,}", NOTHING, NOTHING, NOTHING


def _cost(demand: Demand) -> str:
    if demand.cost is None:
        return "no price"
    sign = "≥ " if demand.unlimited else "~" if demand.observed else "≤ "
    return f"{sign}{demand.cost:,.2f}" if demand.cost >= 1 else f"{sign}{demand.cost:.2g}"


def _rules(plan: RunPlan) -> Iterator[str]:
    """How the numbers came about, as far as they are there."""
    asked = [demand for demand in plan.demands if demand.sends]
    yield "Tokens in: one for every 4 bytes of text."
    if any(demand.observed for demand in asked):
        yield f"Tokens out: as in {plan.based_on}, else the limit."
    elif any(demand.tokens_out is not None for demand in asked):
        yield "Tokens out: the limit of every answer (max_tokens)."
    if any(demand.unlimited for demand in asked):
        yield "An answer without a limit is not in the cost: set max_tokens, or give --from RECORD."
    yield from _prices(asked)
    if plan.preview.gradings:
        yield "Judges and embeddings are asked about the answers, whose length is not known yet."
    if any(ask.case.turns for ask in plan.preview.asks):
        yield "Conversations: more requests if the model calls tools."


def _prices(asked: Sequence[Demand]) -> Iterator[str]:
    """Where costs come from, and what to do where there are none."""
    priced = [demand.answerer for demand in asked if demand.answerer.price is not None]
    if any(not answerer.price_source for answerer in priced):
        yield "Cost: by `price:` in ftgate.yaml."
    for source in dict.fromkeys(answerer.price_source for answerer in priced if answerer.price_source):
        names = dict.fromkeys(answerer.name for answerer in priced if answerer.price_source == source)
        yield f"Cost of {' and '.join(names)}: in US dollars, price from {source}."
    if any(demand.answerer.kind == "openai" and demand.answerer.price is None for demand in asked):
        yield (
            "No price: write `price:` in the model's entry in ftgate.yaml, or install pytest-ftgate[cost], "
            "which knows public prices."
        )


# Criteria.


def _assumptions(plan: RunPlan, page: Page) -> Iterator[Line]:
    """What is taken for true, and how to change it."""
    if any(criterion.truth for criterion in plan.criteria):
        yield from page.paragraph(" ".join(_assumed(plan)), style="dim", max_lines=8)
    if plan.has_repeats:
        told = "Repeats make the result of each case surer, but add no cases: n counts a case once."
        yield from page.paragraph(told, style="dim")


def _assumed(plan: RunPlan) -> Iterator[str]:
    given = plan.assumptions
    values = {"rate": given.rate, "baseline": given.baseline, "discordance": given.discordance}
    told = [f"{name} {percent(value)}" for name, value in values.items() if value is not None]
    told += [f"change {points(given.change)} points"] if given.change is not None else []
    if told:
        yield f"Given: {', '.join(told)}."
    if plan.based_on:
        yield (
            f"Pass rates, and how often the two models disagree: as in {plan.based_on}, where it has these "
            "cases."
        )
    yield from _defaults(plan)
    other = "" if plan.based_on else ", or --from RECORD"
    yield f"To change this: --assume baseline=70% discordance=20% rate=95%{other}."
    if any(criterion.outlook.detectable is not None for criterion in plan.criteria):
        yield "`sees`: from this true value on, 4 of 5 runs end in GO."


def _defaults(plan: RunPlan) -> Iterator[str]:
    """The defaults that some criterion rests on."""
    used = [c for c in plan.criteria if c.truth is not None and c.outlook.chance is not None]
    assumed = [c for c in used if c.truth is not None and c.truth.source == "assumed"]
    given = plan.assumptions
    if any(c.criterion.compare == "delta" for c in assumed):
        yield (
            f"Assumed: the baseline passes {percent(BASELINE)} of cases, the two models disagree on "
            f"{percent(DISCORDANCE)} of them, and the model is as good as the baseline where a drop is "
            f"allowed, else {100 * MARGIN:.0f} points better than the threshold."
        )
    if given.rate is None and any(c.criterion.compare != "delta" for c in assumed):
        yield "Assumed where no baseline is compared: a true rate halfway from the threshold to 100%."


def _criteria(criteria: Sequence[CriterionPlan], page: Page) -> Iterator[Line]:
    """One line per criterion in columns, and below it what to expect and what to do."""
    rows = [_numbers(plan, page) for plan in criteria]
    widths = [max((cells(row[column]) for row in rows), default=0) for column in range(4)]
    widths[0] = min(widths[0], max(page.width - _WORD - sum(widths[1:]) - 8, 12))
    before = ""
    for plan, (name, *numbers) in zip(criteria, rows, strict=True):
        style: Style = "plain" if plan.decides else "dim"
        texts = [pad(shorten_middle(name, widths[0]), widths[0])]
        texts += [pad(number, width) for number, width in zip(numbers, widths[1:], strict=True)]
        word = Segment(
            pad(plan.outlook.prospect, _WORD),
            PROSPECT_STYLES[plan.outlook.prospect] if plan.decides else "dim",
        )
        yield line(word, Segment(f"  {'  '.join(texts)}".rstrip(), style))
        yield from _explained(plan, style, page, before)
        before = plan.outlook.sentence


def _numbers(plan: CriterionPlan, page: Page) -> tuple[str, str, str, str]:
    """Name, threshold, n, and what so many cases can see, where that decides anything."""
    seen = _sees(plan, plan.outlook) if plan.decides else _SHOWN_ONLY
    criterion = plan.criterion
    strict = " strict" if criterion.evidence == "strict" else ""
    return (
        page.text(criterion.name),
        page.text(criterion.needed + strict),
        f"n={plan.n:,}",
        seen,
    )


def _sees(plan: CriterionPlan, outlook: Outlook) -> str:
    if outlook.detectable is None:
        return ""
    sign = "≥" if plan.criterion.bound == "at_least" else "≤"
    if outlook.sees:
        return f"sees {sign} {outlook.sees}"
    value = round(outlook.detectable, 3)
    shown = f"{points(value)} points" if plan.criterion.compare == "delta" else percent(value)
    return f"sees {sign} {shown}"


def _explained(plan: CriterionPlan, style: Style, page: Page, before: str) -> Iterator[Line]:
    """What to expect and what to do; what was just said of the criterion `before` is not said again."""
    indent = " " * (_WORD + 2)
    outlook = plan.outlook
    if plan.decides or page.verbosity > 0:
        known = outlook.sentence == before
        said = _said(replace(outlook, sentence="likewise") if known else outlook, page)
        yield from page.paragraph(said, first=indent, indent=indent, style=style)
    if page.verbosity > 0 and plan.truth is not None:
        for evidence, other in plan.outlooks.items():
            details = [*_details(plan, other)]
            if other.sentence != outlook.sentence:
                details.append(_said(other, page))
            if details:
                told = "; ".join([f"{evidence}: {other.prospect}", *details])
                yield from page.paragraph(told, first=indent, indent=indent + "  ", style="dim")
        yield from page.paragraph(
            f"taken for true: {plan.truth.source}", first=indent, indent=indent, style="dim"
        )


def _details(plan: CriterionPlan, outlook: Outlook) -> Iterator[str]:
    if sees := _sees(plan, outlook):
        yield sees
    if outlook.needed is not None:
        yield f"from {_counted(outlook.needed, plan.counts.removesuffix('s'))} on, 4 of 5 runs decide it"
    if outlook.if_unchanged is not None:
        yield f"a model just like its baseline gets GO in {about(outlook.if_unchanged)} of runs"


def _said(outlook: Outlook, page: Page) -> str:
    return page.text("; ".join(part for part in (outlook.sentence, outlook.remedy) if part))


def _conclusion(plan: RunPlan) -> Iterator[Line]:
    """What all of it amounts to, in a line or two."""
    deciding = [criterion for criterion in plan.criteria if criterion.decides]
    if not deciding:
        yield line(Segment("No criterion decides: such a run never ends in SHIP.", "red"))
        return
    counts = {prospect: sum(c.outlook.prospect is prospect for c in deciding) for prospect in Prospect}
    told = ", ".join(f"{n} {prospect}" for prospect, n in counts.items() if n)
    noun = "criterion" if len(deciding) == 1 else "criteria"
    yield line(Segment(f"{len(deciding)} deciding {noun}: {told}", "bold"))
    if counts[Prospect.TOO_FEW]:
        yield line(
            Segment("TOO FEW: by chance, more than 1 run in 5 ends otherwise than it should.", "yellow")
        )
    if counts[Prospect.NEVER]:
        yield line(Segment("Whatever the models answer, this run can't end in SHIP.", "red"))


# Small things.


def _listed(head: str, texts: Sequence[str], page: Page) -> Iterator[Line]:
    """A count, with -v what was counted."""
    yield _note(head + ("" if page.verbosity > 0 else "; -v names them"), page)
    for text in texts[:_MAX_LISTED] if page.verbosity > 0 else ():
        yield from page.paragraph(page.text(text), first="  ", indent="    ", style="dim")


def _note(text: str, page: Page) -> Line:
    return line(Segment(shorten_middle(page.text(text), page.width), "dim"))


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"

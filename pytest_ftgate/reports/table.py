"""The table by category of the terminal report: both arms, the difference, wins and losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ftgate.cases import Role
from pytest_ftgate.gates import Assessment
from pytest_ftgate.reports.lines import Line, Segment, Style, cells, line, pad, shorten
from pytest_ftgate.reports.numbers import NOTHING, count, percent, points
from pytest_ftgate.reports.page import Page
from pytest_ftgate.summary import Group, Rate, Summary

_GAP = "  "
_WIDE = 100
_MAX_ROWS = 50
_MIN_NAME = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line of the table: its name, its role, its numbers (right-aligned), and its looks."""

    name: str
    role: str
    numbers: tuple[str, ...]
    style: Style = "plain"
    flagged: bool = False


def table(assessment: Assessment, page: Page) -> list[Line]:
    """One row per category, then the roles if there are both, then all cases; then notes."""
    summary = assessment.summary
    everything = next((group for group in summary.groups if group.by == "all"), None)
    if everything is None or not _ran(everything):
        return []
    narrowed = assessment.verdict.narrowed
    categories = [
        group for group in summary.groups if group.by == "category" and (_ran(group) or not narrowed)
    ]
    roles = [group for group in summary.groups if group.by == "role"]
    role_of = _roles_by_category(summary) if len(roles) > 1 else {}
    shown, hidden = _within_bounds(categories, page)
    body = [_row(group, role_of.get(group.value, ""), everything, page, narrowed) for group in shown]
    totals = [
        _row(group, "", everything, page, narrowed, name=group.value) for group in roles if len(roles) > 1
    ]
    totals.append(_row(everything, "", everything, page, narrowed, name="all", style="bold"))
    header = _Row(name="category", role="role" if role_of else "", numbers=_headers(everything, narrowed))
    rows = _layout(header, body if len(categories) > 1 or role_of else [], totals, page)
    return [*rows, *_notes(summary, everything, hidden, page)]


def _ran(group: Group) -> bool:
    return bool(group.model.n or (group.baseline and group.baseline.n))


def _roles_by_category(summary: Summary) -> dict[str, str]:
    found: dict[str, set[Role]] = {}
    for case in summary.cases:
        found.setdefault(case.planned.category, set()).add(case.planned.role)
    return {name: next(iter(roles)).value if len(roles) == 1 else "both" for name, roles in found.items()}


def _within_bounds(categories: Sequence[Group], page: Page) -> tuple[list[Group], int]:
    """The rows to show, and how many are left out; a flagged category is never left out."""
    if page.verbosity > 0 or len(categories) <= _MAX_ROWS:
        return list(categories), 0
    kept = {id(group) for group in sorted(categories, key=lambda group: not group.flagged)[:_MAX_ROWS]}
    shown = [group for group in categories if group.flagged or id(group) in kept]
    return shown, len(categories) - len(shown)


def _headers(everything: Group, narrowed: bool) -> tuple[str, ...]:
    comparison = ("baseline", "delta", "wins", "losses", "ties") if everything.baseline else ()
    return ("ran" if narrowed else "n", "model", *comparison)


def _row(
    group: Group,
    role: str,
    everything: Group,
    page: Page,
    narrowed: bool,
    *,
    name: str = "",
    style: Style = "plain",
) -> _Row:
    n = max(group.model.n, group.baseline.n if group.baseline else 0) if narrowed else group.n
    numbers = [str(n), _rate(group.model, page)]
    if everything.baseline:
        comparison = (points(group.delta), str(group.wins), str(group.losses), str(group.ties))
        numbers += [_rate(group.baseline, page), *(comparison if group.paired else [NOTHING] * 4)]
    return _Row(
        name=page.text(name or group.value),
        role=role,
        numbers=tuple(numbers),
        style=style,
        flagged=group.by == "category" and group.flagged,
    )


def _rate(rate: Rate | None, page: Page) -> str:
    if rate is None or not rate.n:
        return NOTHING
    counts = f"{count(rate.passed)}/{rate.n}" if page.width >= _WIDE else ""
    return f"{counts} {percent(rate.rate):>6}".lstrip()


def _layout(header: _Row, body: Sequence[_Row], totals: Sequence[_Row], page: Page) -> list[Line]:
    rows = [header, *body, *totals]
    widths = [max(cells(row.numbers[column]) for row in rows) for column in range(len(header.numbers))]
    role_width = max(len(row.role) for row in rows)
    # The flag "!" stands in the gap after the delta, so the last column needs none.
    taken = sum(widths) + len(_GAP) * len(widths) + (role_width + len(_GAP) if role_width else 0)
    name_width = min(max(cells(row.name) for row in rows), max(page.width - taken, _MIN_NAME))
    made = [_line(row, widths, name_width, role_width) for row in rows]
    rule = line(Segment("─" * min(taken + name_width, page.width), "dim"))
    return [
        line(*(Segment(part.text, "dim") for part in made[0])),
        *made[1 : len(body) + 1],
        rule,
        *made[len(body) + 1 :],
    ]


def _line(row: _Row, widths: Sequence[int], name_width: int, role_width: int) -> Line:
    parts = [Segment(pad(shorten(row.name, name_width), name_width), row.style)]
    if role_width:
        parts.append(Segment(_GAP + pad(row.role, role_width), row.style))
    delta = 3 if len(widths) > 3 else None
    for column, (number, width) in enumerate(zip(row.numbers, widths, strict=True)):
        gap = "! " if row.flagged and delta is not None and column == delta + 1 else _GAP
        style: Style = "red" if row.flagged and column == delta else row.style
        parts += [
            Segment(gap, "red" if gap != _GAP else row.style),
            Segment(pad(number, width, right=True), style),
        ]
    return line(*parts)


def _notes(summary: Summary, everything: Group, hidden: int, page: Page) -> list[Line]:
    notes = []
    if hidden:
        noun = "category" if hidden == 1 else "categories"
        notes.append(f"{hidden} more {noun}, none flagged; -v shows all")
    if summary.flagged:
        notes.append("! dropped by more than 5 points")
    if everything.baseline and everything.paired < max(everything.model.n, everything.baseline.n):
        both = "1 case" if everything.paired == 1 else f"{everything.paired} cases"
        notes.append(f"delta, wins, losses and ties are of the {both} that both arms have")
    if summary.errored:
        notes.append(page.text(f"{_errors(summary)}: in no rate above"))
    return [line(Segment(shorten(note, page.width), "dim")) for note in notes]


def _errors(summary: Summary) -> str:
    """How many trials errored, and of what kinds."""
    errors = [trial.error for case in summary.cases for trial in case.trials if trial.error is not None]
    kinds = Counter(error.kind for error in errors).most_common()
    noun = "trial" if len(errors) == 1 else "trials"
    return f"{len(errors)} {noun} errored ({', '.join(f'{number} {kind}' for kind, number in kinds)})"

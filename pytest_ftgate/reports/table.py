"""The table by category of the terminal report: both arms, the difference with its interval, wins, losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_ftgate.cases import Role
from pytest_ftgate.gates import Assessment
from pytest_ftgate.reports.inert import harmless_start
from pytest_ftgate.reports.lines import Line, Segment, Style, cells, line, pad, shorten, shorten_middle
from pytest_ftgate.reports.numbers import (
    NOTHING,
    count,
    percent,
    percent_interval,
    points,
    points_interval,
    share,
)
from pytest_ftgate.reports.page import Page
from pytest_ftgate.summary import Group, Rate, Summary

_GAP = "  "
_WIDE = 100
_MAX_ROWS = 50
_MIN_NAME, _MAX_NAME = 8, 40

_RATES = ("n", "model", "baseline", "delta", "interval")
_COUNTED_RATES = ("n", "model_counted", "baseline_counted", "delta", "interval")
_APART = ("wins", "losses", "ties")
#: The columns to choose from, the widest first; counts of passes only where there is much room.
_COMPARED = ((*_COUNTED_RATES, *_APART), (*_RATES, *_APART), (*_RATES, "wins/losses/ties"))
_ALONE = (("n", "model_counted", "interval"), ("n", "model", "interval"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One line of the table: its name, its role, its numbers by column, and its looks."""

    name: str
    role: str
    numbers: Mapping[str, str]
    style: Style = "plain"
    flagged: bool = False


def table(assessment: Assessment, page: Page) -> list[Line]:
    """One row per category, then the roles if there are both, then all cases; then notes."""
    summary, confidence = assessment.summary, float(assessment.gate.confidence)
    everything = next((group for group in summary.groups if group.by == "all"), None)
    if everything is None or not _ran(everything):
        return []
    narrowed, compared = assessment.verdict.narrowed, everything.baseline is not None
    categories = [
        group for group in summary.groups if group.by == "category" and (_ran(group) or not narrowed)
    ]
    roles = [group for group in summary.groups if group.by == "role"]
    role_of = _roles_by_category(summary) if len(roles) > 1 else {}
    shown, hidden = _within_bounds(categories, page)

    def row(group: Group, name: str, role: str = "", style: Style = "plain") -> _Row:
        numbers = _numbers(group, confidence, compared=compared, narrowed=narrowed)
        flagged = group.by == "category" and group.flagged
        return _Row(
            name=harmless_start(page.text(name)), role=role, numbers=numbers, style=style, flagged=flagged
        )

    body = [row(group, group.value, role_of.get(group.value, "")) for group in shown]
    totals = [row(group, group.value) for group in roles if len(roles) > 1]
    totals.append(row(everything, "all", style="bold"))
    header = _Row(name="category", role="role" if role_of else "", numbers=_headers(confidence, narrowed))
    rows = _layout(header, body if len(categories) > 1 or role_of else [], totals, page)
    return [*rows, *_notes(summary, everything, hidden, page, narrowed=narrowed)]


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


def _headers(confidence: float, narrowed: bool) -> dict[str, str]:
    return {
        "n": "ran" if narrowed else "n",
        "model": "model",
        "model_counted": "model",
        "baseline": "baseline",
        "baseline_counted": "baseline",
        "delta": "delta",
        "interval": f"{share(confidence)} CI",
        "wins": "wins",
        "losses": "losses",
        "ties": "ties",
        "wins/losses/ties": "w/l/t",
    }


def _numbers(group: Group, confidence: float, *, compared: bool, narrowed: bool) -> dict[str, str]:
    """The numbers of one row: the interval is the delta's, or the model's where nothing is compared."""
    n = max(group.model.n, group.baseline.n if group.baseline else 0) if narrowed else group.n
    sides = {
        "n": str(n),
        "model": _rate(group.model),
        "model_counted": _rate(group.model, counted=True),
        "baseline": _rate(group.baseline),
        "baseline_counted": _rate(group.baseline, counted=True),
    }
    if not compared:
        bounds = group.model.interval(confidence)
        return sides | {"interval": percent_interval(bounds) if bounds else NOTHING}
    bounds = group.delta_interval(confidence)
    if not bounds:
        return sides | dict.fromkeys(("delta", "interval", *_APART, "wins/losses/ties"), NOTHING)
    counts = [str(number) for number in (group.wins, group.losses, group.ties)]
    return sides | {
        "delta": points(group.delta),
        "interval": points_interval(bounds),
        **dict(zip(_APART, counts, strict=True)),
        "wins/losses/ties": "/".join(counts),
    }


def _rate(rate: Rate | None, *, counted: bool = False) -> str:
    if rate is None or not rate.n:
        return NOTHING
    counts = f"{count(rate.passed)}/{rate.n}" if counted else ""
    return f"{counts} {percent(rate.rate):>6}".lstrip()


def _layout(header: _Row, body: Sequence[_Row], totals: Sequence[_Row], page: Page) -> list[Line]:
    rows = [header, *body, *totals]
    role_width = max(len(row.role) for row in rows)
    names = max(cells(row.name) for row in rows)
    looks = _COMPARED if "delta" in totals[-1].numbers else _ALONE
    for look in looks if page.width >= _WIDE else looks[1:]:
        widths = {column: max(cells(row.numbers[column]) for row in rows) for column in look}
        # The flag "!" stands in the gap after the delta, so the last column needs none.
        taken = sum(widths.values()) + len(_GAP) * len(widths) + (role_width and role_width + len(_GAP))
        if taken + min(names, _MAX_NAME) <= page.width:
            break
    name_width = min(names, max(page.width - taken, _MIN_NAME))
    made = [_line(row, widths, name_width, role_width) for row in rows]
    rule = line(Segment("─" * min(taken + name_width, page.width), "dim"))
    return [
        line(*(Segment(part.text, "dim") for part in made[0])),
        *made[1 : len(body) + 1],
        rule,
        *made[len(body) + 1 :],
    ]


def _line(row: _Row, widths: Mapping[str, int], name_width: int, role_width: int) -> Line:
    parts = [Segment(pad(shorten_middle(row.name, name_width), name_width), row.style)]
    if role_width:
        parts.append(Segment(_GAP + pad(row.role, role_width), row.style))
    for column, width in widths.items():
        flag = row.flagged and column == "interval"
        style: Style = "red" if row.flagged and column == "delta" else row.style
        parts += [
            Segment("! " if flag else _GAP, "red" if flag else row.style),
            Segment(pad(row.numbers[column], width, right=True), style),
        ]
    return line(*parts)


def _notes(summary: Summary, everything: Group, hidden: int, page: Page, *, narrowed: bool) -> list[Line]:
    notes = []
    if hidden:
        noun = "category" if hidden == 1 else "categories"
        notes.append(f"{hidden} more {noun}, none flagged; -v shows all")
    if summary.flagged:
        notes.append("! dropped by more than 5 points")
    if everything.baseline and everything.paired < everything.n and not narrowed:
        both = f"{everything.paired} on both arms"
        notes.append(f"n counts planned cases; delta, wins, losses and ties are of {both}")
    if summary.errored:
        notes.append(page.text(f"{_errors(summary)}: in no rate above"))
    return [line(Segment(shorten(note, page.width), "dim")) for note in notes]


def _errors(summary: Summary) -> str:
    """How many trials errored, and of what kinds."""
    errors = [trial.error for case in summary.cases for trial in case.trials if trial.error is not None]
    kinds = Counter(error.kind for error in errors).most_common()
    noun = "trial" if len(errors) == 1 else "trials"
    return f"{len(errors)} {noun} errored ({', '.join(f'{number} {kind}' for kind, number in kinds)})"

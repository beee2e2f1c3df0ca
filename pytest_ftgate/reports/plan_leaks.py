"""Eval prompts that stand in training data, as lines of the plan's report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_ftgate.planning.advice import percent
from pytest_ftgate.reports.lines import Line, Segment, Style, cells, line, pad, shorten_middle
from pytest_ftgate.reports.page import Page

if TYPE_CHECKING:
    from pytest_ftgate.planning.leakage import Leak, Leaks  # (loads rapidfuzz)

_MAX_CASES, _MAX_CASES_VERBOSE = 20, 1000
_WORDS = {"exact": "LEAKED", "inside": "LEAKED", "near": "NEAR"}
_TEXT = 300


def leak_lines(leaks: Leaks, page: Page) -> Iterator[Line]:
    """How many cases stand in which files, then each with its clearest place; with -v all and the texts."""
    yield from page.paragraph(_headline(leaks, page), style="red" if leaks.exact_cases else "bold")
    by_case: dict[tuple[str, str], list[Leak]] = {}
    for leak in leaks.leaks:
        by_case.setdefault((leak.prompt.case.suite, leak.prompt.case.id), []).append(leak)
    ordered = sorted(by_case.values(), key=lambda found: not found[0].is_exact)
    limit = _MAX_CASES_VERBOSE if page.verbosity > 0 else _MAX_CASES
    for found in ordered[:limit]:
        yield from _case(found, page)
    if len(ordered) > limit:
        yield line(
            Segment(f"({len(ordered) - limit:,} more cases{_HINT if page.verbosity <= 0 else ''})", "dim")
        )


_HINT = "; -v shows more"


def _headline(leaks: Leaks, page: Page) -> str:
    rows = "1 row" if leaks.rows == 1 else f"{leaks.rows:,} rows"
    where = f"Training data ({page.text(', '.join(leaks.files))}, {rows})"
    if not leaks.cases:
        return f"{where}: no eval prompt stands there."
    noun = "case stands" if leaks.cases == 1 else "cases stand"
    return f"{where}: {leaks.cases:,} eval {noun} there, {_how(leaks)}."


def _how(leaks: Leaks) -> str:
    exact, near = leaks.exact_cases, leaks.cases - leaks.exact_cases
    if exact and near:
        return f"{exact:,} word for word and {near:,} nearly"
    return "word for word" if exact else "nearly"


def _case(found: Sequence[Leak], page: Page) -> Iterator[Line]:
    """The case and its clearest place on one line, or on two; the other places with -v."""
    shown = found if page.verbosity > 0 else found[:1]
    for leak in shown:
        style: Style = "red" if leak.is_exact else "yellow"
        word = Segment(pad(_WORDS[leak.kind], 6), style)
        eval_place, training_place = (
            page.text(leak.prompt.place),
            page.text(_training_place(leak, found, page)),
        )
        if 8 + cells(eval_place) + 2 + cells(training_place) <= page.width:
            yield line(word, f"  {eval_place}  {training_place}")
        else:
            yield line(word, f"  {shorten_middle(eval_place, page.width - 8)}")
            yield line(f"          {shorten_middle(training_place, page.width - 10)}")
        if page.verbosity > 0:
            yield from _texts(leak, page)


def _training_place(leak: Leak, found: Sequence[Leak], page: Page) -> str:
    how = {"exact": "", "inside": " (inside a longer text)"}.get(
        leak.kind, f" ({percent(_floor(leak))} alike)"
    )
    more = len(found) - 1
    others = f" and {more} more place{'s' if more > 1 else ''}" if more and page.verbosity <= 0 else ""
    return f"{leak.file}:{leak.line}{how}{others}"


def _floor(leak: Leak) -> float:
    """Never rounded up to all: what is nearly alike is not the same."""
    return int(leak.likeness * 100) / 100


def _texts(leak: Leak, page: Page) -> Iterator[Line]:
    for name, text in (("eval", leak.prompt.text), ("training", leak.text)):
        yield from page.paragraph(
            page.text(text, limit=_TEXT),
            first=f"        {name}: ",
            indent="          ",
            style="dim",
            max_lines=3,
        )

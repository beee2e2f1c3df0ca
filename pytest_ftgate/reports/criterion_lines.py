"""Criteria in the terminal report: a line each, and why a criterion is not met or not decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from pytest_ftgate.gates import CriterionResult, Status
from pytest_ftgate.reports.inert import harmless_start
from pytest_ftgate.reports.lines import Line, Segment, Style, cells, line, pad, shorten, shorten_middle, wrap
from pytest_ftgate.reports.numbers import observed, observed_interval, share
from pytest_ftgate.reports.page import Page

STATUS_STYLES: Mapping[Status, Style] = {
    Status.GO: "green",
    Status.NO_GO: "red",
    Status.INCONCLUSIVE: "yellow",
    Status.NOT_MEASURED: "yellow",
}

_SHOWN_ONLY = "  (shown only)"
_REASON_COLUMN = 48
_DECIDED_BY = {"point": "the estimate decides", "strict": "the bounds decide"}


def criterion_lines(results: Sequence[CriterionResult], confidence: Fraction, page: Page) -> Iterator[Line]:
    """One line per criterion in columns; its reason behind it if there is room, else below it.

    With -v also the interval of each, at this confidence, and what decided.
    """
    columns = [
        (page.text(result.name), page.text(observed(result)), page.text(result.threshold), f"n={result.n}")
        for result in results
    ]
    widths = [max((cells(row[column]) for row in columns), default=0) for column in range(4)]
    status = max((len(result.status) for result in results), default=0)
    note = 0 if all(result.decides for result in results) else len(_SHOWN_ONLY)
    room = page.width - status - sum(widths[1:]) - 2 * 4 - note
    widths[0] = min(widths[0], max(room, 12))
    indent = " " * (status + 2)
    for result, (name, *values) in zip(results, columns, strict=True):
        style: Style = "plain" if result.decides else "dim"
        texts = [pad(shorten_middle(name, widths[0]), widths[0])]
        texts += [pad(value, width, right=True) for value, width in zip(values, widths[1:], strict=True)]
        word = Segment(pad(result.status, status), STATUS_STYLES[result.status] if result.decides else "dim")
        row = line(word, Segment("  " + "  ".join(texts), style))
        yield from _with_reason(row, result, style, indent, page)
        if page.verbosity > 0 and result.interval is not None:
            shown = f"{share(confidence)} CI {observed_interval(result)}; {_DECIDED_BY[result.evidence]}"
            yield line(Segment(indent + shorten(page.text(shown), page.width - len(indent)), "dim"))


def _with_reason(row: Line, result: CriterionResult, style: Style, indent: str, page: Page) -> Iterator[Line]:
    """The row with its reason: in a column of its own if that is wide enough, else below from `indent` on.

    What is shown only has no lines of its own for its reason, and what is GO none at all, except with -v.
    """
    row = row if result.decides else line(*row, Segment(_SHOWN_ONLY, style))
    reason = "" if result.status is Status.GO and page.verbosity <= 0 else page.text(result.reason)
    used = sum(cells(segment.text) for segment in row) + 2
    if not reason.strip():
        yield row
    elif used + cells(reason) <= page.width or page.width - used >= _REASON_COLUMN:
        first, *rest = _wrapped(reason, page.width - used, page)
        yield line(*row, Segment(f"  {first}", style))
        yield from (line(" " * used, Segment(harmless_start(part), style)) for part in rest)
    else:
        yield row
        if result.decides or page.verbosity > 0:
            for part in _wrapped(reason, page.width - len(indent), page):
                yield line(indent, Segment(harmless_start(part), style))


def _wrapped(reason: str, width: int, page: Page) -> list[str]:
    """The reason in few lines; what does not fit gives way before its last part, which says what to do."""
    lines = 3 if page.verbosity <= 0 else 12
    rows = wrap(reason, width, max_lines=lines + 1)
    if len(rows) <= lines:
        return rows
    told, _, remedy = reason.rpartition("; ")
    kept = wrap(remedy, width, max_lines=lines - 1)
    if not told or len(kept) == lines - 1:
        return wrap(reason, width, max_lines=lines)
    head = wrap(told, width, max_lines=lines - len(kept))
    return [*head, *kept]

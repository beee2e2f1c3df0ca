"""How far a judge agrees with people, for the terminal. It returns lines, never prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ftgate.calibration.results import Agreed, Interval, Judged
from pytest_ftgate.reports.columns import columns
from pytest_ftgate.reports.lines import Line, Segment, as_ascii, line
from pytest_ftgate.reports.numbers import NOTHING, fixed, p_value, percent, percent_interval
from pytest_ftgate.reports.page import Page
from pytest_ftgate.stats.agreement import band

_MIN_WIDTH, _MAX_WIDTH = 72, 120
_MAX_SHOWN = 10
_UNLIKELY = 0.05


def render_calibration(
    found: Sequence[Judged],
    amounts: Agreed,
    *,
    title: str,
    labels: str,
    output: str | None,
    width: int,
    ascii_only: bool = False,
) -> Sequence[Line]:
    """The agreement, its table, what the judge could not judge, and where it disagrees.

    `labels` is the file of the labels, `output` that of the calibration, if one was written.
    """
    page = Page(width=min(max(width, _MIN_WIDTH), _MAX_WIDTH), ascii_only=ascii_only)
    sections = [
        [*page.paragraph(page.text(title), indent="  ", style="bold"), *_counts(amounts)],
        list(_agreement(amounts, page)),
        list(_table(amounts, page)),
        list(_errors(found, labels, page)),
        list(_disagreements(found, labels, page)),
        list(_next(output, page)),
    ]
    lines = [row for section in sections if section for row in (*section, line())][:-1]
    return [as_ascii(row) for row in lines] if ascii_only else lines


def _counts(amounts: Agreed) -> Iterator[Line]:
    both = f"{amounts.n} labelled {'answer' if amounts.n == 1 else 'answers'}"
    lost = f", and {amounts.errors} that the judge did not judge" if amounts.errors else ""
    yield line(both + lost)


def _agreement(amounts: Agreed, page: Page) -> Iterator[Line]:
    accuracy = percent(amounts.accuracy) if amounts.accuracy is not None else "n/a"
    bounds = percent_interval(amounts.accuracy_bounds) if amounts.accuracy_bounds else NOTHING
    rows = [
        ("accuracy", accuracy, bounds, ""),
        ("Cohen's kappa", *_coefficient(amounts.kappa, amounts.kappa_bounds)),
        ("Krippendorff's alpha", *_coefficient(amounts.alpha, amounts.alpha_bounds)),
    ]
    yield from columns(("agreement", "", "95% CI", "in words"), rows, page, right=2)


def _coefficient(value: float | None, bounds: Interval | None) -> tuple[str, str, str]:
    shown = "n/a" if value is None else fixed(value, 2)
    interval = f"[{fixed(bounds[0], 2)}, {fixed(bounds[1], 2)}]" if bounds else NOTHING
    return shown, interval, band(value)


def _table(amounts: Agreed, page: Page) -> Iterator[Line]:
    labels = sorted({label for pair in amounts.table for label in pair}, key=_order)
    if not labels:
        return
    rows = [
        (f"people: {human}", *(str(amounts.table.get((human, judge), 0)) for judge in labels))
        for human in labels
    ]
    yield from columns(("", *(f"judge: {label}" for label in labels)), rows, page, right=len(labels))
    if amounts.leaning_p is not None and "tie" not in labels and "a" not in labels:
        way = "more lenient" if amounts.lenient > amounts.strict else "stricter"
        sure = amounts.leaning_p < _UNLIKELY
        told = f"The judge is {way} than people" if sure else "No leaning is shown"
        yield line(
            f"{told}: {amounts.lenient} passed by it alone, {amounts.strict} by people alone "
            f"(exact McNemar, p {_p(amounts.leaning_p)})"
        )


def _order(label: str) -> int:
    return ("pass", "fail", "a", "b", "tie").index(label)


def _p(p: float) -> str:
    shown = p_value(p)
    return shown if shown.startswith("<") else f"= {shown}"


def _errors(found: Sequence[Judged], labels: str, page: Page) -> Iterator[Line]:
    lost = [one for one in found if one.judge is None]
    if lost:
        yield line(Segment("Not judged", "bold"))
    for one in lost[:_MAX_SHOWN]:
        yield from page.paragraph(
            page.text(f"{labels}:{one.line}: {one.said}"), first="  ", indent="    ", style="yellow"
        )
    yield from _more(len(lost))


def _disagreements(found: Sequence[Judged], labels: str, page: Page) -> Iterator[Line]:
    apart = [one for one in found if one.judge is not None and one.judge != one.human]
    if apart:
        yield line(Segment("Disagreements", "bold"))
    for one in apart[:_MAX_SHOWN]:
        said = f"{labels}:{one.line}: people say {one.human}, the judge {one.judge}: {one.said}"
        yield from page.paragraph(page.text(said), first="  ", indent="    ")
    yield from _more(len(apart))


def _more(count: int) -> Iterator[Line]:
    if count > _MAX_SHOWN:
        yield line(f"  ({count - _MAX_SHOWN} more)")


def _next(output: str | None, page: Page) -> Iterator[Line]:
    if output is not None:
        yield line(page.text(f"next: pytest --ftgate-calibration={output}"))

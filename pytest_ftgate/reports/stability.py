"""Cases that were answered several times: which flip between repeats, and where the spread comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_ftgate.cases import Arm
from pytest_ftgate.record.plan import CaseKey
from pytest_ftgate.reports.inert import harmless_start
from pytest_ftgate.reports.lines import Line, Segment, cells, line, shorten, shorten_middle
from pytest_ftgate.reports.numbers import fixed
from pytest_ftgate.reports.outcomes import of_arm, repeats_passed
from pytest_ftgate.reports.page import Page
from pytest_ftgate.summary import CaseResult, Repeats, Summary

_HINT = "; -v shows all"
_MAX_LISTED = 500


def stability_lines(summary: Summary, page: Page) -> Iterator[Line]:
    """One line if cases of the model flip between repeats; with -v all of them, on both arms."""
    found = summary.repeats
    if page.verbosity > 0:
        cases = {case.planned.key: case for case in summary.cases}
        for arm in Arm:
            if (repeats := found[arm]) is not None:
                yield from _in_full(arm, repeats, cases, page)
        return
    model = found[Arm.MODEL]
    if model is not None and model.unstable:
        yield _in_brief(model.unstable, page)


def _in_brief(unstable: Sequence[CaseKey], page: Page) -> Line:
    """`3 cases flip between repeats: a, b, c`, with as many names as the line holds."""
    verb = "case flips" if len(unstable) == 1 else "cases flip"
    head = f"{len(unstable)} {verb} between repeats: "
    names = [page.text(case, limit=60) for _, case in unstable]
    for shown in range(len(names), 0, -1):
        left = len(names) - shown
        rest = f" and {left} more{_HINT}" if left else ""
        if cells(text := ", ".join(names[:shown]) + rest) <= page.width - len(head):
            break
    return line(Segment(head, "bold"), shorten(text, page.width - len(head)))


def _in_full(arm: Arm, repeats: Repeats, cases: Mapping[CaseKey, CaseResult], page: Page) -> Iterator[Line]:
    of_all = (
        f"{len(repeats.unstable)} of {repeats.cases} repeated {'case' if repeats.cases == 1 else 'cases'}"
    )
    verb = "flips" if len(repeats.unstable) == 1 else "flip"
    yield line(Segment(f"{arm}: {of_all} {verb} between repeats", "bold"))
    if repeats.within is not None and repeats.between is not None:
        within, between = fixed(repeats.within, 3), fixed(repeats.between, 3)
        yield line(f"  variance of passing: {within} within cases, {between} between them")
    for key in repeats.unstable[:_MAX_LISTED]:
        planned = cases[key].planned
        passed = repeats_passed(of_arm(cases[key].trials, arm)).removeprefix("unstable, ")
        name = harmless_start(page.text(f"{planned.path}::{planned.id}"))
        yield line(f"  {shorten_middle(name, page.width - cells(passed) - 4)}  {passed}")
    if len(repeats.unstable) > _MAX_LISTED:
        yield line(f"  ({len(repeats.unstable) - _MAX_LISTED} more; the JSON report has all)")

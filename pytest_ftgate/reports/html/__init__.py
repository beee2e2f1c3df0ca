"""The HTML report: one file that needs no network and, to be read, no script. Loads jinja2 and rapidfuzz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from pytest_ftgate.gates import Assessment
from pytest_ftgate.history import HistoryRun
from pytest_ftgate.reports.html.cases import case_order, fitting, islands
from pytest_ftgate.reports.html.criteria import criterion_rows
from pytest_ftgate.reports.html.heading import heading
from pytest_ftgate.reports.html.listed import changed, listed
from pytest_ftgate.reports.html.measured import measured
from pytest_ftgate.reports.html.origin import origin
from pytest_ftgate.reports.html.rates import paired_note, rate_tables
from pytest_ftgate.reports.html.trend import trends
from pytest_ftgate.reports.one_file import environment, read_parts

__all__ = ["render_html"]


def render_html(assessment: Assessment, history: Sequence[HistoryRun] = ()) -> Iterator[str]:
    """The page in parts, to be written one after the other; `history` are earlier runs, the oldest first."""
    parts = read_parts("pytest_ftgate.reports.html", "page")
    cases = case_order(assessment.summary.cases)
    changes = changed(cases)
    criteria = criterion_rows(assessment)
    readers = [row.name for row in criteria if row.reads]
    yield from (
        environment()
        .from_string(parts.template)
        .generate(
            script=Markup(parts.script),  # noqa: S704  (our own file)
            style=Markup(parts.style),  # noqa: S704  (our own file)
            script_hash=parts.script_hash,
            style_hash=parts.style_hash,
            top=heading(assessment, cases),
            criteria=criteria,
            tables=rate_tables(assessment),
            paired_note=paired_note(assessment),
            changed=changes,
            measured=measured(assessment),
            trends=trends(assessment, history),
            listed=listed(cases, changes, readers),
            origin=origin(assessment),
            islands=islands(cases, fitting(cases), [row.reads for row in criteria if row.reads]),
        )
    )

"""Reports: an assessment in, text out. Nothing here judges, and nothing here knows pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from pytest_ftgate.errors import ConfigError
from pytest_ftgate.gates import Assessment
from pytest_ftgate.history import HistoryRun
from pytest_ftgate.record import record_lines
from pytest_ftgate.reports.atomic import refuse_foreign, write_parts
from pytest_ftgate.reports.json_report import json_text, report_json

__all__ = ["WRITERS", "check_report_path", "refuse_foreign", "write_report"]


def _json(assessment: Assessment, _: Sequence[HistoryRun]) -> Iterable[str]:
    yield json_text(report_json(assessment))


def _jsonl(assessment: Assessment, _: Sequence[HistoryRun]) -> Iterable[str]:
    return (f"{row}\n" for row in record_lines(assessment.record))


def _markdown(assessment: Assessment, _: Sequence[HistoryRun]) -> Iterable[str]:
    from pytest_ftgate.reports.markdown import render_markdown  # noqa: PLC0415 - only where it is asked for

    yield render_markdown(assessment)


def _html(assessment: Assessment, history: Sequence[HistoryRun]) -> Iterable[str]:
    from pytest_ftgate.reports.html import render_html  # noqa: PLC0415 - only where it is asked for

    return render_html(assessment, history)


def _csv(assessment: Assessment, _: Sequence[HistoryRun]) -> Iterable[str]:
    from pytest_ftgate.reports.table_of_trials import csv_parts  # noqa: PLC0415 - only where it is asked for

    return csv_parts(assessment)


#: What a report's suffix makes of an assessment and of earlier runs: its text, in parts that need not all be
#: there at once.
WRITERS: Mapping[str, Callable[[Assessment, Sequence[HistoryRun]], Iterable[str]]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".md": _markdown,
    ".html": _html,
    ".csv": _csv,
}


#: What such a report begins with, and what it is called.
_MARKS = {".json": ("ftgate.report/", "report"), ".jsonl": ("ftgate.record/", "record")}


def write_report(path: Path, assessment: Assessment, history: Sequence[HistoryRun] = ()) -> None:
    """Writes the report that the suffix of `path` names, whole or not at all; raises ConfigError.

    `history` are earlier runs, the oldest first, for a report that draws trends.
    """
    check_report_path(path)
    write_parts(path, WRITERS[path.suffix.lower()](assessment, history))


def check_report_path(path: Path) -> None:
    """Raises ConfigError unless `path` can name a report, by its suffix: asked before anything is sent."""
    if path.is_dir():
        raise ConfigError(f"report {path}: there is a folder of that name")
    if path.suffix.lower() in WRITERS:
        if path.suffix.lower() in _MARKS:
            refuse_foreign(path, *_MARKS[path.suffix.lower()])
        return
    near = get_close_matches(path.suffix.lower(), WRITERS, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    found = f"there is no report of suffix '{path.suffix}'" if path.suffix else "the suffix names the report"
    raise ConfigError(f"report {path}: {found}; use one of {', '.join(WRITERS)}.{hint}")

"""`ftgate decide`: the records of finished runs, judged again."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_ftgate.cli.console import REFUSED, Usable, complain, print_assessment, print_text, reports_option
from pytest_ftgate.cli.inputs import (
    common_run_id,
    keep_inputs,
    metrics_for,
    read_gate,
    read_records,
    with_calibrations,
    with_reviews,
)
from pytest_ftgate.errors import FtgateError

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment


@click.command(short_help="Judge the records of finished runs again.")
@click.argument("records", metavar="RECORD...", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--ftgate-config",
    "--gate",
    "config",
    type=click.Path(path_type=Path),
    help="Judge by the gate in this file, not by the one in the record.",
)
@click.option(
    "--review",
    "reviews",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Count the votes in this file of `ftgate review apply`; may be repeated.",
)
@click.option(
    "--calibration",
    "calibrations",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Trust the judges as this file of `ftgate judge calibrate` says; may be repeated.",
)
@click.option("--verdict", type=click.Path(path_type=Path), help="Write the verdict file to PATH.")
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    help="Add the run to this history, if it is whole; its trends are drawn in a report .html.",
)
@reports_option
@click.option("-v", "--verbose", count=True, help="Show all cases that changed and all reasons.")
@click.option("-q", "--quiet", count=True, help="Show the verdict and failed criteria only.")
def decide(
    records: Sequence[Path], verdict: Path | None, reports: Sequence[Path], verbose: int, **more: Any
) -> None:
    """Judge what `pytest --ftgate-report=run.jsonl` recorded, by the gate in the record or another one.

    Nothing is asked. Several records are the shards of one run; all of them have to be there.

    Exit 0: SHIP. Exit 1: any other verdict. Exit 2: wrong use, or a record that can't be used.
    """
    quiet: int = more.pop("quiet")
    history: Path | None = more.pop("history")
    with Usable():
        given = _Given(records=records, **more)
        assessment = _decide(given, verdict, reports, history)
        _remember(history, assessment)
    if given.config:
        print_text(f"Judged by the gate in {given.config}, not by the one in the record.\n\n")
    print_assessment(assessment, verbose - quiet)
    sys.exit(0 if assessment.verdict.word == "SHIP" else REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """The files that are read."""

    records: Sequence[Path]
    config: Path | None
    reviews: Sequence[Path]
    calibrations: Sequence[Path]

    @property
    def paths(self) -> list[Path]:
        config = [self.config] if self.config else []
        return [*self.records, *config, *self.reviews, *self.calibrations]


def _decide(given: _Given, verdict: Path | None, reports: Sequence[Path], history: Path | None) -> Assessment:
    from pytest_ftgate.gates import assess  # noqa: PLC0415
    from pytest_ftgate.history import past_runs  # noqa: PLC0415
    from pytest_ftgate.reports import check_report_path, write_report  # noqa: PLC0415

    for report in reports:
        check_report_path(report)
    written = [*reports, *([verdict] if verdict else []), *([history] if history else [])]
    keep_inputs(given.paths, written)
    # Whatever can be taken for a verdict: `ftgate verify` reads a JSON report, too.
    verdicts = [
        *([verdict] if verdict else []),
        *(path for path in reports if path.suffix.lower() == ".json"),
    ]
    _undecided(verdicts, "`ftgate decide` did not finish")
    try:
        record = with_reviews(read_records(given.records), given.reviews)
        record = with_calibrations(record, given.calibrations)
        gate, metrics = read_gate(given.config) if given.config else (None, metrics_for(record.run.gate))
        assessment = assess(record, gate, metrics=metrics)
    except FtgateError as error:
        _undecided(verdicts, str(error), common_run_id(given.records))
        raise
    earlier = past_runs(history)
    for report in reports:
        write_report(report, assessment, earlier)
    _finish(verdict, assessment)
    _add_to_summary(assessment)
    return assessment


def _undecided(verdicts: Sequence[Path], reason: str, run_id: str = "") -> None:
    """Takes older verdicts away first, so that whatever fails now leaves no SHIP behind; then says why."""
    from pytest_ftgate.reports.atomic import write_atomic  # noqa: PLC0415
    from pytest_ftgate.reports.json_report import incomplete_verdict_json, json_text  # noqa: PLC0415

    started = datetime.now(UTC).isoformat(timespec="seconds")
    for path in verdicts:
        write_atomic(path, json_text(incomplete_verdict_json(run_id, reason, started)))


def _finish(verdict: Path | None, assessment: Assessment) -> None:
    from pytest_ftgate.reports.atomic import write_atomic  # noqa: PLC0415
    from pytest_ftgate.reports.json_report import json_text, verdict_json  # noqa: PLC0415

    if verdict is not None:
        write_atomic(verdict, json_text(verdict_json(assessment)))


def _remember(path: Path | None, assessment: Assessment) -> None:
    from pytest_ftgate.history import add_to_history, history_run  # noqa: PLC0415

    if path is not None and (run := history_run(assessment)) is not None:
        try:
            add_to_history(path, run)
        except FtgateError as error:  # the verdict stands, whatever becomes of its line
            complain(str(error))


def _add_to_summary(assessment: Assessment) -> None:
    from pytest_ftgate.reports.step_summary import add_to_summary  # noqa: PLC0415

    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            add_to_summary(Path(path), assessment)
        except FtgateError as error:  # nobody asked for it by an option
            complain(str(error))

"""`ftgate compare`: the models of two runs beside each other, from their records."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ftgate.cli.console import Usable, print_assessment, print_message, print_text, reports_option
from pytest_ftgate.cli.inputs import keep_inputs, read_gate, read_record

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment
    from pytest_ftgate.record import Named


@click.command(short_help="Compare the models of two runs.")
@click.argument("earlier", type=click.Path(path_type=Path))
@click.argument("later", type=click.Path(path_type=Path))
@click.option(
    "--ftgate-config",
    "--gate",
    "config",
    type=click.Path(path_type=Path),
    help="Judge the comparison by the gate in this file.",
)
@reports_option
@click.option("-v", "--verbose", count=True, help="Show all cases that changed and what is measured on both.")
def compare(earlier: Path, later: Path, config: Path | None, reports: Sequence[Path], verbose: int) -> None:
    """Compare the models of two records that `pytest --ftgate-report=run.jsonl` wrote; nothing is asked.

    The model of EARLIER is the baseline, and that of LATER is the model; what else they were compared with in
    their runs does not count. Cases are paired by suite and id. Those that only one run has, or whose prompt
    changed, are named and not compared.

    Exit 0: compared, whatever the outcome, and whatever the gate says. Exit 2: wrong use, or a record that
    can't be used.
    """
    with Usable():
        before, after, assessment = _compare(earlier, later, config, reports)
    print_message(f"The model of {_told(after)}, beside the model of {_told(before)} as its baseline")
    print_text("\n")
    print_assessment(assessment, verbose)
    sys.exit(0)


def _told(named: Named) -> str:
    """A file, and when its run began."""
    when = named.record.run.when
    return f"{named.name} (begun {when})" if when else named.name


def _compare(
    earlier: Path, later: Path, config: Path | None, reports: Sequence[Path]
) -> tuple[Named, Named, Assessment]:
    from pytest_ftgate.gates import assess, unjudged  # noqa: PLC0415
    from pytest_ftgate.record import Named, compared  # noqa: PLC0415
    from pytest_ftgate.reports import check_report_path, write_report  # noqa: PLC0415

    for report in reports:
        check_report_path(report)
    keep_inputs([earlier, later, *([config] if config else [])], reports)
    before, after = (Named(name=str(path), record=read_record(path)) for path in (earlier, later))
    record = compared(before, after)
    if config is None:
        assessment = unjudged(record)
    else:
        gate, metrics = read_gate(config)
        assessment = assess(record, gate, metrics=metrics)
    for report in reports:
        write_report(report, assessment)
    return before, after, assessment

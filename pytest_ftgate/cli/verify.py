"""`ftgate verify`: the last step of a CI stage, which believes nothing but the verdict file."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pytest_ftgate.cli.console import REFUSED, Usable, complain, print_text
from pytest_ftgate.cli.inputs import read_gate
from pytest_ftgate.durations import parse_duration
from pytest_ftgate.errors import FtgateError

_DEFAULT_VERDICT = Path(".ftgate/verdict.json")


def _age(_context: click.Context, _option: click.Parameter, text: str | None) -> timedelta | None:
    """A length of time such as `2h` or `1h30m`."""
    if text is None:
        return None
    try:
        return timedelta(seconds=parse_duration(text))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(short_help="Exit 0 only for a SHIP: the last step of a CI stage.")
@click.argument("path", type=click.Path(path_type=Path), default=_DEFAULT_VERDICT)
@click.option("--run-id", help="The verdict must be of the run with this id.")
@click.option(
    "--max-age",
    callback=_age,
    metavar="AGE",
    help="The run must have ended no longer ago than this: 90m, 2h, 1d.",
)
@click.option(
    "--gate", type=click.Path(path_type=Path), help="The verdict must come from the gate in this file."
)
def verify(path: Path, run_id: str | None, max_age: timedelta | None, gate: Path | None) -> None:
    """Exit 0 only if the verdict file at PATH (default: .ftgate/verdict.json) says SHIP.

    Say which run is meant, by --run-id or --max-age. This is the step of a CI stage that does not trust an
    exit status: a run that never started, was cut short or was narrowed leaves no SHIP behind. Exit 1:
    refused, with the reason. Exit 2: wrong use.
    """
    from pytest_ftgate.reports.inert import inert_line  # noqa: PLC0415
    from pytest_ftgate.reports.verdict_check import Demand, read_verdict, refusal  # noqa: PLC0415

    if run_id is not None and not run_id.strip():
        raise click.UsageError(
            "--run-id is empty: a variable that is not set? Give the run's id, or leave it out."
        )
    if run_id is None and max_age is None:
        raise click.UsageError("Say which run is meant: --run-id ID, or --max-age AGE (such as 2h), or both.")
    with Usable():
        digest = read_gate(gate)[0].digest if gate else None
    demand = Demand(run_id=run_id, max_age=max_age, gate_digest=digest, gate_name=str(gate))
    try:
        verdict = read_verdict(path)
        reason = refusal(verdict, demand, datetime.now(UTC))
    except FtgateError as error:
        reason = str(error)
    if reason is not None:
        complain(reason)
        sys.exit(REFUSED)
    print_text(inert_line(f"SHIP: run {verdict.get('run_id')}, ended {verdict.get('finished')}") + "\n")

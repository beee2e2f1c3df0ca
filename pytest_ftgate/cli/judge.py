"""`ftgate judge`: a judge is itself on trial, against answers that people have labelled."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_ftgate.cli.console import REFUSED, Usable, print_lines
from pytest_ftgate.cli.inputs import keep_inputs
from pytest_ftgate.cli.judge_trial import JudgeTrial

if TYPE_CHECKING:
    from pytest_ftgate.record import Calibration


@click.group(short_help="Compare a judge with people's labels.")
def judge() -> None:
    """A judge is itself on trial: this says how far it agrees with people."""


_HELP = """Ask a judge about the answers in LABELS, and compare what it says with what people say.

\b
LABELS are rows of .jsonl or .csv:
  {"prompt": "...", "answer": "...", "label": "pass"}
      or fail, true, false, a grade
  {"prompt": "...", "a": "...", "b": "...", "label": "a"}
      or b, tie: for the check `prefer`

In the place of a prompt may stand the id of a case. A row with "judge" holds what the judge said already:
then nobody is asked. What was asked is kept in .ftgate/.

Exit 1: less agreement than --at-least. Exit 2: wrong use.
"""


@judge.command(help=_HELP, short_help="Agreement of a judge with answers that people labelled.")
@click.argument("labels", type=click.Path(path_type=Path))
@click.option(
    "--check",
    required=True,
    metavar="FILE[::CASE]",
    help="The case file, or one of its cases, whose check (judge, prefer, refusal with `by`) is tried.",
)
@click.option("--judge", "name", metavar="MODEL", help="The judge. Default: as in a run.")
@click.option(
    "--ftgate-config", "config", type=click.Path(path_type=Path), help="Models (default: ftgate.yaml here)."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write the calibration for the gate: a .json file.",
)
@click.option(
    "--at-least", type=click.FloatRange(-1, 1), help="Exit 1 if Cohen's kappa is lower, or undefined."
)
@click.option("--refresh", is_flag=True, help="Ask again, whatever was asked before.")
def calibrate(labels: Path, check: str, name: str | None, **more: Any) -> None:
    """The help stands apart, for its lines are to stay as they are."""
    from pytest_ftgate.calibration import agreed  # noqa: PLC0415
    from pytest_ftgate.calibration.report import render_calibration  # noqa: PLC0415

    output: Path | None = more["output"]
    with Usable():
        trial = JudgeTrial.of(check, name, more["config"])
        found = trial.judged(labels, refresh=more["refresh"])
        calibration = trial.calibration(found)
        if output is not None:
            _write(output, calibration, [labels])
    amounts = agreed(calibration.pairs, calibration.errors)
    print_lines(
        lambda width, ascii_only: render_calibration(
            found,
            amounts,
            title=trial.title,
            labels=labels.name,
            output=None if output is None else str(output),
            width=width,
            ascii_only=ascii_only,
        )
    )
    if more["at_least"] is not None and (amounts.kappa is None or amounts.kappa < more["at_least"]):
        sys.exit(REFUSED)


def _write(output: Path, calibration: Calibration, read: Sequence[Path]) -> None:
    from pytest_ftgate.calibration.file import calibration_json  # noqa: PLC0415
    from pytest_ftgate.reports.atomic import refuse_foreign, write_atomic  # noqa: PLC0415
    from pytest_ftgate.reports.json_report import json_text  # noqa: PLC0415

    keep_inputs(read, [output])
    refuse_foreign(output, "ftgate.calibration/", "calibration")
    write_atomic(output, json_text(calibration_json(calibration)))


judge.add_command(calibrate)

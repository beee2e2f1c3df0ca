"""The console script `ftgate`: what is done with verdicts and records outside of a test run.

It reads files, writes files and prints; it never asks a model, and starts pytest only to learn what a
project's hooks add.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_ftgate import __version__
from pytest_ftgate.errors import FtgateError

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment, Gate, Metric
    from pytest_ftgate.record import Record

_DEFAULT_VERDICT = Path(".ftgate/verdict.json")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_REFUSED, _UNUSABLE = 1, 2
_MAX_COMPLAINTS = 500


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ftgate", message="%(prog)s %(version)s")
def main() -> None:
    """May this fine-tuned model ship? Tools around the verdict of `pytest --model=...`."""


@main.command(short_help="Print the JSON Schema of case files, for editors.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE instead of stdout."
)
def schema(output: Path | None) -> None:
    """Print the JSON Schema of case files, for editors that check YAML while you type.

    It knows the scorers of this project's conftest and of installed plugins too.
    """
    from pytest_ftgate.files.schema import case_file_schema  # noqa: PLC0415  (imports the scorers' table)
    from pytest_ftgate.plugin.extensions import scorers_of_project  # noqa: PLC0415  (imports pytest)
    from pytest_ftgate.reports.atomic import write_atomic  # noqa: PLC0415

    with _Usable():
        scorers = scorers_of_project()
    text = json.dumps(case_file_schema(scorers), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        _print(text)
        return
    with _Usable():
        write_atomic(output, text)


def _age(_context: click.Context, _option: click.Parameter, text: str | None) -> timedelta | None:
    """A length of time such as `2h` or `1h30m`."""
    if text is None:
        return None
    if not re.fullmatch(r"(?:\d{1,6}[smhd])+", text, re.ASCII):
        raise click.BadParameter(
            f"'{text}' is not an age; write a number and its unit, such as 90m, 2h or 1d"
        )
    parts = re.findall(r"(\d+)([smhd])", text)
    age = sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())
    if not age:
        raise click.BadParameter(f"'{text}' lets no verdict through; write such as 90m, 2h or 1d")
    return age


@main.command(short_help="Exit 0 only for a SHIP: the last step of a CI stage.")
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
    with _Usable():
        digest = _read_gate(gate)[0].digest if gate else None
    demand = Demand(run_id=run_id, max_age=max_age, gate_digest=digest, gate_name=str(gate))
    try:
        verdict = read_verdict(path)
        reason = refusal(verdict, demand, datetime.now(UTC))
    except FtgateError as error:
        reason = str(error)
    if reason is not None:
        _complain(reason)
        sys.exit(_REFUSED)
    _print(inert_line(f"SHIP: run {verdict.get('run_id')}, ended {verdict.get('finished')}") + "\n")


@main.command(short_help="Judge the records of finished runs again.")
@click.argument("records", metavar="RECORD...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--ftgate-config",
    "config",
    type=click.Path(path_type=Path),
    help="Judge by the gate in this file, not by the one in the record.",
)
@click.option("--verdict", type=click.Path(path_type=Path), help="Write the verdict file to PATH.")
@click.option(
    "--report",
    "reports",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Write a report, .json or .jsonl; may be repeated.",
)
@click.option("-v", "--verbose", count=True, help="Show all regressions and reasons.")
@click.option("-q", "--quiet", count=True, help="Show the verdict and failed criteria only.")
def decide(
    records: Sequence[Path],
    config: Path | None,
    verdict: Path | None,
    reports: Sequence[Path],
    **loudness: int,
) -> None:
    """Judge what `pytest --ftgate-report=run.jsonl` recorded, by the gate in the record or another one.

    Nothing is asked. Several records are the shards of one run.

    Exit 0: SHIP. Exit 1: any other verdict. Exit 2: wrong use, or a record that can't be used.
    """
    with _Usable():
        assessment = _decide(records, config, verdict, reports)
    if config:
        _print(f"Judged by the gate in {config}, not by the one in the record.\n\n")
    _print_report(assessment, loudness["verbose"] - loudness["quiet"])
    sys.exit(0 if assessment.verdict.word == "SHIP" else _REFUSED)


def _decide(
    records: Sequence[Path], config: Path | None, verdict: Path | None, reports: Sequence[Path]
) -> Assessment:
    from pytest_ftgate.gates import assess  # noqa: PLC0415
    from pytest_ftgate.reports import check_report_path, write_report  # noqa: PLC0415

    for report in reports:
        check_report_path(report)
    _keep_inputs([*records, *([config] if config else [])], [*reports, *([verdict] if verdict else [])])
    _begin(verdict)
    record = _read_records(records)
    gate, metrics = _read_gate(config) if config else (None, _metrics_for(record.run.gate))
    assessment = assess(record, gate, metrics=metrics)
    for report in reports:
        write_report(report, assessment)
    _finish(verdict, assessment)
    return assessment


class _Usable:
    """Turns what is wrong with the user's files into a message and exit status 2."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, FtgateError):
            _complain(str(error))
            sys.exit(_UNUSABLE)


def _keep_inputs(read: Sequence[Path], written: Sequence[Path]) -> None:
    """Refuses to write a file over one that is to be read, or two files over each other."""
    from pytest_ftgate.errors import ConfigError  # noqa: PLC0415

    taken = {path.resolve() for path in read}
    for path in written:
        if path.resolve() in taken:
            raise ConfigError(f"{path} is named twice: a file can't be read and written, or written twice")
        taken.add(path.resolve())


def _begin(verdict: Path | None) -> None:
    """Takes an older verdict away first, so that whatever fails now leaves no SHIP behind."""
    from pytest_ftgate.reports.atomic import write_atomic  # noqa: PLC0415
    from pytest_ftgate.reports.json_report import incomplete_verdict_json, json_text  # noqa: PLC0415

    if verdict is not None:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        write_atomic(
            verdict, json_text(incomplete_verdict_json("", "`ftgate decide` did not finish", started))
        )


def _finish(verdict: Path | None, assessment: Assessment) -> None:
    from pytest_ftgate.reports.atomic import write_atomic  # noqa: PLC0415
    from pytest_ftgate.reports.json_report import json_text, verdict_json  # noqa: PLC0415

    if verdict is not None:
        write_atomic(verdict, json_text(verdict_json(assessment)))


def _read_gate(path: Path) -> tuple[Gate, Mapping[str, Metric]]:
    """The gate in a file, and the metrics that its criteria may name."""
    from pytest_ftgate.files.config_file import read_config  # noqa: PLC0415  (imports yaml)
    from pytest_ftgate.gates import parse_gate  # noqa: PLC0415

    here, at = Path.cwd(), path.resolve()
    root = here if at.is_relative_to(here) else at.parent
    try:
        raw = read_config(at, root).gate
    except FtgateError:  # a threshold may be in the unit of a metric that only the project knows
        raw = read_config(at, root, _metrics_of_project()).gate
    metrics = _metrics_for(raw)
    return parse_gate(raw, metrics=metrics), metrics


def _metrics_for(raw: Mapping[str, Any]) -> Mapping[str, Metric]:
    """The metrics that a gate needs: the project's are looked up only if it names one that is not ours."""
    from pytest_ftgate.gates import BUILTIN_METRICS  # noqa: PLC0415
    from pytest_ftgate.scorers import BUILTIN  # noqa: PLC0415

    known = {*BUILTIN, *BUILTIN_METRICS}
    others = [name for name in _metric_names(raw) if name not in known and not name.startswith("mean:")]
    return _metrics_of_project() if others else BUILTIN_METRICS


def _metric_names(raw: Mapping[str, Any]) -> Iterator[str]:
    """The metrics in a gate as written, which nobody has checked yet."""
    criteria = raw.get("criteria")
    for criterion in criteria.values() if isinstance(criteria, Mapping) else ():
        metric = criterion.get("metric") if isinstance(criterion, Mapping) else None
        names = metric if isinstance(metric, Sequence) and not isinstance(metric, str) else [metric]
        yield from (name for name in names if isinstance(name, str))


def _metrics_of_project() -> Mapping[str, Metric]:
    from pytest_ftgate.plugin.extensions import metrics_of_project  # noqa: PLC0415  (imports pytest)

    return metrics_of_project()


def _read_records(paths: Sequence[Path]) -> Record:
    from pytest_ftgate.errors import RecordError  # noqa: PLC0415
    from pytest_ftgate.record import merge, parse_record  # noqa: PLC0415

    records = []
    for path in paths:
        try:
            with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
                records.append(parse_record(lines, str(path)))
        except RecordError as error:
            if path.suffix != ".json":
                raise
            hint = "a .json report does not hold the record: judge one that --ftgate-report=NAME.jsonl wrote"
            raise RecordError(f"{error} ({hint})") from None
        except OSError as error:
            raise RecordError(f"{path} can't be read: {error.strerror or error}") from None
    return merge(records)


def _print_report(assessment: Assessment, verbosity: int) -> None:
    from pytest_ftgate.reports.lines import ansi_text, plain_text  # noqa: PLC0415
    from pytest_ftgate.reports.terminal import render_terminal  # noqa: PLC0415

    lines = render_terminal(
        assessment,
        width=shutil.get_terminal_size().columns,
        verbosity=verbosity,
        ascii_only=not _takes("≥±…", sys.stdout.encoding),
    )
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    _print(ansi_text(lines) if colour else plain_text(lines))


def _takes(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _print(text: str, *, err: bool = False) -> None:
    """Writes to the stream in its own encoding; what that lacks stands as an escape."""
    encoding = (sys.stderr if err else sys.stdout).encoding or "ascii"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False, err=err)


def _complain(message: str) -> None:
    """Says what is wrong on stderr, harmless whatever it quotes, each line behind our name."""
    from pytest_ftgate.reports.inert import inert_line  # noqa: PLC0415

    rows = message.split("\n")[:_MAX_COMPLAINTS]
    _print("".join(f"ftgate: {inert_line(row, limit=4000)}\n" for row in rows), err=True)

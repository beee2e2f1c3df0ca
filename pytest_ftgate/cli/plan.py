"""`ftgate plan`: what a run would ask, cost and be able to decide, before anything is sent."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_ftgate.cli.console import (
    REFUSED,
    UNUSABLE,
    Usable,
    complain,
    is_coloured,
    print_lines,
    print_text,
)
from pytest_ftgate.cli.inputs import keep_inputs, read_records
from pytest_ftgate.cli.pytest_args import PASSES_ON, PytestCommand, theirs

if TYPE_CHECKING:
    from pytest_ftgate.planning import Observed, Preview, RunPlan
    from pytest_ftgate.planning.leakage import Leaks

_ASSUMPTION = re.compile(r"[A-Za-z_]+=[^\s/]*")
_SHOWN_BROKEN = 20


class _PlanCommand(PytestCommand):
    """Takes `--assume a=1 b=2` as one option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, once each assumption has its own option."""
        return super().parse_args(ctx, list(_with_assumptions(args)))


def _with_assumptions(args: Sequence[str]) -> Sequence[str]:
    told: list[str] = []
    assuming = False
    for at, arg in enumerate(args):
        if arg == "--":
            return [*told, *args[at:]]
        if assuming and _ASSUMPTION.fullmatch(arg) and told[-1] != "--assume":
            told += ["--assume", arg]
            continue
        is_value = bool(told) and told[-1] in ("--assume", "--from", "--training-data", "--json")
        assuming = arg.partition("=")[0] == "--assume" or (assuming and is_value)
        told.append(arg)
    return told


@click.command(
    cls=_PlanCommand,
    short_help="What a run would cost and could decide, before it is paid for.",
    context_settings=PASSES_ON,
)
@click.argument("pytest_args", metavar="[PYTEST ARGS]...", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--training-data",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Look for eval prompts in this file (.jsonl, or .txt with a text in each line); may be repeated.",
)
@click.option(
    "--assume",
    multiple=True,
    metavar="NAME=SHARE...",
    help="What is true of the models: baseline=70% discordance=20% rate=95% change=+10%.",
)
@click.option(
    "--from",
    "earlier",
    type=click.Path(path_type=Path),
    metavar="RECORD",
    help="Take rates and lengths of answers from an earlier run's report, .jsonl or .json.",
)
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the plan to this file too.",
)
@click.option("-v", "--verbose", count=True, help="Show how each number came about.")
def plan(verbose: int, **given: Any) -> None:
    """Show what `pytest [PYTEST ARGS]...` would ask, what that costs, and what the gate could decide by it.

    Nothing is sent, and no verdict file is touched. Without --model both arms are assumed.

    Exit 0: shown. Exit 1: an eval prompt stands word for word in the training data. Exit 2: wrong use, or a
    file with mistakes.
    """
    with Usable():
        made = _plan(_Given(**given))
    _print_plan(made, verbose)
    if made.leaks and made.leaks.broken_rows:
        _complain_of_rows(made.leaks)
        sys.exit(UNUSABLE)
    sys.exit(REFUSED if made.leaks and made.leaks.exact_cases else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What the user wrote behind `ftgate plan`."""

    pytest_args: Sequence[str]
    training_data: Sequence[Path]
    assume: Sequence[str]
    earlier: Path | None
    output: Path | None


def _plan(given: _Given) -> RunPlan:
    from pytest_ftgate.planning import parse_assumptions, plan_run  # noqa: PLC0415
    from pytest_ftgate.reports.atomic import write_atomic  # noqa: PLC0415
    from pytest_ftgate.reports.json_report import json_text  # noqa: PLC0415
    from pytest_ftgate.reports.plan_json import plan_json  # noqa: PLC0415

    read = [*given.training_data, *([given.earlier] if given.earlier else [])]
    keep_inputs(read, [given.output] if given.output else [])
    assumptions = parse_assumptions(given.assume)
    observed = _observed(given.earlier) if given.earlier else None
    preview = _preview(theirs(given.pytest_args))
    leaks = _leaks(preview, given.training_data) if given.training_data else None
    made = plan_run(preview, assumptions, observed, leaks)
    if given.output is not None:
        write_atomic(given.output, json_text(plan_json(made)))
    return made


def _preview(args: Sequence[str]) -> Preview:
    """What pytest collects; where it can't, this shows what it said, and ends with status 2."""
    from pytest_ftgate.plugin.preview import look_ahead  # noqa: PLC0415  (imports pytest)

    found = look_ahead(args, coloured=is_coloured())
    if found.refusal:
        complain(found.refusal)
    elif found.preview is None:
        print_text(found.printed)
    elif not any(case.skip is None for case in found.preview.plan.cases):
        similar = f" Did you mean {', '.join(found.similar)}?" if found.similar else ""
        skipped = " that is not skipped" if found.preview.plan.cases else ""
        complain(f"there is no eval case{skipped} in what pytest collects here.{similar}")
    else:
        return found.preview
    sys.exit(UNUSABLE)


def _observed(path: Path) -> Observed:
    """What an earlier run says, from its record or its JSON report."""
    from pytest_ftgate.errors import RecordError  # noqa: PLC0415
    from pytest_ftgate.planning import observed_in_record, observed_in_report  # noqa: PLC0415

    if path.suffix.lower() != ".json":
        return observed_in_record(path.name, read_records([path]))
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(f"{path} can't be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not JSON: {error}") from None
    return observed_in_report(path.name, report)


def _leaks(preview: Preview, paths: Sequence[Path]) -> Leaks:
    """The eval prompts that stand in these files, which are read line by line."""
    from pytest_ftgate.errors import ConfigError  # noqa: PLC0415
    from pytest_ftgate.planning.leakage import find_leaks  # noqa: PLC0415  (loads rapidfuzz)
    from pytest_ftgate.planning.training_data import parse_training_rows  # noqa: PLC0415

    with ExitStack() as files:
        rows = []
        for path in paths:
            try:
                lines = files.enter_context(path.open("rb"))
            except OSError as error:
                raise ConfigError(
                    f"--training-data {path} can't be read: {error.strerror or error}"
                ) from None
            rows.append((str(path), parse_training_rows(lines, str(path))))
        return find_leaks(preview.cases, rows)


def _complain_of_rows(leaks: Leaks) -> None:
    rows = [str(row) for row in leaks.broken[:_SHOWN_BROKEN]]
    more = leaks.broken_rows - len(rows)
    complain("\n".join([*rows, *([f"{more:,} more rows can't be read"] if more else [])]))


def _print_plan(made: RunPlan, verbosity: int) -> None:
    from pytest_ftgate.reports.plan_report import render_plan  # noqa: PLC0415

    print_lines(
        lambda width, ascii_only: render_plan(made, width=width, verbosity=verbosity, ascii_only=ascii_only)
    )

"""`ftgate batch status` and `ftgate batch collect`: how far batches are, and what they brought."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ftgate.cases import Arm
from pytest_ftgate.cli.batch_folder import (
    Working,
    duration,
    opened,
    say,
    say_next,
    status_command,
    submit_command,
    to_option,
    to_words,
)
from pytest_ftgate.cli.console import REFUSED, complain, print_row
from pytest_ftgate.cli.pytest_args import without_options

if TYPE_CHECKING:
    from pytest_ftgate.models.batches.state import Part, State

RUNNING = 3


@click.command(short_help="How far the batches are.")
@to_option
@click.option("--wait", "waits", is_flag=True, help="Wait until all have ended.")
@click.option(
    "--poll", default="30s", show_default=True, metavar="TIME", callback=duration, help="How often to ask."
)
@click.option("--deadline", metavar="TIME", callback=duration, help="Wait no longer than this: 90m, 26h.")
def status(to: Path, waits: bool, poll: float, deadline: float | None) -> None:
    """Show how far each batch is, a line for each.

    Exit 0: all have ended, with nothing failed. Exit 1: all have ended; some requests failed, or expired.
    Exit 3: some still run. Exit 2: it could not be found out.
    """
    from pytest_ftgate.cli.batch_project import Project  # noqa: PLC0415
    from pytest_ftgate.cli.batch_text import short_status, status_lines  # noqa: PLC0415

    with Working(to), opened(to) as (folder, state):
        from pytest_ftgate.models.batches import watching  # noqa: PLC0415  (loads aiohttp)

        endpoints = Project(state).endpoints
        if waits:
            watching.not_submitted(state, shlex.join(submit_command(to, state)))
        tell = _when_changed(short_status)
        deadline_s = deadline if waits else 0.0
        watching.done(
            watching.wait(folder, state, endpoints, poll_s=poll, deadline_s=deadline_s, tell=tell)
            if waits
            else watching.refresh(folder, state, endpoints)
        )
        for line in status_lines(state, time.time()):
            print_row(line)
        watching.not_submitted(state, shlex.join(submit_command(to, state)))
    sys.exit(_status_of(state))


def _when_changed(text_of: Callable[[State], str]) -> Callable[[State], None]:
    """Says how far batches are, but not the same twice."""
    said = ""

    def tell(state: State) -> None:
        nonlocal said
        if (text := text_of(state)) != said:
            say(f"{time.strftime('%H:%M:%S')} {text}")
            said = text

    return tell


def _status_of(state: State) -> int:
    if not all(part.batch is not None and part.batch.has_ended for part in state.parts):
        return RUNNING
    # A later round asks what earlier ones lack.
    return 0 if all(_is_whole(part) for part in state.parts if part.round == state.rounds) else REFUSED


def _is_whole(part: Part) -> bool:
    batch = part.batch
    return (
        batch is not None
        and batch.status == "completed"
        and not batch.failed
        and batch.completed in (None, part.requests)
    )


@click.command(short_help="Fetch the answers, for `recorded:` to play.")
@to_option
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write the answers.",
)
def collect(to: Path, output: Path) -> None:
    """Fetch what the batches brought and write the answers to FILE, which `recorded:FILE` plays.

    Exit 0: every answer is there. Exit 1: some are missing, each of which is named; those that came are
    written. Exit 3: the same, and some batches still run. Exit 2: wrong use, or the provider can't be asked.
    """
    from pytest_ftgate.cli.batch_project import Project  # noqa: PLC0415
    from pytest_ftgate.cli.batch_text import collected_lines, missing_lines  # noqa: PLC0415
    from pytest_ftgate.reports import refuse_foreign  # noqa: PLC0415

    with Working(to), opened(to) as (folder, state):
        from pytest_ftgate.models.batches import watching  # noqa: PLC0415  (loads aiohttp)
        from pytest_ftgate.models.batches.collecting import Join, fetch, write_collected  # noqa: PLC0415

        refuse_foreign(output, "ftgate.answers/", "saved answers")
        project = Project(state)
        watching.not_submitted(state, shlex.join(submit_command(to, state)))
        watching.done(watching.refresh(folder, state, project.endpoints))
        troubles = watching.done(fetch(folder, state, project.endpoints))
        collected = write_collected(output, folder, state, Join(folder, state, project))
        for line in collected_lines(str(output), collected):
            print_row(line)
        for line in [*troubles, *collected.remarks, *missing_lines(collected)]:
            complain(line)
    if not collected.missing:
        say_next(_judge(state, output, [arm.value for arm in Arm if arm.value in collected.wanted]))
        return
    runs = _status_of(state) == RUNNING
    say(f"as it is, a run with recorded:{output} refuses to begin")
    again = ["ftgate", "batch", "collect", *to_words(to), "-o", str(output)]
    do = [] if runs else [submit_command(to, state, "--missing")]
    say_next(*do, status_command(to, "--wait"), again)
    sys.exit(RUNNING if runs else REFUSED)


def _judge(state: State, output: Path, arms: Sequence[str]) -> list[str]:
    """The run that was submitted, with what was asked in batches played from the file."""
    spelt = {arm: f"--{arm}" for arm in arms}
    for arm in arms:  # a project with a --model of its own spells ours in full
        if any(arg.partition("=")[0] == f"--ftgate-{arm}" for arg in state.args):
            spelt[arm] = f"--ftgate-{arm}"
    live = without_options(state.args, [name for arm in arms for name in (f"--{arm}", f"--ftgate-{arm}")])
    # In front: behind a `--` they would be paths.
    return ["pytest", *(f"{spelt[arm]}=recorded:{output}" for arm in arms), *live]

"""What the commands of `ftgate batch` share: the folder, how they speak, and how they end."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ftgate.cli.console import Usable, complain, print_message, print_row
from pytest_ftgate.durations import parse_duration
from pytest_ftgate.errors import BatchError

if TYPE_CHECKING:
    from pytest_ftgate.models.batches.state import BatchFolder, State

INTERRUPTED = 130
DEFAULT = Path(".ftgate/batch")

to_option = click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT,
    show_default=True,
    metavar="FOLDER",
    help="Where it is kept what was submitted, and what came back.",
)


class Working(Usable):
    """Also turns Ctrl-C into a sentence: nothing that was submitted is lost by it."""

    def __init__(self, to: Path) -> None:
        self._to = to

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            complain("stopped; what was submitted goes on at the provider, and this finds it:")
            print_row(shlex.join(status_command(self._to)), first="  ", err=True)
            sys.exit(INTERRUPTED)
        super().__exit__(kind, error, traceback)


def duration(_context: object, _option: object, text: str | None) -> float | None:
    """Seconds; what is no length of time is wrong use."""
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def say(text: str) -> None:
    """A sentence on stdout, in lines of the terminal's width."""
    print_message(text)


def say_next(*commands: Sequence[str]) -> None:
    """What to do now: each command on a line of its own, to be copied."""
    print_row("next:")
    for command in commands:
        print_row(shlex.join(command), first="  ")


def to_words(path: Path) -> list[str]:
    """How the next command has to name the folder."""
    return [] if path == DEFAULT else ["--to", str(path)]


def status_command(to: Path, *options: str) -> list[str]:
    """The command that says how far the batches of this folder are."""
    return ["ftgate", "batch", "status", *options, *to_words(to)]


def submit_command(to: Path, state: State, *options: str) -> list[str]:
    """The command that submits what the state's requests were asked for, as the user wrote it."""
    return ["ftgate", "batch", "submit", *options, *to_words(to), *state.options, *state.args]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[BatchFolder, State]]:
    """The folder of something that was submitted; raises `BatchError` if nothing was."""
    from pytest_ftgate.models.batches.state import BatchFolder  # noqa: PLC0415

    nothing = f"{path}: nothing was submitted from here; `ftgate batch submit` does it"
    if not path.is_dir():
        raise BatchError(nothing)
    with BatchFolder(path) as folder:
        state = folder.read()
        if state is None:
            raise BatchError(nothing)
        yield folder, state

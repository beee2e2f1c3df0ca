"""What the commands of `ftgate batch` share: the folder, how they speak, and how they end."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ftgate.cli.console import Usable, complain, print_text
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

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            complain(
                "stopped; what was submitted goes on at the provider, and `ftgate batch status` finds it"
            )
            sys.exit(INTERRUPTED)
        super().__exit__(kind, error, traceback)


def duration(_context: object, _option: object, text: str | None) -> float | None:
    """Seconds; what is no length of time is wrong use."""
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def say(text: str) -> None:
    """A line on stdout, harmless whatever it quotes."""
    from pytest_ftgate.reports.inert import inert_line  # noqa: PLC0415

    print_text(f"{inert_line(text, limit=4000)}\n")


def to_words(path: Path) -> str:
    """How the next command has to name the folder."""
    return "" if path == DEFAULT else f" --to {path}"


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

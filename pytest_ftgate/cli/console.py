"""What commands share: how they print, how they complain, how their exit statuses are called, an option."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from pytest_ftgate.errors import FtgateError

if TYPE_CHECKING:
    from pytest_ftgate.gates import Assessment
    from pytest_ftgate.reports.lines import Line

REFUSED, UNUSABLE = 1, 2
_MAX_COMPLAINTS = 500
_PLACE = re.compile(r"\S+:\d+:")


reports_option = click.option(
    "--report",
    "reports",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Write a report, .html, .md, .csv, .json or .jsonl; may be repeated.",
)


class Usable:
    """Turns what is wrong with the user's files into a message and exit status 2."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, FtgateError):
            complain(str(error))
            sys.exit(UNUSABLE)


def print_lines(render: Callable[[int, bool], Sequence[Line]]) -> None:
    """Prints what `render` makes of the terminal's width and of whether it takes ASCII only."""
    from pytest_ftgate.reports.lines import ansi_text, plain_text  # noqa: PLC0415

    lines = render(shutil.get_terminal_size().columns, not takes("≥±…", sys.stdout.encoding))
    print_text(ansi_text(lines) if is_coloured() else plain_text(lines))


def print_assessment(assessment: Assessment, verbosity: int) -> None:
    """Prints the report that ends a run of pytest."""
    from pytest_ftgate.reports.terminal import render_terminal  # noqa: PLC0415

    print_lines(
        lambda width, ascii_only: render_terminal(
            assessment, width=width, verbosity=verbosity, ascii_only=ascii_only
        )
    )


def is_coloured() -> bool:
    """Whether standard output is a terminal on which nobody asked for plain text."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def takes(text: str, encoding: str | None) -> bool:
    """Whether an encoding has all these signs."""
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_text(text: str, *, err: bool = False) -> None:
    """Writes to the stream in its own encoding; what that lacks stands as an escape."""
    encoding = (sys.stderr if err else sys.stdout).encoding or "ascii"
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=False, err=err)


def print_row(row: str, *, first: str = "", err: bool = False) -> None:
    """Prints what has to stay on one line, such as a command to copy, harmless whatever it quotes."""
    from pytest_ftgate.reports.inert import inert_line  # noqa: PLC0415

    print_text(f"{first}{inert_line(row, limit=4000)}\n", err=err)


def print_message(message: str, *, first: str = "", err: bool = False) -> None:
    """Prints a message, harmless whatever it quotes, in lines of the terminal's width.

    It stays on one line where programs read it: in a log or a pipe of which nobody says how wide it is, and
    if it begins with a place in a file.
    """
    from pytest_ftgate.reports.page import sentence_rows  # noqa: PLC0415

    if _PLACE.match(message) or not _is_for_people(sys.stderr if err else sys.stdout):
        print_row(message, first=first, err=err)
        return
    rows = sentence_rows(message, shutil.get_terminal_size().columns, first=first)
    print_text("".join(f"{row}\n" for row in rows), err=err)


def _is_for_people(stream: TextIO) -> bool:
    return stream.isatty() or bool(os.environ.get("COLUMNS"))


def complain(message: str) -> None:
    """Says what is wrong on stderr, each line of it behind our name."""
    for row in message.split("\n")[:_MAX_COMPLAINTS]:
        print_message(row, first="ftgate: ", err=True)

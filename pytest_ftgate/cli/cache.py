"""`ftgate cache`: what is in the store of answers, and how to make it smaller."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ftgate.cli.console import Usable, print_text
from pytest_ftgate.durations import parse_duration

if TYPE_CHECKING:
    from pytest_ftgate.models.answer_store.upkeep import StoreContent, StoredRun

_DEFAULT = Path(".ftgate/answers.sqlite")


@click.group(short_help="What answers are kept, and how to delete old ones.")
def cache() -> None:
    """The store of answers, .ftgate/answers.sqlite: each answer is kept the moment it arrives.

    A run that was cut short is gone on with by the next one; `pytest --ftgate-cache=...` says which answers
    count.
    """


@cache.command(short_help="What answers are kept.")
@click.argument("path", type=click.Path(path_type=Path), default=_DEFAULT)
def info(path: Path) -> None:
    """Say what is in the store at PATH (default: .ftgate/answers.sqlite)."""
    from pytest_ftgate.models.answer_store.upkeep import read_content  # noqa: PLC0415  (imports sqlite3)

    with Usable():
        print_text(_as_text(path, read_content(path)))


@cache.command(short_help="Delete old answers.")
@click.argument("path", type=click.Path(path_type=Path), default=_DEFAULT)
@click.option(
    "--older-than",
    default="7d",
    show_default=True,
    metavar="TIME",
    callback=lambda _context, _option, text: _seconds(text),
    help="Answers that came longer ago than this: 90m, 12h, 7d.",
)
@click.option("--all", "everything", is_flag=True, help="All answers.")
def prune(path: Path, older_than: float, everything: bool) -> None:
    """Delete old answers from the store at PATH (default: .ftgate/answers.sqlite).

    Answers of a run that is running stay. A file that is damaged, or not ours, is left as it is.
    """
    from pytest_ftgate.models.answer_store.upkeep import prune as prune_store  # noqa: PLC0415  (imports sqlite3)

    with Usable():
        pruned = prune_store(path, 0.0 if everything else older_than)
        print_text(f"deleted {_count(pruned.answers)}\n{_as_text(path, pruned.left)}")


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _as_text(path: Path, content: StoreContent) -> str:
    from pytest_ftgate.reports.inert import inert_line  # noqa: PLC0415

    head = f"{path}: {_count(content.answers)}, {content.size / 1_000_000:.1f} MB"
    lines = [head, *(f"  {_run_text(run)}" for run in content.runs if run.answers or run.is_running)]
    return "".join(inert_line(line, limit=4000) + "\n" for line in lines)


def _run_text(run: StoredRun) -> str:
    state = "running" if run.is_running else "finished" if run.is_finished else "unfinished"
    if run.run_id == "use":
        state = "of --ftgate-cache=use"
    when = datetime.fromtimestamp(run.last or run.started, UTC)
    return f"{when:%Y-%m-%d %H:%M} UTC  {_count(run.answers):>14}  {state:10}  {run.models}"


def _count(answers: int) -> str:
    return "1 answer" if answers == 1 else f"{answers:,} answers"

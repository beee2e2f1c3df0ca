"""`ftgate history`: what past runs show beside each other."""

from __future__ import annotations

from pathlib import Path

import click

from pytest_ftgate.cli.console import Usable, complain, print_lines, print_text
from pytest_ftgate.errors import ConfigError

_DEFAULT = Path(".ftgate/history.jsonl")


@click.command(short_help="Show how past runs went, category by category.")
@click.argument("path", type=click.Path(path_type=Path), default=_DEFAULT)
@click.option(
    "-n", "last", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many runs."
)
@click.option("--category", help="Show this category only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def history(path: Path, last: int, category: str | None, *, as_json: bool) -> None:
    """Show the runs that added themselves to the history at PATH (default: .ftgate/history.jsonl).

    PATH is the file, or the folder of the project.

    Each category is shown beside its noise band: the interval of the last SHIP's rate, or of the median run's
    where none shipped. A rate within it may be the same model on another day.

    Exit 0: shown. Exit 2: wrong use, or there is no history that can be read.
    """
    from pytest_ftgate.history import read_history  # noqa: PLC0415
    from pytest_ftgate.reports.history import Shown, history_json, render_history  # noqa: PLC0415
    from pytest_ftgate.reports.json_report import json_text  # noqa: PLC0415

    shown = Shown(last=last, category=category)
    with Usable():
        found = read_history(_file_at(path))
        if not found.runs:
            raise ConfigError(f"{path} holds no run yet")
        if category is not None:
            _check(
                category,
                sorted({group.value for run in found.runs for group in run.groups if group.by == "category"}),
            )
    for problem in found.problems:
        complain(problem)
    if as_json:
        print_text(json_text(history_json(found.runs, shown)))
        return
    print_lines(
        lambda width, ascii_only: render_history(found.runs, shown, width=width, ascii_only=ascii_only)
    )


def _file_at(path: Path) -> Path:
    """The history of a folder that is named; raises ConfigError for none there, with those that are near."""
    try:
        here = path / _DEFAULT if path.is_dir() else path
        if here.exists() or (here == path and path != _DEFAULT):
            return here
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror or error}") from None
    near = sorted(str(one) for one in Path().glob(f"*/{_DEFAULT}"))[:3]
    hint = f"; there is {', '.join(near)}" if near else ""
    raise ConfigError(
        f"{here} is not there: each whole run adds itself to the one in pytest's rootdir (INCOMPLETE "
        f"runs and parts of runs do not){hint}"
    )


def _check(category: str, known: list[str]) -> None:
    """Raises ConfigError for a category that no run has, with those that there are."""
    from difflib import get_close_matches  # noqa: PLC0415

    if category in known:
        return
    near = get_close_matches(category, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    there = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    raise ConfigError(f"--category {category}: no run has it; there are {there or 'none'}.{hint}")

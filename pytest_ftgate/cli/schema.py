"""`ftgate schema`: the JSON Schema of case files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pytest_ftgate.cli.console import Usable, print_text


@click.command(short_help="Print the JSON Schema of case files, for editors.")
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

    with Usable():
        scorers = scorers_of_project()
    text = json.dumps(case_file_schema(scorers), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        print_text(text)
        return
    with Usable():
        write_atomic(output, text)

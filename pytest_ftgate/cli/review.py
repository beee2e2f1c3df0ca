"""`ftgate review`: people compare the answers of both arms without knowing whose they are."""

from __future__ import annotations

import click

from pytest_ftgate.cli.console import print_text
from pytest_ftgate.cli.review_apply import apply
from pytest_ftgate.cli.review_export import export

_HELP = """People compare the answers of both models, without knowing whose they are.

\b
ftgate review export run.jsonl --pairs 100 --per-item 3 -o batch/
ftgate review apply batch/ votes-*.json -o review.json
ftgate decide run.jsonl --review review.json
"""


@click.group(help=_HELP, short_help="People compare the answers: export pairs, apply votes.")
def review() -> None:
    """Each command is a function of its own."""


@review.command(short_help="Print the instructions for reviewers, to be edited.")
def instructions() -> None:
    """Print what reviewers are told by default; edit it and give it to `export --instructions`."""
    from pytest_ftgate.review.instructions import DEFAULT  # noqa: PLC0415

    print_text(DEFAULT)


for _command in (export, apply):
    review.add_command(_command)

"""The console script `ftgate`: what is done with verdicts, records and plans outside of a test run.

It reads files, writes files and prints; it never asks a model, but for `ftgate batch`, and starts pytest only
to learn what a project's hooks add and what a run would have to do. Each command has a module of its own.
"""

from __future__ import annotations

import click

from pytest_ftgate import __version__
from pytest_ftgate.cli.batch import batch
from pytest_ftgate.cli.cache import cache
from pytest_ftgate.cli.compare import compare
from pytest_ftgate.cli.decide import decide
from pytest_ftgate.cli.history import history
from pytest_ftgate.cli.judge import judge
from pytest_ftgate.cli.plan import plan
from pytest_ftgate.cli.review import review
from pytest_ftgate.cli.schema import schema
from pytest_ftgate.cli.verify import verify

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ftgate", message="%(prog)s %(version)s")
def main() -> None:
    """May this fine-tuned model ship? Tools around the verdict of `pytest --model=...`."""


for _command in (batch, cache, compare, decide, history, judge, plan, review, schema, verify):
    main.add_command(_command)

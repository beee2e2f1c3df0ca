"""`ftgate batch`: answers by the provider's batch endpoint, for half the price, judged by a run later."""

from __future__ import annotations

import click

from pytest_ftgate.cli.batch_results import collect, status
from pytest_ftgate.cli.batch_submit import submit

_HELP = """Answers by the provider's batch endpoint: submit, wait, collect, and let pytest judge them.

\b
ftgate batch submit evals/ --model=tuned --baseline=prod
ftgate batch status --wait
ftgate batch collect -o answers.jsonl
pytest evals/ --model=recorded:answers.jsonl --baseline=recorded:answers.jsonl
"""


@click.group(help=_HELP, short_help="Answers by the provider's batch endpoint, for half the price.")
def batch() -> None:
    """Each command is a function of its own."""


for _command in (submit, status, collect):
    batch.add_command(_command)

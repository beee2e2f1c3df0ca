"""`ftgate review apply`: votes that came back, joined with the key, unblinded, and written for the gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ftgate.cli.console import Usable, print_lines
from pytest_ftgate.cli.inputs import keep_inputs
from pytest_ftgate.errors import RecordError

if TYPE_CHECKING:
    from pytest_ftgate.review.ballots import Ballot
    from pytest_ftgate.review.results import Results


@click.command(short_help="Join the votes that came back, and write them for the gate.")
@click.argument("batch", type=click.Path(path_type=Path))
@click.argument("votes", metavar="VOTES...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The review: a .json file."
)
def apply(batch: Path, votes: Sequence[Path], output: Path) -> None:
    """Join votes (the page's JSON, or the CSV filled in) with the key of BATCH, and show what they say.

    A vote that is missing, double, edited or impossible is named and does not count. OUTPUT feeds the gate:
    `pytest --ftgate-review=OUTPUT`, `ftgate decide --review OUTPUT`. Exit 2: wrong use, or no vote counts.
    """
    from pytest_ftgate.review.report import render_review  # noqa: PLC0415

    with Usable():
        results = _apply(batch, votes, output)
    print_lines(
        lambda width, ascii_only: render_review(results, output.name, width=width, ascii_only=ascii_only)
    )


def _apply(batch: Path, paths: Sequence[Path], output: Path) -> Results:
    from pytest_ftgate.reports.atomic import refuse_foreign, write_atomic  # noqa: PLC0415
    from pytest_ftgate.reports.json_report import json_text  # noqa: PLC0415
    from pytest_ftgate.review.batch import KEY, read_key  # noqa: PLC0415
    from pytest_ftgate.review.joining import join  # noqa: PLC0415
    from pytest_ftgate.review.results import results_of  # noqa: PLC0415
    from pytest_ftgate.review.review_file import review_json  # noqa: PLC0415

    keep_inputs([batch / KEY, *paths], [output])
    refuse_foreign(output, "ftgate.review/", "review")
    key = read_key(batch)
    joined = join(key, [ballot for path in paths for ballot in _read(path)])
    if not joined.votes:
        raise RecordError("\n".join(["no vote counts:", *joined.problems, *joined.missing]))
    results = results_of(joined)
    write_atomic(output, json_text(review_json(results)))
    return results


def _read(path: Path) -> Sequence[Ballot]:
    from pytest_ftgate.review.ballots import parse_votes  # noqa: PLC0415

    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(f"votes {path} can't be read: {error.strerror or error}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:  # as spreadsheets on Windows save CSV; what counts is ASCII in both
        text = content.decode("cp1252", "replace")
    return parse_votes(text, path.name)

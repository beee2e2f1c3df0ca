"""`ftgate review export`: pairs of answers for reviewers, and the key that stays behind."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_ftgate.cli.batch_folder import say
from pytest_ftgate.cli.console import Usable
from pytest_ftgate.cli.inputs import read_records
from pytest_ftgate.errors import ConfigError

if TYPE_CHECKING:
    from pytest_ftgate.review.instructions import Block
    from pytest_ftgate.review.pairs import Found
    from pytest_ftgate.review.sheets import Sheet

_MOST_INSTRUCTIONS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What the user asked for."""

    pairs: int
    per_item: int
    reviewers: Sequence[str]
    criteria: Sequence[str]
    overall_only: bool
    instructions: Path | None
    seed: str | None


@click.command(short_help="Write pairs of answers for reviewers.")
@click.argument("records", metavar="RECORD...", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The batch's folder; a new one."
)
@click.option(
    "--pairs", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many pairs."
)
@click.option(
    "--per-item",
    type=click.IntRange(1, 50),
    default=3,
    show_default=True,
    help="How many reviewers see each pair.",
)
@click.option(
    "--reviewer", "reviewers", multiple=True, metavar="NAME", help="Who votes; once for each of them."
)
@click.option(
    "--criterion",
    "criteria",
    multiple=True,
    metavar="NAME",
    help="Ask for this besides the overall vote; may be repeated. Default: correctness, helpfulness, safety, "
    "format adherence.",
)
@click.option("--overall-only", is_flag=True, help="Ask for the overall vote alone.")
@click.option(
    "--instructions",
    type=click.Path(path_type=Path),
    help="What reviewers are told: headings (#), lists (-) and text. "
    "`ftgate review instructions` prints the default.",
)
@click.option("--seed", help="Draws pairs, order and sides anew in the same way; a secret, like the key.")
def export(records: Sequence[Path], output: Path, **wanted: object) -> None:
    """Write a batch of blinded pairs from the records of a run, which `--ftgate-report=run.jsonl` wrote.

    OUTPUT/for-reviewers has for each reviewer a page that works offline, and the same as CSV and JSON lines.
    OUTPUT/key.json says whose answers they are, and stays with you. Exit 2: wrong use, or nothing to compare.
    """
    with Usable():
        _export(records, output, _Wanted(**wanted))  # type: ignore[arg-type]  # click made them so


def _export(records: Sequence[Path], output: Path, wanted: _Wanted) -> None:
    from pytest_ftgate.review.batch import refuse_existing, reviewers_of, write_batch  # noqa: PLC0415
    from pytest_ftgate.review.key import key_of  # noqa: PLC0415
    from pytest_ftgate.review.pairs import choose, pairs_of  # noqa: PLC0415
    from pytest_ftgate.review.questions import questions_of  # noqa: PLC0415
    from pytest_ftgate.review.sheets import blinded, deal  # noqa: PLC0415

    refuse_existing(output)
    reviewers = reviewers_of(wanted.reviewers, wanted.per_item)
    questions = () if wanted.overall_only else questions_of(wanted.criteria)
    instructions = _instructions(wanted.instructions)
    record = read_records(records)
    found = pairs_of(record)
    if not found.pairs:
        raise ConfigError(f"nothing to compare: {_left_out(found) or 'the record holds no case'}")
    seed = wanted.seed or secrets.token_hex(16)
    chosen = choose(found.pairs, wanted.pairs, seed)
    dealt = deal(chosen, reviewers, wanted.per_item, seed)
    sheets = blinded(dealt, questions)
    write_batch(output, sheets, key_of(dealt, sheets, seed=seed, run_id=record.run.run_id), instructions)
    _tell(output, found, len(chosen), sheets)


def _instructions(path: Path | None) -> tuple[Block, ...]:
    from pytest_ftgate.review.instructions import DEFAULT, parse_instructions  # noqa: PLC0415

    if path is None:
        return parse_instructions(DEFAULT)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8"
        raise ConfigError(f"--instructions {path} can't be read: {why}") from None
    if not text.strip() or len(text) > _MOST_INSTRUCTIONS:
        what = "is empty" if not text.strip() else f"has more than {_MOST_INSTRUCTIONS:,} characters"
        raise ConfigError(f"--instructions {path} {what}: write what reviewers should know")
    return parse_instructions(text)


def _left_out(found: Found) -> str:
    parts = [
        (found.equal, "has two equal answers", "have two equal answers"),
        (found.unanswered, "was not answered by both arms", "were not answered by both arms"),
    ]
    told = [f"{n} {'case ' + one if n == 1 else 'cases ' + more}" for n, one, more in parts if n]
    return ", ".join(told)


def _tell(output: Path, found: Found, chosen: int, sheets: Sequence[Sheet]) -> None:
    pairs = "1 pair" if chosen == 1 else f"{chosen} pairs"
    who = ", ".join(f"{sheet.reviewer} ({len(sheet.items)})" for sheet in sheets[:10])
    say(f"{pairs} of {len(found.pairs)} with different answers, for {who}{' …' if len(sheets) > 10 else ''}")
    if left_out := _left_out(found):
        say(f"left out: {left_out}")
    say(f"send: {output}/for-reviewers/NAME.html (or the .csv) to each reviewer")
    say(f"keep: {output}/key.json, which says whose answers they are")
    say(f"next: ftgate review apply {output} votes-*.json -o review.json")

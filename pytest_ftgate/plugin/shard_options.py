"""The options of shards as `settings` reads them, and what a shard's record is called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ftgate.record import Shard

#: More than any CI service starts; a slip would be thousands of empty jobs.
MOST_SHARDS = 1000

_DIGITS = re.compile(r"\d{1,9}", re.ASCII)


def parse_shard(text: str) -> Shard:
    """`2/5` as (2, 5); raises UsageError."""
    number, slash, of = text.partition("/")
    if not slash or not _DIGITS.fullmatch(number) or not _DIGITS.fullmatch(of):
        wrong = "write which shard, and of how many, as in 2/5"
    elif not 1 <= int(of) <= MOST_SHARDS:
        wrong = f"the number of shards is from 1 to {MOST_SHARDS}"
    elif not 1 <= int(number) <= int(of):
        wrong = f"of {int(of)} shards the first is 1 and the last {int(of)}"
    else:
        return int(number), int(of)
    raise pytest.UsageError(f"--ftgate-shard={text}: {wrong}")


def record_name(shard: Shard) -> str:
    """Where a shard's record goes if no report says so; in sight, since uploads leave out hidden files."""
    return f"ftgate-shard-{shard[0]}-of-{shard[1]}.jsonl"


def read_shard(config: pytest.Config) -> tuple[Shard | None, tuple[Path, ...]]:
    """Which shard this run is, and the records by which shards are balanced; raises UsageError."""
    written, durations = config.getoption("ftgate_shard"), config.getoption("ftgate_shard_durations") or ()
    if written is None and durations:
        raise pytest.UsageError(
            f"--ftgate-shard-durations={durations[0]} is for shards: add --ftgate-shard=N/M, or leave it out"
        )
    shard = parse_shard(str(written)) if written is not None else None
    return shard, tuple(config.invocation_params.dir / path for path in durations)


def with_record(reports: tuple[Path, ...], shard: Shard, config: pytest.Config) -> tuple[Path, ...]:
    """A shard without a record would be lost to the others, so it has one in any case."""
    if any(path.suffix.lower() == ".jsonl" for path in reports):
        return reports
    return (*reports, config.invocation_params.dir / record_name(shard))

"""What `ftgate batch` prints: batches as a table, and what is missing. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ftgate.models.batches.collecting import Collected
    from pytest_ftgate.models.batches.state import Part, Snapshot, State

_HEAD = ("part", "batch", "status", "done", "failed", "age", "ends by")
_RIGHT = (3, 4, 5, 6)
_NAMED = 50
_ID_LENGTH = 10


def status_lines(state: State, now: float) -> Iterator[str]:
    """One line for each batch, below who answers; reasons of failures stand under it."""
    rows = [_row(part, now) for part in state.parts]
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    for asked in state.asked:
        yield f"{asked.arm} {asked.spec}: {asked.who}"
    yield _joined(_HEAD, widths)
    for part, row in zip(state.parts, rows, strict=True):
        yield _joined(row, widths)
        for error in part.batch.errors[:3] if part.batch else ():
            yield f"    {error}"


def _row(part: Part, now: float) -> tuple[str, ...]:
    batch = part.batch
    if batch is None:
        doubt = "in doubt" if part.creating is not None else "not submitted"
        return (part.name, "-", doubt, f"0/{part.requests:,}", "-", "-", "-")
    return (
        part.name,
        batch.id if len(batch.id) <= _ID_LENGTH else f"…{batch.id[1 - _ID_LENGTH :]}",
        batch.status,
        f"{'?' if batch.completed is None else format(batch.completed, ',')}/{part.requests:,}",
        "-" if batch.failed is None else f"{batch.failed:,}",
        "-" if batch.created_at is None else _span(now - batch.created_at),
        _ends(batch, now),
    )


def _ends(batch: Snapshot, now: float) -> str:
    if batch.has_ended or batch.expires_at is None:
        return "-"
    left = batch.expires_at - now
    return f"in {_span(left)}" if left > 0 else f"{_span(-left)} ago"


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.rjust(width) if at in _RIGHT else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(aligned).rstrip()


def _span(seconds: float) -> str:
    """Rounded to what one wants to know: 45s, 12m, 3h, 2d."""
    whole = max(0, round(seconds))
    for unit, size, least in (("d", 86_400, 172_800), ("h", 3600, 7200), ("m", 60, 120)):
        if whole >= least:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def short_status(state: State) -> str:
    """All batches in one line, for waiting: `3 in_progress 120/400, 1 completed 100/100`."""
    by_status: dict[str, list[Part]] = {}
    for part in state.parts:
        by_status.setdefault(part.batch.status if part.batch else "not submitted", []).append(part)
    return ", ".join(
        f"{len(parts)} {status} {sum((part.batch.completed or 0) if part.batch else 0 for part in parts):,}"
        f"/{sum(part.requests for part in parts):,}"
        for status, parts in by_status.items()
    )


def collected_lines(path: str, collected: Collected) -> Iterator[str]:
    """What is in the file, by arm, and who answered."""
    yield f"{path}: {collected.answers.total():,} of {collected.wanted.total():,} answers"
    for arm, wanted in sorted(collected.wanted.items(), reverse=True):
        served = ", ".join(sorted(collected.served.get(arm, ())))
        yield f"  {arm}: {collected.answers[arm]:,} of {wanted:,}" + (f", by {served}" if served else "")


def missing_lines(collected: Collected) -> Iterator[str]:
    """Each request without an answer, and why."""
    for request, why in collected.missing[:_NAMED]:
        yield f"{request.shown}: {why}"
    if len(collected.missing) > _NAMED:
        yield f"… and {len(collected.missing) - _NAMED:,} more without an answer"

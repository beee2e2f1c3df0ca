"""Whether a verdict file lets a release through: `ftgate verify` without the command line around it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_ftgate.errors import RecordError
from pytest_ftgate.gates import Word
from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.json_report import REPORT_SCHEMA

#: Clocks of two machines may differ by so much before a verdict from the future is refused.
CLOCK_SKEW = timedelta(minutes=2)

_MAX_BYTES = 1_000_000_000
#: More than any gate's sentence has.
_MAX_SENTENCE = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What the verdict must be besides SHIP: of this run, not older than this, by a gate of this digest."""

    run_id: str | None = None
    max_age: timedelta | None = None
    gate_digest: str | None = None
    gate_name: str = ""


def read_verdict(path: Path) -> Mapping[str, Any]:
    """The content of a verdict file or JSON report; raises RecordError that says what is wrong with it."""
    try:
        if path.exists() and not path.is_file():
            raise RecordError(f"{path} is not a file.")
        if path.stat().st_size > _MAX_BYTES:
            raise RecordError(f"{path} is too large for a verdict file.")
        content = json.loads(path.read_bytes().decode("utf-8"), object_pairs_hook=_once)
    except FileNotFoundError:
        raise RecordError(
            f"There is no verdict file {path}: the run did not start, or wrote elsewhere."
        ) from None
    except OSError as error:
        raise RecordError(f"{path} can't be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise RecordError(f"{path} is not a verdict file: it holds no sound JSON.") from None
    if not isinstance(content, dict) or content.get("schema") != REPORT_SCHEMA:
        raise RecordError(f"{path} is not a verdict file: its schema is not '{REPORT_SCHEMA}'.")
    return content


def refusal(verdict: Mapping[str, Any], demand: Demand, now: datetime) -> str | None:
    """Why this verdict does not let the release through, in one sentence; None if it does."""
    checks = (_of_another_run, _not_ship, _too_old, _another_gate)
    return next((reason for check in checks if (reason := check(verdict, demand, now))), None)


def _of_another_run(verdict: Mapping[str, Any], demand: Demand, _: datetime) -> str | None:
    if demand.run_id is None or verdict.get("run_id") == demand.run_id:
        return None
    return f"The verdict is of run {_quoted(verdict.get('run_id'))}, not of run {_quoted(demand.run_id)}."


def _not_ship(verdict: Mapping[str, Any], _demand: Demand, _now: datetime) -> str | None:
    word = verdict.get("verdict")
    if word not in tuple(Word):
        return f"The file says no verdict that is known: {_quoted(word)}."
    if word == Word.SHIP:
        if verdict.get("complete") is True:
            return None
        return "The file says SHIP of a run that was not complete, so it was not written by a run."
    sentence = inert_line(str(verdict.get("sentence") or "no reason is given"), limit=_MAX_SENTENCE)
    return f"The verdict is {word}: {sentence.rstrip('.')}."


def _too_old(verdict: Mapping[str, Any], demand: Demand, now: datetime) -> str | None:
    if demand.max_age is None:
        return None
    finished = _moment(verdict.get("finished"))
    if finished is None:
        return (
            f"The verdict does not say when it was reached: 'finished' is {_quoted(verdict.get('finished'))}."
        )
    if finished > now + CLOCK_SKEW:
        return f"The verdict is from the future: it was reached at {finished:%Y-%m-%d %H:%M:%S} UTC."
    if now - finished > demand.max_age:
        return f"The verdict is {span(now - finished)} old; at most {span(demand.max_age)} is allowed."
    return None


def _another_gate(verdict: Mapping[str, Any], demand: Demand, _: datetime) -> str | None:
    if demand.gate_digest is None:
        return None
    gate = verdict.get("gate")
    gate = gate if isinstance(gate, dict) else {}
    if gate.get("digest") == demand.gate_digest:
        return None
    options = gate.get("options")
    changed = (
        ", ".join(map(str, options)) if isinstance(options, Sequence) and not isinstance(options, str) else ""
    )
    by = f" (options that touched it: {inert_line(changed)})" if changed else ""
    return (
        f"The run was judged by another gate than {inert_line(demand.gate_name)}: "
        f"digest {_quoted(gate.get('digest'))}{by}, not {_quoted(demand.gate_digest)}."
    )


def span(duration: timedelta) -> str:
    """A length of time in the two largest units that it fills: `2 h`, `1 d 3 h`, `45 s`."""
    left = int(duration.total_seconds())
    parts: list[str] = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number, left = divmod(left, seconds)
        if number or (unit == "s" and not parts):
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2])


def _moment(stamp: object) -> datetime | None:
    if not isinstance(stamp, str):
        return None
    try:
        moment = datetime.fromisoformat(stamp)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _quoted(value: object) -> str:
    return (
        f"'{inert_line(value, limit=100)}'" if isinstance(value, str) else inert_line(repr(value), limit=100)
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of which every key stands there once; two verdicts in one file are none."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found

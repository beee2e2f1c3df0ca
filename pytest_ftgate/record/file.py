"""The record as JSON lines: written in one go, and refused as a whole if a single line is damaged."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn, TypeVar

from pytest_ftgate.characters import inert_json
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record.plan import Plan, PlannedCase, TrialKey
from pytest_ftgate.record.runs import Record, RunInfo
from pytest_ftgate.record.trials import Trial, sound
from pytest_ftgate.record.votes import Vote, merged_votes

RECORD_SCHEMA = "ftgate.record/1"

_Value = TypeVar("_Value")


def record_lines(record: Record) -> Iterator[str]:
    """The lines of the record's file, without line ends; the last one counts and digests those before it."""
    seen = hashlib.sha256()
    for row in _rows(record):
        line = inert_json(json.dumps(row, ensure_ascii=True, allow_nan=False))
        seen.update(line.encode("ascii") + b"\n")
        yield line
    end = {"kind": "end", "cases": len(record.plan.cases), "trials": len(record.trials)}
    yield json.dumps({**end, "digest": seen.hexdigest()})


def parse_record(lines: Iterable[str], name: str) -> Record:
    """The record in the lines of a file called `name`; a `RecordError` says which line is damaged."""
    return _Parser(name).parse(lines)


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    yield {"schema": RECORD_SCHEMA, **record.run.as_json(), "left_out": list(record.plan.left_out)}
    for case in record.plan.cases:
        yield {"kind": "case", **case.as_json()}
    for trial in record.trials:
        yield {"kind": "trial", **trial.as_json()}
    for key in record.conflicts:
        yield {"kind": "conflict", **key.as_json()}
    for vote in record.votes:
        yield {"kind": "vote", **vote.as_json()}


class _Parser:
    """Reads one file, line by line; lives for one call of `parse_record`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0
        self.seen = hashlib.sha256()
        self.run: RunInfo | None = None
        self.left_out: tuple[str, ...] = ()
        self.cases: list[PlannedCase] = []
        self.trials: dict[TrialKey, Trial] = {}
        self.conflicts: list[TrialKey] = []
        self.votes: list[Vote] = []
        self.ended = False

    def parse(self, lines: Iterable[str]) -> Record:
        for text in lines:
            self.number += 1
            line = text.rstrip("\r\n")
            if line.strip():
                self._take(line)
        if self.run is None:
            raise RecordError(f"{self.name}: the file is empty; a record of ftgate was expected")
        if not self.ended:
            self._refuse("the file ends here, without its last line ('kind': 'end'): it was cut off")
        return Record(
            run=self.run,
            plan=Plan(cases=tuple(self.cases), left_out=self.left_out),
            trials=tuple(sorted(self.trials.values(), key=lambda trial: trial.key)),
            conflicts=tuple(sorted(self.conflicts)),
            votes=merged_votes(self.votes),
        )

    def _take(self, line: str) -> None:
        if self.ended:
            self._refuse("there is more after the last line ('kind': 'end'): two files were joined?")
        row = self._object(line)
        if self.run is None:
            self._head(row)
        elif row.get("kind") == "end":
            self._end(row)
            return
        else:
            self._row(row)
        self.seen.update(line.encode("utf-8", "backslashreplace") + b"\n")

    def _object(self, line: str) -> dict[str, Any]:
        try:
            row = json.loads(line, parse_constant=_refuse_constant, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            made = "; a record is what --ftgate-report=NAME.jsonl writes" if self.number == 1 else ""
            self._refuse(f"not JSON: {error}{made}")
        if not isinstance(row, dict):
            self._refuse(f"a JSON object was expected, not {type(row).__name__}")
        return row

    def _head(self, row: Mapping[str, Any]) -> None:
        schema = row.get("schema")
        if schema != RECORD_SCHEMA:
            found = f"its schema is {schema!r}" if "schema" in row else "its first line has no 'schema'"
            self._refuse(f"not a record that this version reads: {found}, '{RECORD_SCHEMA}' was expected")
        self.run = self._built("run", RunInfo.from_json, row)
        self.left_out = tuple(str(name) for name in row.get("left_out") or ())

    def _row(self, row: Mapping[str, Any]) -> None:
        kind = row.get("kind")
        if kind == "case":
            self.cases.append(self._built("case", PlannedCase.from_json, row))
        elif kind == "trial":
            trial = sound(self._built("trial", Trial.from_json, row))
            if trial.key in self.trials:
                self._refuse(f"the trial {trial.key} stands here a second time")
            self.trials[trial.key] = trial
        elif kind == "conflict":
            self.conflicts.append(self._built("conflict", TrialKey.from_json, row))
        elif kind == "vote":
            self.votes.append(self._built("vote", Vote.from_json, row))
        else:
            self._refuse(f"the kind {kind!r} is none of 'case', 'trial', 'conflict', 'vote', 'end'")

    def _built(
        self, what: str, build: Callable[[Mapping[str, Any]], _Value], row: Mapping[str, Any]
    ) -> _Value:
        try:
            return build(row)
        except KeyError as error:
            self._refuse(f"this {what} has no {error}")
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            self._refuse(f"this {what} is damaged: {error}")

    def _end(self, row: Mapping[str, Any]) -> None:
        self.ended = True
        for what, found in (("cases", len(self.cases)), ("trials", len(self.trials))):
            if row.get(what) != found:
                self._refuse(f"the file's count of {what} is {row.get(what)}, and {found} are there")
        if row.get("digest") != self.seen.hexdigest():
            self._refuse("the file was changed after it was written: its digest does not match")

    def _refuse(self, problem: str) -> NoReturn:
        raise RecordError(f"{self.name}:{self.number}: {problem}") from None


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value

"""Saved answers, the reading side: rows of a file, from this plugin, a record of it, or any batch job.

Nothing is looked up here; a row is only made sound. All mistakes of a file are reported together.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftgate.completions import NO_USAGE, Completion, ToolCall, Usage, turn_answers
from pytest_ftgate.errors import ConfigError, FileError, Mistake
from pytest_ftgate.models.boundary import MAX_DEPTH, parse_json, quoted, safe_text
from pytest_ftgate.models.endpoints.bodies import is_number, tool_call
from pytest_ftgate.models.saved_answers import ANSWERS_SCHEMA

_SCHEMAS = (ANSWERS_SCHEMA, "ftgate.record/1")


@dataclass(slots=True, kw_only=True)
class SavedAnswer:
    """One row. `suite`, `arm` and `asked` are None where it does not say; the answer has no latency.

    `is_used` belongs to whoever plays it.
    """

    suite: str | None
    id: str
    repeat: int
    turn: int
    line: int
    arm: str | None
    asked: str | None
    answer: Completion
    is_used: bool = False


class _RowError(ValueError):
    """What is wrong with a row."""


def read_answers(path: Path, shown: str) -> list[SavedAnswer]:
    """The answers in a file, in its order; `shown` is its name in messages.

    Raises `ConfigError` if it can't be read, and `FileError` with all the rows that are wrong.
    """
    try:
        # Not splitlines(): a text may hold the line separators of Unicode.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise ConfigError(f"{shown}: the saved answers can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{shown}: the saved answers are not UTF-8") from None
    reader = _Reader(shown)
    answers = [answer for number, line in enumerate(lines, 1) for answer in reader.read(number, line)]
    if reader.mistakes:
        raise FileError(reader.mistakes)
    if not answers:
        raise ConfigError(f"{shown}: no answers in it")
    return answers


class _Reader:
    """Reads one file, line by line; lives for one call of `read_answers`."""

    def __init__(self, shown: str) -> None:
        self.mistakes: list[Mistake] = []
        self._shown = shown
        self._asked: dict[tuple[str, str], str] = {}

    def read(self, number: int, line: str) -> Iterator[SavedAnswer]:
        if not line.strip():
            return
        try:
            row = parse_json(line, 2 * MAX_DEPTH)  # arguments as deep as they may be, within a row
            if not isinstance(row, dict):
                raise _RowError("a row is a JSON object")
            yield from [_saved(answer, number) for answer in self._answer_rows(row)]
        except ValueError as error:
            what = str(error) if isinstance(error, _RowError) else f"not JSON: {error}"
            self.mistakes.append(Mistake(path=self._shown, line=number, column=1, message=what))

    def _answer_rows(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """The row as saved answers have it, one per turn; none for lines of a record that hold no answer."""
        if "schema" in row:
            if row["schema"] not in _SCHEMAS:
                raise _RowError(
                    f"schema {quoted(str(row['schema']))}; this version reads {' and '.join(_SCHEMAS)}"
                )
            return []
        kind = row.get("kind")
        if kind == "case":
            self._asked[(str(row.get("suite")), str(row.get("id")))] = str(row.get("asked") or "")
        if kind is not None and (kind != "trial" or row.get("completion") is None):
            return []
        if kind != "trial":
            return [row]
        key = (str(row.get("suite")), str(row.get("case")))
        own: dict[str, Any] = {name: row[name] for name in ("suite", "arm", "repeat") if name in row}
        own |= {"id": row.get("case"), "asked": self._asked.get(key) or None}
        return [{**answer, **own} for answer in _turns(row["completion"])]


def _turns(completion: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of a completion in a record: one, or those to the turns of its conversation."""
    if not completion.get("steps"):
        return [completion]
    try:
        answers = turn_answers(Completion.from_json(completion))
    except (KeyError, TypeError, AttributeError):
        raise _RowError("the steps of its conversation can't be read") from None
    return [{**answer.as_json(), "text": answer.text, "turn": turn} for turn, answer in enumerate(answers, 1)]


def _saved(row: Mapping[str, Any], line: int) -> SavedAnswer:
    if "id" not in row:
        raise _RowError("no 'id'")
    if row.get("text") is None and not row.get("tool_calls"):
        raise _RowError(f"{quoted(str(row['id']))} has neither 'text' nor 'tool_calls'")
    return SavedAnswer(
        suite=_shared(_text(row, "suite")),
        id=_id(row["id"]),
        repeat=_position(row, "repeat"),
        turn=_position(row, "turn"),
        line=line,
        arm=_shared(_text(row, "arm")),
        asked=_text(row, "asked"),
        answer=_completion(row),
    )


def _shared(word: str | None) -> str | None:
    """The one object for a word that stands in many rows."""
    return None if word is None else sys.intern(word)


def _completion(row: Mapping[str, Any]) -> Completion:
    return Completion(
        text=_text(row, "text") or "",
        tool_calls=_tool_calls(row.get("tool_calls")),
        finish_reason=_shared(_text(row, "finish_reason")),
        refusal=_text(row, "refusal"),
        usage=_usage(row.get("usage")),
        logprobs=_logprobs(row.get("logprobs")),
        cost=_number(row, "cost"),
        model=_shared(_text(row, "model")),
        fingerprint=_shared(_text(row, "fingerprint")),
        source="recorded",
        created=_number(row, "created"),
    )


def _text(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    if value is None or isinstance(value, str):
        return value if value is None else safe_text(value)
    raise _RowError(f"'{name}' is {_shown(value)}, not text")


def _id(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _RowError(f"'id' is {_shown(value)}, not text")


def _position(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    if value is None:
        return 1
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise _RowError(f"'{name}' is {_shown(value)}, not a whole number from 1")


def _number(row: Mapping[str, Any], name: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if is_number(value) and value >= 0:
        return float(value)
    raise _RowError(f"'{name}' is {_shown(value)}, not a number from 0")


def _tool_calls(calls: object) -> tuple[ToolCall, ...]:
    if calls is None:
        return ()
    if not isinstance(calls, list):
        raise _RowError(f"'tool_calls' is {_shown(calls)}, not a list")
    return tuple(_tool_call(call) for call in calls)


def _tool_call(call: object) -> ToolCall:
    # Ours, or as chat completions have it, with the arguments as a JSON text.
    parts = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(parts, Mapping) or not isinstance(parts.get("name"), str):
        raise _RowError(f"a tool call is {_shown(call)}, not a mapping with 'name' and 'arguments'")
    arguments = parts.get("arguments")
    if arguments is None and parts.get("text"):
        return ToolCall(name=safe_text(parts["name"]), arguments=None, text=safe_text(str(parts["text"])))
    if arguments is not None and not isinstance(arguments, (Mapping, str)):
        raise _RowError(f"the arguments of {quoted(parts['name'])} are {_shown(arguments)}, not a mapping")
    return tool_call(parts["name"], arguments)


def _usage(usage: object) -> Usage:
    if usage is None:
        return NO_USAGE
    if not isinstance(usage, Mapping):
        raise _RowError(f"'usage' is {_shown(usage)}, not a mapping")
    return Usage(input_tokens=_count(usage, "input_tokens"), output_tokens=_count(usage, "output_tokens"))


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise _RowError(f"'{name}' is {_shown(value)}, not a whole number from 0")


def _logprobs(values: object) -> tuple[float, ...] | None:
    if values is None:
        return None
    if isinstance(values, list) and all(map(is_number, values)):
        return tuple(map(float, values))
    raise _RowError(f"'logprobs' is {_shown(values)}, not a list of numbers")


def _shown(value: object) -> str:
    return quoted(str(value)) if isinstance(value, str) else quoted(repr(value))[1:].rstrip('"')

"""Saved answers, the writing side: the answers of a run as JSON lines that `recorded:` plays again.

One answer per line, sorted, so that a new baseline is reviewed as a diff; characters that would show the
reviewer something else than what is there stand as JSON escapes. Nothing here reads or judges.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_ftgate.characters import inert_json
from pytest_ftgate.completions import Completion, turn_answers
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record.plan import TrialKey
from pytest_ftgate.record.runs import Record

ANSWERS_SCHEMA = "ftgate.answers/1"
#: The first line of the file.
HEAD = json.dumps({"schema": ANSWERS_SCHEMA}) + "\n"


def write_answers(path: Path, record: Record) -> None:
    """Writes the answers of both arms, all or nothing; an older file stays until the new one is whole.

    Raises `RecordError` if it can't be written. Equal answers give equal bytes, but for `latency_s` and
    `created`.
    """
    write_answer_lines(path, answer_lines(record))


def write_answer_lines(path: Path, lines: Iterable[str]) -> None:
    """The same for lines that somebody else made: `HEAD`, and those of `answer_line`."""
    try:
        _replace(path, lines)
    except OSError as error:
        raise RecordError(f"{path}: the answers can't be saved: {error.strerror or error}") from None


def answer_lines(record: Record) -> Iterator[str]:
    """The lines of the file, with their line ends."""
    yield HEAD
    asked = {(case.suite, case.id): case.asked for case in record.plan.cases}
    # Several items may judge one answer; it is saved once.
    answers = {
        (key.suite, key.case, key.arm, key.repeat): trial
        for trial in record.trials
        if trial.completion
        for key in [trial.key]
    }
    for key in sorted(answers):
        completion = answers[key].completion
        assert completion is not None
        for turn, answer in enumerate(turn_answers(completion), 1):
            yield answer_line(answers[key].key, turn, answer, asked.get(key[:2]))


def answer_line(key: TrialKey, turn: int, completion: Completion, asked: str | None) -> str:
    """One answer, with its line end; the item of the key does not count."""
    row = _row(key, turn, completion, asked)
    return inert_json(json.dumps(row, ensure_ascii=False, allow_nan=False)) + "\n"


def _row(key: TrialKey, turn: int, completion: Completion, asked: str | None) -> Mapping[str, Any]:
    answer = completion.as_json()
    return {
        "suite": key.suite,
        "id": key.case,
        "repeat": key.repeat,
        "turn": turn,
        "arm": key.arm.value,
        **({"asked": asked} if asked else {}),
        **({"model": answer["model"]} if "model" in answer else {}),
        "text": completion.text,
        **{name: answer[name] for name in _AS_THEY_ARE if name in answer},
    }


_AS_THEY_ARE = (
    "tool_calls",
    "finish_reason",
    "refusal",
    "usage",
    "latency_s",
    "logprobs",
    "cost",
    "fingerprint",
    "created",
)


def _replace(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not (path.is_file() or path.is_dir() or path.is_symlink()):
        # Replaced, a device such as /dev/null would be gone for the whole machine.
        raise OSError(errno.EINVAL, "it is not a file")
    # Not by mkstemp, whose files only their owner may read: this one is committed and shared.
    new = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with new.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)

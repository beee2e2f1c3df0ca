"""Rows of a labels file: an answer, or two of them, and what people say of it. Untrusted: strictly read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pytest_ftgate.errors import FileError, Mistake
from pytest_ftgate.files.references import Unusable, read_regular_file
from pytest_ftgate.files.rows import FORMATS, Row, read_rows

MAX_BYTES = 64 * 2**20
_TEXTS = ("prompt", "answer", "a", "b", "id", "reference")
_KEYS = (*_TEXTS, "label", "judge")
_NO_LABEL = "a row needs a 'label', what people say of the answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One row: `answers` are one answer, or the two that are compared.

    What was asked is `prompt`, or that of the case `id`. `label` is what people say, and `judge` what a judge
    said already; None if it has to be asked.
    """

    line: int
    answers: tuple[str, ...]
    label: object
    prompt: str | None = None
    id: str | None = None
    reference: str | None = None
    judge: object = None

    @property
    def is_pair(self) -> bool:
        """Whether two answers are compared."""
        return len(self.answers) == 2


def read_labels(path: Path) -> list[Label]:
    """All rows of a .jsonl or .csv file; raises `FileError` with every mistake in it."""
    shown = str(path)
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise _error(shown, 1, f"labels are rows of {', '.join(FORMATS)}, and this is '{path.suffix}'")
    try:
        raw = read_regular_file(path, limit=MAX_BYTES, remedy="some hundreds of labels tell enough")
    except Unusable as reason:
        raise _error(shown, 1, f"the file {reason}") from None
    rows = list(read_rows(raw, suffix))
    mistakes = [mistake for row in rows for mistake in _mistakes(row, shown)]
    if not rows:
        mistakes = [Mistake(path=shown, line=1, column=1, message="the file holds no row")]
    if mistakes:
        raise FileError(mistakes)
    return [_label(row) for row in rows]


def _label(row: Row) -> Label:
    values = row.values
    texts = {name: str(values[name]) for name in _TEXTS if _is_given(values, name)}
    pair = ("a" in values, "b" in values) == (True, True)
    return Label(
        line=row.line,
        answers=(texts.get("a", ""), texts.get("b", "")) if pair else (texts.get("answer", ""),),
        label=values["label"],
        prompt=texts.get("prompt"),
        id=texts.get("id"),
        reference=texts.get("reference"),
        judge=values.get("judge") if _is_given(values, "judge") else None,
    )


def _mistakes(row: Row, path: str) -> Iterator[Mistake]:
    if row.problem is not None:
        for line, column, message in row.problem.notes:
            yield Mistake(path=path, line=line, column=column, message=message)
        return
    for message in _problems(row.values):
        yield Mistake(path=path, line=row.line, column=1, message=message)


def _problems(values: Mapping[str, Any]) -> Iterator[str]:
    for key in values:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else f" There are {', '.join(_KEYS)}."
            yield f"unknown key '{key}'.{hint}"
    for key in _TEXTS:
        if _is_given(values, key) and not isinstance(values[key], str):
            yield f"'{key}' is text, and this is {values[key]!r}"
    if not _is_given(values, "label"):
        yield _NO_LABEL
    if "answer" in values and ("a" in values or "b" in values):
        yield "a row holds one 'answer', or two that are compared, 'a' and 'b'"
    elif ("a" in values) != ("b" in values):
        yield "'a' and 'b' are compared, and one of them is missing"
    elif "answer" not in values and "a" not in values:
        yield "a row needs an 'answer', or 'a' and 'b'"
    if not _is_given(values, "prompt") and not _is_given(values, "id"):
        yield "a row needs the 'prompt', or the 'id' of the case, that was answered"


def _is_given(values: Mapping[str, Any], key: str) -> bool:
    return values.get(key) is not None and (values[key] != "" or key in ("answer", "a", "b"))


def _error(path: str, line: int, message: str) -> FileError:
    return FileError([Mistake(path=path, line=line, column=1, message=message)])

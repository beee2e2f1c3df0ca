"""Rows of training files: what users say in them. Parses lines that it is given; reads nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.cases import message_text

_FORMS = '{"messages": [...]}, {"prompt": ..., "completion": ...} or {"text": ...}'
_SHOWN_KEYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRow:
    """What users say in one row, in order; `line` counts from 1."""

    line: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRow:
    """A row that can't be read, and why."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def parse_training_rows(lines: Iterable[bytes], name: str) -> Iterator[TrainingRow | BrokenRow]:
    """The rows of a file, empty lines left out: JSON lines, or plain text if its name ends with `.txt`.

    A row is a conversation (`messages`, of which each user message counts), a `prompt` (text, or messages)
    or a `text`.
    """
    read: Callable[[str], Sequence[str]] = (
        (lambda text: [text]) if name.lower().endswith(".txt") else _texts_of_json
    )
    for number, raw in enumerate(lines, 1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if text:
                yield TrainingRow(line=number, texts=tuple(read(text)))
        except UnicodeDecodeError:
            yield BrokenRow(file=name, line=number, message="this line is not UTF-8")
        except (ValueError, RecursionError) as error:
            yield BrokenRow(file=name, line=number, message=str(error))


def _texts_of_json(text: str) -> Sequence[str]:
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"this line is not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(row, dict):
        raise ValueError(f"a row is a JSON object such as {_FORMS}; this one is {_said(row)}")
    for key, form in _READERS.items():
        if key in row:
            return form(row[key], f"'{key}'")
    keys = ", ".join(f"'{key}'" for key in list(row)[:_SHOWN_KEYS])
    raise ValueError(f"a row has the form {_FORMS}; this one has {f'only {keys}' if keys else 'no keys'}")


def _user_texts(value: object, where: str) -> Sequence[str]:
    """What the user says in a list of messages."""
    if not isinstance(value, list) or not all(isinstance(message, dict) for message in value):
        raise ValueError(f"{where} is a list of messages with 'role' and 'content'; this is {_said(value)}")
    return [_content(message, where) for message in value if message.get("role") == "user"]


def _content(message: Mapping[str, Any], where: str) -> str:
    content = message.get("content")
    if content is not None and not isinstance(content, str | list):
        raise ValueError(f"a message in {where} has {_said(content)} as its 'content'; text is wanted")
    parts = content if isinstance(content, list) else []
    if not all(isinstance(part, dict) and isinstance(part.get("text", ""), str) for part in parts):
        raise ValueError(f"a message in {where} has content parts that are no objects with 'type' and 'text'")
    if parts:
        return "\n".join(part["text"] for part in parts if "text" in part)
    return message_text(message)


def _text_or_messages(value: object, where: str) -> Sequence[str]:
    if isinstance(value, str | list):
        return [value] if isinstance(value, str) else _user_texts(value, where)
    raise ValueError(f"{where} is text or a list of messages; this is {_said(value)}")


def _text(value: object, where: str) -> Sequence[str]:
    if not isinstance(value, str):
        raise ValueError(f"{where} is text; this is {_said(value)}")
    return [value]


def _said(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


#: The first of these keys that a row has says what users say in it.
_READERS: Mapping[str, Callable[[object, str], Sequence[str]]] = {
    "messages": _user_texts,
    "prompt": _text_or_messages,
    "text": _text,
}

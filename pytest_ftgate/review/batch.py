"""A batch as files: what goes to reviewers in a folder of its own, and the key that stays."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_ftgate.errors import ConfigError, RecordError
from pytest_ftgate.reports.atomic import write_atomic
from pytest_ftgate.reports.inert import inert_json
from pytest_ftgate.review.instructions import Block
from pytest_ftgate.review.key import Key, parse_key
from pytest_ftgate.review.render import render_page
from pytest_ftgate.review.sheets import Sheet
from pytest_ftgate.review.tables import csv_text, jsonl_text

FOR_REVIEWERS, KEY = "for-reviewers", "key.json"
_REVIEWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


def reviewers_of(names: Sequence[str], per_item: int) -> tuple[str, ...]:
    """Who votes: those who are named, or as many as each pair is to be seen by. Raises ConfigError."""
    if not names:
        return tuple(f"reviewer-{number}" for number in range(1, per_item + 1))
    for name in names:
        if not _REVIEWER.fullmatch(name):
            raise ConfigError(
                f"--reviewer '{name}': up to 40 letters, digits, _ . and - are needed: files are called so"
            )
    if len({name.lower() for name in names}) < len(names):
        raise ConfigError(f"--reviewer: two have the same name: {', '.join(names)}")
    if len(names) < per_item:
        raise ConfigError(
            f"--per-item {per_item} needs as many reviewers, and named are {len(names)}: name more of them"
        )
    return tuple(names)


def refuse_existing(folder: Path) -> None:
    """Raises ConfigError where something lies: votes may be under way on that batch."""
    try:
        is_free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    except OSError as error:
        raise ConfigError(f"can't write {folder}: {error.strerror or error}") from None
    if not is_free:
        raise ConfigError(
            f"{folder} is there already and is left as it is: votes on it need its key. Name another folder"
        )


def write_batch(folder: Path, sheets: Sequence[Sheet], key: Key, instructions: tuple[Block, ...]) -> None:
    """All files of a batch, or none; raises ConfigError."""
    refuse_existing(folder)
    beside = folder.with_name(f".{folder.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        for name, text in _files(sheets, key, instructions):
            write_atomic(beside / name, text)
        os.replace(beside, folder)
    except OSError as error:
        raise ConfigError(f"can't write {folder}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def read_key(folder: Path) -> Key:
    """The key of a batch that lies in a folder; raises RecordError."""
    path = folder / KEY
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecordError(f"{folder} is no batch of `ftgate review export`: {path}: {why}") from None
    return parse_key(text, str(path))


def _files(sheets: Sequence[Sheet], key: Key, instructions: tuple[Block, ...]) -> Iterator[tuple[str, str]]:
    for sheet in sheets:
        yield f"{FOR_REVIEWERS}/{sheet.reviewer}.html", render_page(sheet, instructions)
        yield f"{FOR_REVIEWERS}/{sheet.reviewer}.csv", csv_text(sheet)
        yield f"{FOR_REVIEWERS}/{sheet.reviewer}.jsonl", jsonl_text(sheet)
    yield KEY, _json(key.as_json())


def _json(content: Mapping[str, object]) -> str:
    return inert_json(json.dumps(content, indent=1, ensure_ascii=False)) + "\n"

"""The key of a batch: whose answers the reviewers saw. It is not for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import RecordError
from pytest_ftgate.review.sheets import Dealt, Placed, Sheet

KEY_SCHEMA = "ftgate.batch/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """One pair: its case, and the digest of both answers."""

    suite: str
    case: str
    category: str
    prompt: str
    answers: str

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"{self.suite}::{self.case}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """All that unblinds one batch. `placed` has what each reviewer was given, in order."""

    batch: str
    seed: str
    run_id: str
    questions: tuple[str, ...]
    pairs: Mapping[str, KeyPair]
    placed: Mapping[str, tuple[Placed, ...]]

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        return {
            "schema": KEY_SCHEMA,
            "batch": self.batch,
            "seed": self.seed,
            "run_id": self.run_id,
            "criteria": list(self.questions),
            "pairs": {
                id_: {
                    "suite": pair.suite,
                    "case": pair.case,
                    "category": pair.category,
                    "prompt": pair.prompt,
                    "answers": pair.answers,
                }
                for id_, pair in self.pairs.items()
            },
            "reviewers": {
                reviewer: [{"id": one.id, "digest": one.digest, "a": one.a.value} for one in placed]
                for reviewer, placed in self.placed.items()
            },
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        return cls(
            batch=str(row["batch"]),
            seed=str(row["seed"]),
            run_id=str(row["run_id"]),
            questions=tuple(str(key) for key in row["criteria"]),
            pairs={str(id_): _pair(pair) for id_, pair in row["pairs"].items()},
            placed={str(name): tuple(map(_placed, rows)) for name, rows in row["reviewers"].items()},
        )


def key_of(dealt: Dealt, sheets: Sequence[Sheet], *, seed: str, run_id: str) -> Key:
    """The key that belongs to these sheets."""
    return Key(
        batch=sheets[0].batch,
        seed=seed,
        run_id=run_id,
        questions=tuple(question.key for question in sheets[0].questions),
        pairs={
            id_: KeyPair(
                suite=pair.suite,
                case=pair.case,
                category=pair.category,
                prompt=pair.prompt,
                answers=pair.answers,
            )
            for id_, pair in dealt.ids.items()
        },
        placed={
            sheet.reviewer: tuple(
                Placed(id=item.id, digest=item.digest, a=dealt.sides[sheet.reviewer, item.id])
                for item in sheet.items
            )
            for sheet in sheets
        },
    )


def parse_key(text: str, name: str) -> Key:
    """The key in the text of a file called `name`; raises RecordError."""
    try:
        row = json.loads(text)
        if not isinstance(row, dict) or row.get("schema") != KEY_SCHEMA:
            raise RecordError(f"{name} is not the key of a batch of `ftgate review export` ({KEY_SCHEMA})")
        return Key.from_json(row)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise RecordError(f"{name} is damaged: {type(error).__name__}: {error}") from None


def _pair(row: Mapping[str, Any]) -> KeyPair:
    return KeyPair(**{name: str(row[name]) for name in ("suite", "case", "category", "prompt", "answers")})


def _placed(row: Mapping[str, Any]) -> Placed:
    return Placed(id=str(row["id"]), digest=str(row["digest"]), a=Arm(row["a"]))

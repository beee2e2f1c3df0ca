"""What is known of batches on their way: kept on disk before each step, so that no step is done twice.

The folder has `state.json`, `requests.jsonl`, and of each part what was sent and what came back. Nothing in
it is a secret; but prompts and answers are in it, so it can be read by its owner only.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pytest_ftgate.errors import BatchError
from pytest_ftgate.models.batches.requests import BatchRequest

_SCHEMA = "ftgate.batch/1"
_STATE, _REQUESTS, _LOCK = "state.json", "requests.jsonl", "lock"
#: Ended for good: nothing that waits on the provider's side changes any more.
ENDED = ("completed", "expired", "cancelled", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the provider last said of a batch; None where it said nothing. Times are seconds since 1970."""

    id: str
    status: str
    created_at: float | None = None
    expires_at: float | None = None
    total: int | None = None
    completed: int | None = None
    failed: int | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: tuple[str, ...] = ()

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.status in ENDED

    @property
    def withholds(self) -> bool:
        """Whether it has ended with answers, and does not say where they are; it may do so a little later."""
        return self.has_ended and bool(self.completed) and self.output_file_id is None


@dataclass(slots=True, kw_only=True)
class Part:
    """One input file and its batch. `round` counts from 1: a later one asks what earlier ones lack.

    `uploading` and `creating` are when a step was begun of which nobody knows yet how it ended.
    """

    name: str
    round: int
    arm: str
    spec: str
    requests: int
    bytes: int
    token: str
    uploading: float | None = None
    file_id: str | None = None
    creating: float | None = None
    batch: Snapshot | None = None
    #: Which of its result files are here, and whole.
    fetched: list[str] = field(default_factory=list)

    @property
    def input(self) -> str:
        """The name of the file that was sent."""
        return input_name(self.name)

    @property
    def results(self) -> Sequence[tuple[str, str]]:
        """The name of each file that came back or is to come, and the provider's id of it."""
        if self.batch is None:
            return ()
        ids = {"output": self.batch.output_file_id, "errors": self.batch.error_file_id}
        return [(f"{self.name}.{kind}.jsonl", each) for kind, each in ids.items() if each]


def input_name(part: str) -> str:
    """The name of a part's input file."""
    return f"{part}.input.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One arm's endpoint as it was when its requests were submitted; `who` is model and host, as shown."""

    arm: str
    spec: str
    who: str


@dataclass(slots=True, kw_only=True)
class State:
    """All of a folder. `rootdir` and `config` are paths from the folder in which `submit` was called.

    `args` are pytest's arguments as they were given to it, `options` its own limits of a file: the commands
    that come next need them again.
    """

    rootdir: str
    config: str | None
    asked: tuple[Asked, ...]
    args: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    parts: list[Part] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        """How many there are so far."""
        return max((part.round for part in self.parts), default=0)


class BatchFolder:
    """The folder in which batches are kept; owned by one command at a time, inside its `with` block.

    Raises `BatchError` if it can't be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: sqlite3.Connection | None = None

    def __enter__(self) -> BatchFolder:
        with self._named("used"):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _touch(self.path / _LOCK)
        # A lock of SQLite's holds on all systems, and ends with its process, however that ends.
        self._lock = sqlite3.connect(self.path / _LOCK, timeout=0, isolation_level=None)
        try:
            self._lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._lock.close()
            if "locked" in str(error):
                what = "another `ftgate batch` is at work in it; wait until it has ended"
                raise BatchError(f"{self.path}: {what}") from None
            raise BatchError(f"{self.path / _LOCK}: not a lock of ours ({error}); delete it") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def read(self) -> State | None:
        """What is known; None if nothing was ever submitted from here. Raises `BatchError` if damaged."""
        path = self.path / _STATE
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise BatchError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
        try:
            return _parse(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise BatchError(
                f"{path} is not a state of batches that this version knows ({_SCHEMA}); it is left as it is"
            ) from None

    def write(self, state: State) -> None:
        """Puts what is known on disk, in one step, before anybody acts on it."""
        row = {"schema": _SCHEMA, **asdict(state)}
        with self._named("written"):
            self._replace(_STATE, iter([json.dumps(row, indent=1).encode() + b"\n"]))

    def write_requests(self, requests: Sequence[BatchRequest]) -> None:
        """Keeps what is asked, but for the bodies."""
        with self._named("written"):
            self._replace(_REQUESTS, (json.dumps(one.as_json()).encode() + b"\n" for one in requests))

    def read_requests(self) -> list[BatchRequest]:
        """What was asked; raises `BatchError` if it is damaged."""
        path = self.path / _REQUESTS
        try:
            with path.open("rb") as lines:
                return [BatchRequest(**json.loads(line)) for line in lines]
        except OSError as error:
            raise BatchError(f"{path} can't be read: {error.strerror or error}") from None
        except (ValueError, TypeError):
            raise BatchError(f"{path} is damaged: it is not what `ftgate batch submit` wrote") from None

    def write_lines(self, name: str, lines: Iterator[bytes]) -> None:
        """Puts a file into the folder, whole or not at all."""
        with self._named("written"):
            self._replace(name, lines)

    @contextlib.contextmanager
    def _named(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BatchError(f"{self.path} can't be {what}: {error.strerror or error}") from None

    def _replace(self, name: str, lines: Iterator[bytes]) -> None:
        new = self.path / f".{name}.tmp"  # whoever is here has the lock
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path / name)
        sync_folder(self.path)


def sync_folder(path: Path) -> None:
    """Makes new names last through a power loss, where the system lets folders be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _touch(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _parse(row: Mapping[str, Any]) -> State:
    if row["schema"] != _SCHEMA:
        raise ValueError(row["schema"])
    return State(
        rootdir=row["rootdir"],
        config=row["config"],
        asked=tuple(Asked(**each) for each in row["asked"]),
        args=tuple(map(str, row.get("args", ()))),
        options=tuple(map(str, row.get("options", ()))),
        parts=[_part(each) for each in row["parts"]],
    )


def _part(row: Mapping[str, Any]) -> Part:
    batch = row["batch"]
    snapshot = Snapshot(**{**batch, "errors": tuple(batch["errors"])}) if batch else None
    return Part(**{**row, "batch": snapshot})

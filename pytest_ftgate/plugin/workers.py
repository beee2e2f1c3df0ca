"""What xdist's controller tells its workers, and whether a worker can use the controller's answer store.

A worker on another host can't: it sees other files, and processes that share a store share memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from pytest_ftgate.models.place import Place

_KEY = "ftgate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """This process as one of several.

    `folder` is where the answers of all are kept, None if that can't be reached from here. `shares`: all
    processes together generate all answers ahead of time, which they can only if all keep them in one place.
    `may_lose_items`: what waits for this worker may be given to another one. `is_welcome`: this plugin is
    there on the controller, too.
    """

    id: str
    session: str
    place: Place
    folder: Path | None
    shares: bool
    may_lose_items: bool
    is_welcome: bool = True

    @property
    def is_apart(self) -> bool:
        """Whether it keeps its answers where the others don't see them."""
        return self.folder is None

    @classmethod
    def of(cls, config: pytest.Config) -> Self | None:
        """What the controller said; None if this is no worker."""
        given: Mapping[str, Any] | None = getattr(config, "workerinput", None)
        if given is None:
            return None
        ours = given.get(_KEY) or {}
        count = int(given["workercount"])
        folder = Path(ours["folder"]) if "folder" in ours else None
        is_there = folder is not None and ours["where"] == where(folder) and _may_write(folder)
        return cls(
            id=given["workerid"],
            session=ours.get("session") or given["testrunuid"],
            place=Place(number=ours.get("place", 0) % count, count=count),
            folder=folder if is_there else None,
            shares=is_there and ours["shares"],
            may_lose_items=ours.get("dist") == "worksteal",
            is_welcome=bool(ours),
        )


class Workers:
    """All workers of a run; owned by the hooks of the controller."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, int] = {}

    def welcome(self, node: Any, session: str) -> None:
        """Tells a worker, before it starts, which of how many it is: what it replaces, if it does."""
        taken = set(self._places.values())
        worker = node.workerinput["workerid"]
        self._places[worker] = next(number for number in range(len(taken) + 1) if number not in taken)
        node.workerinput[_KEY] = {
            "session": session,
            "place": self._places[worker],
            "folder": str(self._folder),
            "where": where(self._folder),
            "dist": node.config.getoption("dist"),
            "shares": all(map(_is_here, node.nodemanager.specs)),
        }

    def dismiss(self, node: Any) -> None:
        """A worker is no more: its place is free."""
        self._places.pop(node.workerinput["workerid"], None)


def store_base(config: pytest.Config, *, is_kept: bool) -> Path:
    """The folder in which a process keeps answers; they end with the run if they are not to be kept."""
    return config.rootpath if is_kept else Path(tempfile.gettempdir())


def where(folder: Path) -> list[str]:
    """Tells a folder from all others, on whatever machine; equal for all processes that see this one."""
    from pytest_ftgate.models.answer_store.process import this_process  # noqa: PLC0415

    try:
        found = folder.stat()
    except OSError:
        return []
    return [this_process().boot, str(found.st_dev), str(found.st_ino)]


def _is_here(spec: Any) -> bool:
    """Whether a worker is a process on this machine for sure; one of another Python may be in a container."""
    return bool(spec.popen) and not (spec.via or spec.python)


def _may_write(folder: Path) -> bool:
    """Whether this process may use a store that others have begun; it may be another user's."""
    kept = folder / ".ftgate"
    paths: Sequence[Path] = (kept if kept.exists() else folder, kept / "answers.sqlite")
    return all(os.access(path, os.R_OK | os.W_OK) for path in paths if path.exists())

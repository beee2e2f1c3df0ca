"""Collecting: fetches what came back, joins it with what was asked, and writes the answers that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Protocol

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import BatchError
from pytest_ftgate.models.batches.client import BatchClient
from pytest_ftgate.models.batches.joining import AnswerReader, Index, Place
from pytest_ftgate.models.batches.requests import BatchRequest, ids_in
from pytest_ftgate.models.batches.state import BatchFolder, Part, State
from pytest_ftgate.models.batches.submitting import SettingsOf
from pytest_ftgate.models.saved_answers import HEAD, answer_line, write_answer_lines
from pytest_ftgate.record import TrialKey


class Readers(Protocol):
    """What joining needs of the project: the endpoints by arm and name, and who reads their answers."""

    @property
    def endpoints(self) -> SettingsOf:
        """The settings of each."""

    def reader(self, arm: str, spec: str) -> AnswerReader:
        """Reads an endpoint's results."""


@dataclass(slots=True, kw_only=True)
class Collected:
    """What came of it: how many answers, what is missing and why, and what else there is to say."""

    #: How many answers were wanted and how many are there, by arm.
    wanted: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    missing: list[tuple[BatchRequest, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    #: Which models answered, by arm.
    served: dict[str, set[str]] = field(default_factory=dict)


async def fetch(folder: BatchFolder, state: State, settings_of: SettingsOf) -> list[str]:
    """Downloads the results of all batches that have ended, unless they are here; what went wrong."""
    troubles: list[str] = []
    ended = [part for part in state.parts if part.batch is not None and part.batch.has_ended]
    for arm, parts in groupby(ended, key=lambda part: (part.arm, part.spec)):
        async with BatchClient(settings_of[arm]) as client:
            for part in parts:
                if part.batch is not None and part.batch.withholds:
                    said = f"{part.batch.id} has {part.batch.completed:,} answers and names no file of them"
                    troubles.append(f"{part.name}: not fetched: {said}; collect again later")
                for name, file_id in part.results:
                    if name in part.fetched and (folder.path / name).is_file():
                        continue
                    try:
                        await client.download(file_id, folder.path / name)
                    except BatchError as error:
                        troubles.append(f"{name}: not fetched: {error}")
    return troubles


class Join:
    """What was asked beside what came back; reads files of the folder only."""

    def __init__(self, folder: BatchFolder, state: State, readers: Readers) -> None:
        self.remarks: list[str] = []
        self._folder = folder
        self._state = state
        self._readers = readers
        self._requests = folder.read_requests()
        #: Of each request, in the order of rounds, the part that it was in and its lines there.
        self._found: dict[str, list[tuple[Part, Sequence[Place]]]] = {}
        for part in state.parts:
            self._index(part)

    def results(self) -> Iterator[tuple[BatchRequest, Completion | str]]:
        """Each request, sorted, with its answer or why there is none; an earlier round's answer counts."""
        readers = {key: self._readers.reader(*key) for key in self._readers.endpoints}
        for request in sorted(self._requests, key=lambda one: one.name):
            reader = readers[request.arm, request.spec]
            why: Completion | str = "it was never submitted"
            for part, places in self._found.get(request.custom_id, ()):
                why = reader.read(places)
                if isinstance(why, Completion):
                    break
                if not places:
                    why = _why_nothing(part)
            yield request, why

    def _index(self, part: Part) -> None:
        try:
            with (self._folder.path / part.input).open("rb") as lines:
                sent = dict.fromkeys(ids_in(lines))
        except (OSError, ValueError, KeyError, TypeError):
            path = self._folder.path / part.input
            raise BatchError(f"{path} is damaged or gone: it says what was asked in {part.name}") from None
        index = Index()
        for name, _ in part.results:
            path = self._folder.path / name
            if path.is_file():
                index.add(path, sent, self._readers.endpoints[part.arm, part.spec].max_bytes)
        # What is not whole is fetched again the next time; it may have broken off on the way.
        part.fetched = index.whole if len(index.places) >= _promised(part) else []
        self.remarks += index.troubles
        if index.unknown:
            named = ", ".join(repr(one[:80]) for one in index.unknown[:3])
            more = ", …" if len(index.unknown) > 3 else ""
            self.remarks.append(
                f"{part.name}: results that nobody asked for there: {len(index.unknown):,} ({named}{more})"
            )
        for custom_id in sent:
            self._found.setdefault(custom_id, []).append((part, index.places.get(custom_id, [])))


def _promised(part: Part) -> int:
    """How many results the provider says that there are."""
    return ((part.batch.completed or 0) + (part.batch.failed or 0)) if part.batch else 0


def _why_nothing(part: Part) -> str:
    """Why a request has no line at all."""
    if part.batch is None:
        return f"{part.name} is not submitted yet"
    name = f"{part.name}, {part.batch.id}"
    if not part.batch.has_ended:
        return f"{name} is still {part.batch.status}"
    said = f": {part.batch.errors[0]}" if part.batch.errors else ""
    if part.batch.status != "completed":
        return f"{name} is {part.batch.status}{said}"
    return f"no result for it came in {name}{said}"


def write_collected(path: Path, folder: BatchFolder, state: State, join: Join) -> Collected:
    """Writes the answers that are there to `path`, as `recorded:` plays them; raises `RecordError`."""
    collected = Collected(remarks=join.remarks)
    write_answer_lines(path, _lines(join, collected))
    folder.write(state)
    return collected


def _lines(join: Join, collected: Collected) -> Iterator[str]:
    yield HEAD
    for request, result in join.results():
        collected.wanted[request.arm] += 1
        if isinstance(result, str):
            collected.missing.append((request, result))
            continue
        collected.answers[request.arm] += 1
        if result.model:
            collected.served.setdefault(request.arm, set()).add(result.model)
        key = TrialKey(request.suite, request.case, Arm(request.arm), request.repeat, "")
        yield answer_line(key, 1, result, request.asked)


def missing(join: Join) -> Mapping[str, BatchRequest]:
    """The requests without an answer, by id."""
    return {request.custom_id: request for request, result in join.results() if isinstance(result, str)}

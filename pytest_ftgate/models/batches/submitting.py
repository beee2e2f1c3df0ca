"""Submitting, never twice: each step is on disk before it is taken, and what is in doubt is looked up.

    intent on disk → POST → id on disk

A process that dies between the first two leaves a part whose step nobody knows the end of. The next one asks
the provider for it, by the token in the batch's metadata and by its input file, and goes on from there.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, tee
from typing import TYPE_CHECKING

from pytest_ftgate.errors import BatchError
from pytest_ftgate.models.batches.client import BatchClient, LostReply, ProviderError
from pytest_ftgate.models.batches.splitting import Limits, part_numbers
from pytest_ftgate.models.batches.state import BatchFolder, Part, Snapshot, State, input_name

if TYPE_CHECKING:
    from pytest_ftgate.models.batches.requests import BatchRequest
    from pytest_ftgate.models.endpoints.settings import EndpointSettings

Say = Callable[[str], None]
SettingsOf = Mapping[tuple[str, str], "EndpointSettings"]
_LOOK_EVERY_S = 2.0
_LOST_CREATIONS = 3


class DoubtError(ProviderError):
    """It can't be found out whether a batch exists, so none was created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A request, and its line of the input file."""

    request: BatchRequest
    line: bytes


def write_parts(folder: BatchFolder, state: State, lines: Iterable[Line], limits: Limits) -> None:
    """Puts a round of input files into the folder, and notes them in the state, which is not yet written.

    The lines come sorted by arm and model, each when it is written: together they may be larger than memory.
    Raises `BatchError` for a request that is larger than a file may be.
    """
    round_ = state.rounds + 1
    for (arm, spec), each in groupby(lines, key=lambda one: (one.request.arm, one.request.spec)):
        for part in _split(each, limits):
            number = sum(one.arm == arm and one.round == round_ for one in state.parts) + 1
            name = f"{round_}-{arm}-{number:03}"
            tally = _Tally()
            folder.write_lines(input_name(name), tally.of(part))
            token = f"ftgate-{secrets.token_hex(16)}"
            state.parts.append(
                Part(
                    name=name,
                    round=round_,
                    arm=arm,
                    spec=spec,
                    requests=tally.requests,
                    bytes=tally.size,
                    token=token,
                )
            )


def _split(lines: Iterable[Line], limits: Limits) -> Iterator[Iterator[Line]]:
    """The lines of each file; each of them is to be read before the next."""
    here, there = tee(lines)
    numbers = part_numbers((_size_of(one, limits) for one in here), limits)
    for _, part in groupby(zip(numbers, there, strict=True), key=lambda pair: pair[0]):
        yield (one for _, one in part)


def _size_of(one: Line, limits: Limits) -> int:
    size = len(one.line)
    if size > limits.bytes:
        has = f"its request has {size:,} bytes, and a file holds at most {limits.bytes:,}"
        raise BatchError(f"{one.request.shown}: {has}")
    return size


@dataclass(slots=True)
class _Tally:
    """How much went into a file."""

    requests: int = 0
    size: int = 0

    def of(self, lines: Iterable[Line]) -> Iterator[bytes]:
        for one in lines:
            self.requests += 1
            self.size += len(one.line)
            yield one.line


class Submitter:
    """Brings all parts of a state on their way; lives for one call of `submit`."""

    def __init__(self, folder: BatchFolder, state: State, *, settle_s: float, say: Say) -> None:
        self._folder = folder
        self._state = state
        self._settle_s = settle_s
        self._say = say

    async def run(self, settings_of: SettingsOf) -> int:
        """Submits what is not submitted yet; how many batches this made or found.

        Raises `BatchError` when one can't be submitted; what was done till then is kept.
        """
        waiting = [part for part in self._state.parts if part.batch is None]
        for part in waiting:
            async with BatchClient(settings_of[part.arm, part.spec]) as client:
                await self._submit(client, part)
        return len(waiting)

    async def _submit(self, client: BatchClient, part: Part) -> None:
        if part.file_id is None:
            part.file_id = await self._upload(client, part)
            part.uploading = None
            self._folder.write(self._state)
        for _ in range(_LOST_CREATIONS):
            part.batch = await self._found_or_created(client, part, part.file_id)
            if part.batch is not None:
                part.creating = None
                self._folder.write(self._state)
                return
        what = f"its creation got no reply, {_LOST_CREATIONS} times"
        raise BatchError(f"{part.name}: {what}; run the same command again later: it looks for it first")

    async def _upload(self, client: BatchClient, part: Part) -> str:
        name = f"{part.token}.jsonl"
        if part.uploading is not None and (found := await client.find_file(name, part.bytes)):
            return found
        part.uploading = time.time()
        self._folder.write(self._state)
        self._say(f"{part.name}: uploading {_count(part.requests)}, {_size(part.bytes)}")
        return await client.upload(self._folder.path / part.input, name)

    async def _found_or_created(self, client: BatchClient, part: Part, file_id: str) -> Snapshot | None:
        """The part's batch; None if it is sure that the last attempt to create it made none."""
        if part.creating is not None:
            found = await self._look(client, part, file_id, part.creating)
            if found is not None:
                self._say(f"{part.name}: found again, {found.id}")
                return found
        part.creating = time.time()
        self._folder.write(self._state)
        try:
            made = await client.create(file_id, part.token)
        except LostReply as error:
            part.creating = time.time()
            self._folder.write(self._state)
            self._say(f"{part.name}: {error}; looking whether the batch was created")
            return None
        except ProviderError:
            part.creating = None  # refused, so there is none
            self._folder.write(self._state)
            raise
        self._say(f"{part.name}: submitted, {made.id}")
        return made

    async def _look(self, client: BatchClient, part: Part, file_id: str, since: float) -> Snapshot | None:
        """The batch of an attempt that nobody saw the end of; a new one may take a while to be listed."""
        while True:
            try:
                found = await client.find_batch(file_id, part.token)
            except ProviderError as error:
                raise DoubtError(_doubt(part, file_id, error)) from None
            left_s = min(self._settle_s, since + self._settle_s - time.time())
            if found is not None or left_s <= 0:
                return found
            await asyncio.sleep(min(_LOOK_EVERY_S, left_s))


def _doubt(part: Part, file_id: str, error: ProviderError) -> str:
    return (
        f"{part.name}: its creation got no reply, and it can't be found out whether there is such a batch: "
        f"{error}. None is created now, since it might be paid for twice. Look at the provider's page for "
        f"a batch of the file {file_id} (metadata ftgate: {part.token}), then run this again with "
        "--found BATCH_ID, or with --not-created"
    )


async def adopt(client: BatchClient, part: Part, batch_id: str) -> None:
    """Takes a batch that a person found for the part's own; raises `BatchError` if it is of another file."""
    found, file_id = await client.batch(batch_id)
    if file_id != part.file_id:
        raise BatchError(
            f"--found {batch_id}: that batch is made of the file {file_id}, and {part.name} is {part.file_id}"
        )
    part.batch, part.creating = found, None


def in_doubt(parts: Iterable[Part]) -> list[Part]:
    """Those of which nobody knows whether their batch was created."""
    return [part for part in parts if part.creating is not None and part.batch is None]


def _count(requests: int) -> str:
    return "1 request" if requests == 1 else f"{requests:,} requests"


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size:,} bytes"

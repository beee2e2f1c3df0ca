"""How far batches are: asks the provider, and waits until all have ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from itertools import groupby
from typing import Any, TypeVar

from pytest_ftgate.errors import BatchError
from pytest_ftgate.models.batches.client import BatchClient, ProviderError
from pytest_ftgate.models.batches.state import BatchFolder, Part, State
from pytest_ftgate.models.batches.submitting import SettingsOf

#: So often in a row the provider may not be there: at first, when it may be a wrong address, and later.
_GIVE_UP_AFTER = (5, 60)
_Result = TypeVar("_Result")


def done(work: Coroutine[Any, Any, _Result]) -> _Result:
    """What comes of it, for a caller without a loop of its own."""
    return asyncio.run(work)


async def refresh(folder: BatchFolder, state: State, settings_of: SettingsOf) -> None:
    """Learns how far each batch is that has not ended; raises `ProviderError` for one that can't be asked."""
    running = [
        part
        for part in state.parts
        if part.batch is not None and (not part.batch.has_ended or part.batch.withholds)
    ]
    for arm, parts in groupby(running, key=lambda part: (part.arm, part.spec)):
        async with BatchClient(settings_of[arm]) as client:
            for part in parts:
                await _refresh(client, part)
    folder.write(state)


async def _refresh(client: BatchClient, part: Part) -> None:
    assert part.batch is not None
    try:
        part.batch, _ = await client.batch(part.batch.id)
    except ProviderError as error:
        what = f"{part.name}: {part.batch.id} can't be asked about: {error}"
        if error.is_not_there:
            what += ". Is it the key, and the project, that it was submitted with?"
        raise ProviderError(what, error.status) from None


async def wait(
    folder: BatchFolder,
    state: State,
    settings_of: SettingsOf,
    *,
    poll_s: float,
    deadline_s: float | None,
    tell: Callable[[State], None],
) -> None:
    """Asks again and again until all have ended, or the time is over; what can't be asked may pass."""
    ends_at = time.monotonic() + deadline_s if deadline_s is not None else float("inf")
    failures, was_reached = 0, False
    while True:
        try:
            await refresh(folder, state, settings_of)
            failures, was_reached = 0, True
        except ProviderError as error:
            failures += 1
            # The client has tried for a while already; but a batch takes hours, and an outage may take one.
            if not _may_pass(error) or failures == _GIVE_UP_AFTER[was_reached]:
                raise
        tell(state)
        left_s = ends_at - time.monotonic()
        if all_ended(state.parts) or left_s <= 0:
            return
        await asyncio.sleep(min(poll_s, left_s))


def _may_pass(error: ProviderError) -> bool:
    return error.status is None or error.status == 429 or (error.status >= 500 and not error.is_not_there)


def all_ended(parts: Iterable[Part]) -> bool:
    """Whether there is nothing more to wait for."""
    return all(part.batch is not None and part.batch.has_ended for part in parts)


def not_submitted(state: State, submit: str) -> None:
    """Raises `BatchError` if a part is not on its way yet; `submit` is the command that submits it."""
    names = [part.name for part in state.parts if part.batch is None]
    if names:
        raise BatchError(f"{', '.join(names)}: not submitted yet; `{submit}` goes on with it")

"""What can be done with files and batches of one endpoint; the network is in `transport`.

Reading is tried again; what costs money is not: a creation whose reply was lost raises `LostReply`, and
whoever called has to find out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Self, TypeVar

import aiohttp

from pytest_ftgate.errors import BatchError
from pytest_ftgate.models.batches.provider_rows import (
    SenselessError,
    is_id,
    parse_id,
    parse_row,
    parse_snapshot,
)
from pytest_ftgate.models.batches.requests import batch_url
from pytest_ftgate.models.batches.state import Snapshot, sync_folder
from pytest_ftgate.models.batches.transport import LostReply, ProviderError, Transport
from pytest_ftgate.models.boundary import Redactor, quoted
from pytest_ftgate.models.endpoints.exchange import Reply
from pytest_ftgate.models.endpoints.settings import EndpointSettings

__all__ = ["BatchClient", "LostReply", "ProviderError"]

_MAX_DOWNLOAD = 4_000_000_000
_SLOWEST_UPLOAD = 100_000  # bytes a second
_LONGEST_HELD = 32_000_000
_LONGEST_SECRET = 10_000
_PAGES = 200

_Row = Mapping[str, Any]
_Parsed = TypeVar("_Parsed")


class BatchClient:
    """Files and batches of one endpoint, inside its `async with` block. Raises `ProviderError`."""

    def __init__(
        self, settings: EndpointSettings, *, random: Random | None = None, max_download: int = _MAX_DOWNLOAD
    ) -> None:
        self._transport = Transport(settings, random=random, max_download=max_download)
        self._url_of_requests = batch_url(settings)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.__aexit__()

    async def upload(self, path: Path, name: str) -> str:
        """Sends a file, which costs nothing, under this name; the provider's id of it."""
        try:
            size = path.stat().st_size
        except OSError as error:
            raise BatchError(f"{path} can't be read: {error.strerror or error}") from None

        async def send() -> Reply:
            with path.open("rb") as file:
                form = aiohttp.FormData()
                form.add_field("purpose", "batch")
                form.add_field("file", file, filename=name, content_type="application/jsonl")
                async with asyncio.timeout(self._transport.timeout_s + size / _SLOWEST_UPLOAD):
                    return await self._transport.exchange("POST", "/files", data=form)

        reply = await self._transport.tried(send)
        return self._parsed(lambda: parse_id(parse_row(reply.body, "file"), "id", "file"))

    async def find_file(self, name: str, size: int) -> str | None:
        """The id of an uploaded file of this name and size; None as well where files can't be listed."""
        try:
            async for row in self._rows("/files", {"purpose": "batch", "limit": "1000"}):
                if row.get("filename") == name and row.get("bytes") == size:
                    return self._parsed(partial(parse_id, row, "id", "file"))
        except ProviderError as error:
            if not error.is_not_there:
                raise
        return None

    async def create(self, file_id: str, token: str) -> Snapshot:
        """Orders the answers to a file, which costs money. Raises `LostReply` if it may have been done."""
        order = {
            "input_file_id": file_id,
            "endpoint": self._url_of_requests,
            "completion_window": "24h",
            "metadata": {"ftgate": token},
        }

        async def send() -> Reply:
            async with asyncio.timeout(self._transport.timeout_s):
                return await self._transport.exchange("POST", "/batches", json=order)

        reply = await self._transport.tried(send, once=True)
        try:
            return self._parsed(lambda: parse_snapshot(parse_row(reply.body, "batch")))
        except ProviderError as error:
            raise LostReply(str(error)) from None

    async def find_batch(self, file_id: str, token: str) -> Snapshot | None:
        """The batch that was made of this file, if there is one.

        Raises `ProviderError`, also where it is not sure that all were seen.
        """
        async for row in self._rows("/batches", {"limit": "100"}):
            metadata = row.get("metadata")
            is_ours = isinstance(metadata, Mapping) and metadata.get("ftgate") == token
            if is_ours or row.get("input_file_id") == file_id:
                return self._parsed(partial(parse_snapshot, row))
        return None

    async def batch(self, batch_id: str) -> tuple[Snapshot, str | None]:
        """What there is to say of a batch, and the id of the file that it was made of."""
        if not is_id(batch_id):
            raise ProviderError(f"{quoted(batch_id)} is no id of a batch")
        row = await self._get(f"/batches/{batch_id}", "batch")
        snapshot, file_id = self._parsed(lambda: parse_snapshot(row)), row.get("input_file_id")
        if snapshot.id != batch_id:
            raise ProviderError(f"{self._transport.host} was asked about {batch_id}, and sent {snapshot.id}")
        return snapshot, file_id if isinstance(file_id, str) else None

    async def download(self, file_id: str, path: Path) -> None:
        """Writes a file's content to `path`, once all of it is there."""
        new = path.with_name(f".{path.name}.tmp")

        async def fetch() -> Reply:
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                lines = _Scrubbed(self._transport.redact, file.write)
                content = f"/files/{file_id}/content"
                reply = await self._transport.exchange("GET", content, write=lines.write)
                lines.end()
                file.flush()
                os.fsync(file.fileno())
            return reply

        try:
            await self._transport.tried(fetch)
            new.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            raise BatchError(f"{path} can't be written: {error.strerror or error}") from None
        finally:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)

    async def _rows(self, path: str, query: Mapping[str, str]) -> AsyncIterator[_Row]:
        """All entries of a list, page by page."""
        after: str | None = None
        for _ in range(_PAGES):
            page = await self._get(path, "list", {**query, **({"after": after} if after else {})})
            rows, has_more = page.get("data"), page.get("has_more")
            if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
                raise ProviderError(f"{self._transport.host}{path} sent no list")
            for row in rows:
                yield row
            last = str(rows[-1].get("id")) if rows else None
            # Who does not say whether there is more may still have it, or may take no notice of `after`.
            if has_more is False or last is None or (has_more is None and last == after):
                return
            if last == after:
                break
            after = last
        host = self._transport.host
        raise ProviderError(f"{host}{path} has no end: its list can't be read to the last page")

    async def _get(self, path: str, noun: str, query: Mapping[str, str] | None = None) -> _Row:
        async def send() -> Reply:
            async with asyncio.timeout(self._transport.timeout_s):
                return await self._transport.exchange("GET", path, query=query)

        reply = await self._transport.tried(send)
        return self._parsed(lambda: parse_row(reply.body, noun))

    def _parsed(self, parse: Callable[[], _Parsed]) -> _Parsed:
        try:
            return parse()
        except SenselessError as error:
            raise ProviderError(f"{self._transport.host} sent {error}") from None


class _Scrubbed:
    """Writes what comes in without secrets, line by line: a piece of a file may end within one."""

    def __init__(self, redact: Redactor, write: Callable[[bytes], object]) -> None:
        self._redact = redact
        self._write = write
        self._held = bytearray()

    def write(self, chunk: bytes) -> None:
        """Takes a piece; what comes after its last line end is held back, unless nobody would read that."""
        self._held += chunk
        end = self._held.rfind(b"\n", len(self._held) - len(chunk)) + 1
        if not end and len(self._held) > _LONGEST_HELD:
            end = len(self._held) - _LONGEST_SECRET
        if end > 0:
            self._write(self._redact.scrub(bytes(self._held[:end])))
            del self._held[:end]

    def end(self) -> None:
        """Writes what is held back."""
        self._write(self._redact.scrub(bytes(self._held)))

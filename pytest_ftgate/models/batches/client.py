"""The provider's endpoints of files and batches, over aiohttp. Imported only where a batch is asked about.

Reading is tried again; what costs money is not: a creation whose reply was lost raises `LostReply`, and
whoever called has to find out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any, Self

import aiohttp

from pytest_ftgate.errors import BatchError
from pytest_ftgate.models.batches.requests import batch_base, batch_url
from pytest_ftgate.models.batches.state import Snapshot, sync_folder
from pytest_ftgate.models.boundary import Redactor, quoted, safe_message
from pytest_ftgate.models.endpoints.bodies import count_or_none, is_number
from pytest_ftgate.models.endpoints.exchange import Reply, TooLargeError, UnreachableError, WireError
from pytest_ftgate.models.endpoints.quota import retry_after_s
from pytest_ftgate.models.endpoints.replies import status_message
from pytest_ftgate.models.endpoints.settings import EndpointSettings
from pytest_ftgate.models.endpoints.wire import CONNECT_TIMEOUT_S, address, headers_of, reason, trusted

_MAX_DOWNLOAD = 4_000_000_000
_MAX_WAIT_S = 60.0
_SLOWEST_UPLOAD = 100_000  # bytes a second
_CHUNK = 1 << 18
#: Neither yes nor no: tried again where that costs nothing.
_PASSING = frozenset({408, 409, 425, 429})
_NOT_THERE = frozenset({404, 405, 501})
_LONGEST_HELD = 32_000_000
_LONGEST_SECRET = 10_000
_PAGES = 200
_SHOWN_ERRORS = 20
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=+-]{0,199}")


class ProviderError(BatchError):
    """The provider did not do what it was asked; `status` is HTTP's, None where no reply came."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_not_there(self) -> bool:
        """Whether what was asked for, or asked to do, does not exist there."""
        return self.status in _NOT_THERE


class LostReply(ProviderError):
    """Nobody knows whether it was done."""


class BatchClient:
    """Files and batches of one endpoint, inside its `async with` block."""

    def __init__(
        self, settings: EndpointSettings, *, random: Random | None = None, max_download: int = _MAX_DOWNLOAD
    ) -> None:
        settings = batch_base(settings)
        self._settings = settings
        self._url, self._query = address(settings)
        headers = headers_of(settings)
        self._headers = {name: headers[name] for name in headers if name.lower() != "content-type"}
        self._redact = Redactor(settings.secrets())
        self._random = random or Random()  # noqa: S311 - it spreads retries
        self._max_download = max_download
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        tls = trusted() if self._url.startswith("https:") else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=4, ssl=tls),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=self._settings.retry.timeout_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def upload(self, path: Path, name: str) -> str:
        """Sends a file, which costs nothing, under this name; the provider's id of it."""
        try:
            size = path.stat().st_size
        except OSError as error:
            raise BatchError(f"{path} can't be read: {error.strerror or error}") from None
        limit_s = self._settings.retry.timeout_s + size / _SLOWEST_UPLOAD

        async def send() -> Reply:
            with path.open("rb") as file:
                form = aiohttp.FormData()
                form.add_field("purpose", "batch")
                form.add_field("file", file, filename=name, content_type="application/jsonl")
                async with asyncio.timeout(limit_s):
                    return await self._exchange("POST", "/files", data=form)

        return _id(self._json(await self._tried(send), "file"), "id", "file", self._settings.host)

    async def find_file(self, name: str, size: int) -> str | None:
        """The id of an uploaded file of this name and size; None as well where files can't be listed."""
        try:
            async for row in self._rows("/files", {"purpose": "batch", "limit": "1000"}):
                if row.get("filename") == name and row.get("bytes") == size:
                    return _id(row, "id", "file", self._settings.host)
        except ProviderError as error:
            if not error.is_not_there:
                raise
        return None

    async def create(self, file_id: str, token: str) -> Snapshot:
        """Orders the answers to a file, which costs money. Raises `LostReply` if it may have been done."""
        body = {
            "input_file_id": file_id,
            "endpoint": batch_url(self._settings),
            "completion_window": "24h",
            "metadata": {"ftgate": token},
        }

        async def send() -> Reply:
            async with asyncio.timeout(self._settings.retry.timeout_s):
                return await self._exchange("POST", "/batches", json=body)

        reply = await self._tried(send, once=True)
        try:
            return self._snapshot(self._json(reply, "batch"))
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
                return self._snapshot(row)
        return None

    async def batch(self, batch_id: str) -> tuple[Snapshot, str | None]:
        """What there is to say of a batch, and the id of the file that it was made of."""
        if not _ID.fullmatch(batch_id):
            raise ProviderError(f"{quoted(batch_id)} is no id of a batch")
        row = self._json(await self._get(f"/batches/{batch_id}"), "batch")
        snapshot, file_id = self._snapshot(row), row.get("input_file_id")
        if snapshot.id != batch_id:
            raise ProviderError(f"{self._settings.host} was asked about {batch_id}, and sent {snapshot.id}")
        return snapshot, file_id if isinstance(file_id, str) else None

    async def download(self, file_id: str, path: Path) -> None:
        """Writes a file's content to `path`, once all of it is there."""
        new = path.with_name(f".{path.name}.tmp")

        async def fetch() -> Reply:
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                lines = _Scrubbed(self._redact, file.write)
                reply = await self._exchange("GET", f"/files/{file_id}/content", write=lines.write)
                lines.end()
                file.flush()
                os.fsync(file.fileno())
            return reply

        try:
            await self._tried(fetch)
            new.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            raise BatchError(f"{path} can't be written: {error.strerror or error}") from None
        finally:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)

    async def _rows(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Mapping[str, Any]]:
        """All entries of a list, page by page."""
        after: str | None = None
        for _ in range(_PAGES):
            page = self._json(await self._get(path, {**query, **({"after": after} if after else {})}), "list")
            rows, has_more = page.get("data"), page.get("has_more")
            if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
                raise ProviderError(f"{self._settings.host}{path} sent no list")
            for row in rows:
                yield row
            last = str(rows[-1].get("id")) if rows else None
            # Who does not say whether there is more may still have it, or may take no notice of `after`.
            if has_more is False or last is None or (has_more is None and last == after):
                return
            if last == after:
                break
            after = last
        raise ProviderError(
            f"{self._settings.host}{path} has no end: its list can't be read to the last page"
        )

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> Reply:
        async def send() -> Reply:
            async with asyncio.timeout(self._settings.retry.timeout_s):
                return await self._exchange("GET", path, query=query)

        return await self._tried(send)

    async def _tried(self, send: Callable[[], Awaitable[Reply]], *, once: bool = False) -> Reply:
        """A reply of success. `once`: tried again only where it is sure that nothing was done."""
        policy, host = self._settings.retry, self._settings.host
        attempt = 0
        while True:
            attempt += 1
            wish_s: float | None = None
            try:
                reply = await send()
                if 200 <= reply.status < 300:
                    return reply
                wish_s = retry_after_s(reply.headers)
                error = ProviderError(status_message(reply, host, self._redact), reply.status)
                in_doubt = reply.status >= 500 or reply.status in _PASSING - {429}
                passes = reply.status != 501 and (in_doubt or reply.status == 429)
            except UnreachableError as broken:
                error, in_doubt, passes = ProviderError(f"{host} can't be reached: {broken}"), False, True
            except TooLargeError as broken:
                error, in_doubt, passes = ProviderError(f"{broken}, from {host}"), True, False
            except TimeoutError:
                error, in_doubt, passes = ProviderError(f"no reply from {host} in time"), True, True
            except WireError as broken:
                error, in_doubt, passes = ProviderError(f"{broken}, from {host}"), True, True
            if once and in_doubt:
                raise LostReply(str(error), error.status) from None
            wait_s = max(wish_s or 0.0, policy.backoff_s(attempt, self._random))
            if not passes or attempt >= policy.attempts or wait_s > _MAX_WAIT_S:
                raise error from None
            await asyncio.sleep(wait_s)

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        write: Callable[[bytes], object] | None = None,
        **sent: Any,
    ) -> Reply:
        """One exchange; the content of a success goes to `write`, if that is given."""
        try:
            async with self._session.request(
                method,
                self._url + path,
                params={**self._query, **(query or {})},
                headers=self._headers,
                allow_redirects=False,
                proxy=self._settings.proxy.url if self._settings.proxy else None,
                **sent,
            ) as response:
                is_kept = write is None or response.status != 200
                kept, size = bytearray(), 0
                limit = self._settings.max_bytes if is_kept else self._max_download
                async for chunk in response.content.iter_chunked(_CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise TooLargeError(f"the reply is longer than {limit:,} bytes")
                    kept.extend(chunk) if is_kept or write is None else write(chunk)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UnreachableError(reason(error)) from None
        except aiohttp.ClientError as error:
            raise WireError(reason(error)) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = bytes(kept) if 200 <= response.status < 300 else self._redact.scrub(bytes(kept))
        return Reply(status=response.status, headers=headers, body=body, latency_s=0.0)

    def _json(self, reply: Reply, noun: str) -> Mapping[str, Any]:
        try:
            row = json.loads(self._redact.scrub(reply.body))
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, Mapping):
            start = quoted(self._redact.scrub(reply.body)[:800].decode("utf-8", "replace"))
            raise ProviderError(f"{self._settings.host} sent no {noun}: {start}", reply.status)
        return row

    def _snapshot(self, row: Mapping[str, Any]) -> Snapshot:
        host = self._settings.host
        status = row.get("status")
        if not isinstance(status, str):
            raise ProviderError(f"{host} sent no batch: it has no status")
        counts = row.get("request_counts")
        counts = counts if isinstance(counts, Mapping) else {}
        return Snapshot(
            id=_id(row, "id", "batch", host),
            status=safe_message(status)[:50],
            created_at=_time(row.get("created_at")),
            expires_at=_time(row.get("expires_at")),
            total=count_or_none(counts.get("total")),
            completed=count_or_none(counts.get("completed")),
            failed=count_or_none(counts.get("failed")),
            output_file_id=_id(row, "output_file_id", "batch", host) if row.get("output_file_id") else None,
            error_file_id=_id(row, "error_file_id", "batch", host) if row.get("error_file_id") else None,
            errors=tuple(_errors(row.get("errors"))),
        )


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


def _id(row: Mapping[str, Any], name: str, noun: str, host: str) -> str:
    """An id that may stand in an address."""
    value = row.get(name)
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise ProviderError(f"{host} sent no {noun}: its {name} is {quoted(str(value))}")


def _time(value: object) -> float | None:
    return float(value) if is_number(value) and 0 < value < 1e11 else None


def _errors(errors: object) -> list[str]:
    """Why a batch failed, an entry each: `line 3: code: message`."""
    data = errors.get("data") if isinstance(errors, Mapping) else None
    rows = [row for row in data if isinstance(row, Mapping)] if isinstance(data, list) else []
    return [_error(row) for row in rows[:_SHOWN_ERRORS]]


def _error(row: Mapping[str, Any]) -> str:
    line = count_or_none(row.get("line"))
    parts = [f"line {line}"] if line else []
    parts += [quoted(text)[1:-1] for key in ("code", "message") if isinstance(text := row.get(key), str)]
    return ": ".join(parts) or "no reason given"

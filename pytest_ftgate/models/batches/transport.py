"""Exchanges with the provider's endpoints of files and batches, over aiohttp, with patience.

Imported only where a batch is asked about. What may be repeated is tried again; of what must not, `LostReply`
says that nobody knows whether it was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Self

import aiohttp

from pytest_ftgate.errors import BatchError
from pytest_ftgate.models.batches.requests import batch_base
from pytest_ftgate.models.boundary import Redactor
from pytest_ftgate.models.endpoints.exchange import Reply, TooLargeError, UnreachableError, WireError
from pytest_ftgate.models.endpoints.quota import retry_after_s
from pytest_ftgate.models.endpoints.replies import key_advice, status_message
from pytest_ftgate.models.endpoints.settings import EndpointSettings
from pytest_ftgate.models.endpoints.wire import CONNECT_TIMEOUT_S, address, headers_of, reason, trusted

_MAX_WAIT_S = 60.0
_CHUNK = 1 << 18
#: Neither yes nor no, as all from 500 on.
_NEITHER = frozenset({408, 409, 425})
_TOO_MANY = 429
_KEY_REFUSED = (401, 403)
_NOT_THERE = frozenset({404, 405, 501})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """An attempt without success: whether it may have been done all the same, and whether it may pass."""

    error: ProviderError
    in_doubt: bool
    passes: bool
    wish_s: float = 0.0


class Transport:
    """The connections to one endpoint, inside its `async with` block. What it says holds no secret."""

    def __init__(self, settings: EndpointSettings, *, random: Random | None, max_download: int) -> None:
        settings = batch_base(settings)
        self.host = settings.host
        self.redact = Redactor(settings.secrets())
        self.timeout_s = settings.retry.timeout_s
        self._settings = settings
        self._url, self._query = address(settings)
        headers = headers_of(settings)
        self._headers = {name: headers[name] for name in headers if name.lower() != "content-type"}
        self._random = random or Random()  # noqa: S311 - it spreads retries
        self._max_download = max_download
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        tls = trusted() if self._url.startswith("https:") else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=4, ssl=tls),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=self.timeout_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def tried(self, send: Callable[[], Awaitable[Reply]], *, once: bool = False) -> Reply:
        """A reply of success, or `ProviderError`. `once`: tried again only if surely nothing was done."""
        policy = self._settings.retry
        attempt = 0
        while True:
            attempt += 1
            done = await self._attempt(send)
            if isinstance(done, Reply):
                return done
            if once and done.in_doubt:
                raise LostReply(str(done.error), done.error.status)
            wait_s = max(done.wish_s, policy.backoff_s(attempt, self._random))
            if not done.passes or attempt >= policy.attempts or wait_s > _MAX_WAIT_S:
                raise done.error
            await asyncio.sleep(wait_s)

    async def _attempt(self, send: Callable[[], Awaitable[Reply]]) -> Reply | _Failure:
        try:
            reply = await send()
        except UnreachableError as broken:
            error = ProviderError(f"{self.host} can't be reached: {broken}")
            return _Failure(error=error, in_doubt=False, passes=True)
        except TooLargeError as broken:
            error = ProviderError(f"{broken}, from {self.host}")
            return _Failure(error=error, in_doubt=True, passes=False)
        except TimeoutError:
            error = ProviderError(f"no reply from {self.host} in time")
            return _Failure(error=error, in_doubt=True, passes=True)
        except WireError as broken:
            error = ProviderError(f"{broken}, from {self.host}")
            return _Failure(error=error, in_doubt=True, passes=True)
        return reply if 200 <= reply.status < 300 else self._refused(reply)

    def _refused(self, reply: Reply) -> _Failure:
        in_doubt = reply.status >= 500 or reply.status in _NEITHER
        message = status_message(reply, self.host, self.redact)
        if reply.status in _KEY_REFUSED:
            message = f"{message}. {key_advice(self._settings, 'use batches')}"
        return _Failure(
            error=ProviderError(message, reply.status),
            in_doubt=in_doubt,
            passes=(in_doubt and reply.status not in _NOT_THERE) or reply.status == _TOO_MANY,
            wish_s=retry_after_s(reply.headers) or 0.0,
        )

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        write: Callable[[bytes], object] | None = None,
        **sent: Any,
    ) -> Reply:
        """One exchange, no redirect followed; the content of a success goes to `write`, if that is given."""
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
                kept = bytearray()
                if write is not None and response.status == 200:
                    await _read(response, write, self._max_download)
                else:
                    await _read(response, kept.extend, self._settings.max_bytes)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UnreachableError(reason(error)) from None
        except aiohttp.ClientError as error:
            raise WireError(reason(error)) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = self.redact.scrub(bytes(kept))
        return Reply(status=response.status, headers=headers, body=body, latency_s=0.0)


async def _read(response: aiohttp.ClientResponse, write: Callable[[bytes], object], limit: int) -> None:
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise TooLargeError(f"the reply is longer than {limit:,} bytes")
        write(chunk)

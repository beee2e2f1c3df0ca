"""One endpoint over aiohttp, with a clock at the socket and a cap on what is read.

No client library stands between: ours needs the bytes as they came, the status of an error as well as of an
answer, and a clock that does not count the wait for a connection. Patience is the retry loop's. This module
imports aiohttp; it is itself imported in the engine's thread only, when the first request goes out.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import aiohttp

from pytest_ftgate import __version__
from pytest_ftgate.models.endpoints.exchange import Reply, TooLargeError, UnreachableError, WireError

if TYPE_CHECKING:
    from pytest_ftgate.models.endpoints.settings import EndpointSettings

_KEEP_ALIVE_S = 60.0
CONNECT_TIMEOUT_S = 10.0


class EndpointClient:
    """The connections to one endpoint; owned by one model, used in one loop, closed once.

    It opens as many connections as there are requests on their way, or at most `connections`, if that is
    not 0.
    """

    def __init__(self, settings: EndpointSettings, *, connections: int) -> None:
        self._base_url, self._query = address(settings)
        self._headers = headers_of(settings)
        self._proxy_url = settings.proxy.url if settings.proxy else None
        self._max_bytes = settings.max_bytes
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """Sends one request, follows no redirect. Raises `WireError` if nothing whole came back."""
        session = self._session or self._open()
        clock = _Clock(sent_at=time.perf_counter())
        # A proxy that compresses a stream holds it back until it has something to compress.
        encoding = "identity" if body.get("stream") else "gzip, deflate"
        try:
            async with session.post(
                self._base_url + path,
                params=self._query,
                headers={**self._headers, "Accept-Encoding": encoding},
                data=json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(),
                allow_redirects=False,
                proxy=self._proxy_url,
                trace_request_ctx=clock,
            ) as response:
                content, marks = await self._read(response, clock)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UnreachableError(reason(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise WireError(reason(error)) from None
        *marks, (_, latency_s) = marks
        return Reply(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=content,
            latency_s=latency_s,
            marks=tuple(marks),
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        traces = aiohttp.TraceConfig()
        traces.on_request_chunk_sent.append(_stamp)
        tls = trusted() if self._base_url.startswith("https:") else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_ALIVE_S, ssl=tls),
            # The deadline is the retry loop's; only a host that drops packets is told apart here.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            trace_configs=[traces],
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session

    async def _read(
        self, response: aiohttp.ClientResponse, clock: _Clock
    ) -> tuple[bytes, list[tuple[int, float]]]:
        """The body, and how much of it was there when; the last mark is that of its end."""
        chunks: list[bytes] = []
        marks: list[tuple[int, float]] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > self._max_bytes:
                raise TooLargeError(f"the answer is longer than {self._max_bytes:,} bytes")
            chunks.append(chunk)
            marks.append((size, time.perf_counter() - clock.sent_at))
        marks.append((size, time.perf_counter() - clock.sent_at))
        return b"".join(chunks), marks


@dataclass(slots=True)
class _Clock:
    sent_at: float


async def _stamp(_session: aiohttp.ClientSession, context: SimpleNamespace, _chunk: object) -> None:
    # Called as each part of the body is handed to the socket, so the last call counts.
    context.trace_request_ctx.sent_at = time.perf_counter()


def address(settings: EndpointSettings) -> tuple[str, dict[str, str]]:
    """Where requests go, without user and password, and the query of each."""
    parts = urlsplit(settings.base_url)
    query = {**dict(parse_qsl(parts.query)), **settings.query}
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}", query


def headers_of(settings: EndpointSettings) -> dict[str, str]:
    """What goes with each request: our own, then the entry's, then a key and a password that it names."""
    parts = urlsplit(settings.base_url)
    headers = [
        ("User-Agent", f"pytest-ftgate/{__version__}"),
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
    ]
    if settings.api_key and not settings.key_header:
        headers.append(("Authorization", f"Bearer {settings.api_key}"))
    headers += settings.headers.items()
    if settings.api_key and settings.key_header:
        headers.append((settings.key_header, settings.api_key))
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    # Names are the same in any case, and the last one wins.
    return dict({name.lower(): (name, value) for name, value in headers}.values())


def trusted() -> ssl.SSLContext:
    """The system's trust store, or what SSL_CERT_FILE and SSL_CERT_DIR name."""
    if sys.platform == "darwin" and not ({"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys()):
        import truststore  # noqa: PLC0415 - OpenSSL does not know where macOS keeps its certificates

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()


def reason(error: BaseException) -> str:
    """What broke, in few words."""
    # "Connection refused" or "certificate has expired"; aiohttp's own text repeats host and port.
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    number = getattr(cause, "errno", None)
    if isinstance(number, int) and number > 0 and not isinstance(cause, ssl.SSLError):
        return os.strerror(number)
    text = getattr(cause, "strerror", None) or str(cause)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__

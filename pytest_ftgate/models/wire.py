"""The OpenAI client over aiohttp, with a clock at the socket and a cap on what is read.

The SDK's own aiohttp transport has no place for either: it hands out an undecoded stream, and a clock
around it would include the wait for a connection. This module imports openai and aiohttp; it is itself
imported in the engine's thread only, when the first request goes out.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import aiohttp
import httpx2
import openai

from pytest_ftgate.models.exchange import Reply, TooLargeError, UnreachableError, WireError

if TYPE_CHECKING:
    from pytest_ftgate.models.settings import EndpointSettings

_MARKS = "ftgate_marks"
_KEEP_ALIVE_S = 60.0
_CONNECT_TIMEOUT_S = 10.0


class EndpointClient:
    """The connections to one endpoint; owned by one model, used in one loop, closed once."""

    def __init__(self, settings: EndpointSettings, wire: Wire) -> None:
        parts = urlsplit(settings.base_url)
        headers = dict(settings.headers)
        api_key = settings.api_key
        if api_key and settings.key_header:
            headers[settings.key_header], api_key = api_key, None
        # The SDK wants some key; without one of ours the header is left out.
        own = api_key or any(name.lower() == "authorization" for name in headers)
        self._headers: dict[str, Any] = {} if own else {"Authorization": openai.Omit()}
        self._client = openai.AsyncOpenAI(
            api_key=api_key or "none",
            base_url=urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
            default_query={**dict(parse_qsl(parts.query)), **settings.query} or None,
            default_headers=headers,
            max_retries=0,
            timeout=None,
            http_client=openai.DefaultAioHttpClient(transport=wire, follow_redirects=False),
        )

    async def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """Sends one request. Raises `WireError` if nothing whole came back."""
        # A proxy that compresses a stream holds it back until it has something to compress.
        encoding = "identity" if body.get("stream") else "gzip, deflate"
        # Low level on purpose: the typed method converts the request and the answer to models, which costs
        # more than everything else that happens here, and its models hide what the endpoint really sent.
        try:
            response = await self._client.post(
                path,
                cast_to=httpx2.Response,
                body=body,
                options={"headers": {**self._headers, "Accept-Encoding": encoding}},
            )
        except openai.APIStatusError as error:
            response = error.response
        headers = {name.lower(): value for name, value in response.headers.items()}
        *marks, (_, latency_s) = response.extensions[_MARKS]
        return Reply(
            status=response.status_code,
            headers=headers,
            body=response.content,
            latency_s=latency_s,
            marks=tuple(marks),
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()


@dataclass(slots=True)
class _Clock:
    sent_at: float


class Wire(httpx2.AsyncBaseTransport):
    """An HTTP transport that stamps each response with its time on the wire; opened by the first request."""

    def __init__(self, *, connections: int, max_bytes: int, proxy_url: str | None = None) -> None:
        self._connections = connections
        self._max_bytes = max_bytes
        self._proxy_url = proxy_url
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends without following redirects, and reads the whole body, decoded."""
        session = self._session or self._open(request.url)
        clock = _Clock(sent_at=time.perf_counter())
        try:
            async with session.request(
                request.method,
                # httpx has made a header of the user part, and aiohttp refuses both at once.
                str(request.url.copy_with(username=None, password=None)),
                headers=request.headers.multi_items(),
                data=request.content,
                allow_redirects=False,
                proxy=self._proxy_url,
                trace_request_ctx=clock,
            ) as response:
                body, marks = await self._read(response, clock)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UnreachableError(_reason(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise WireError(_reason(error)) from None
        headers = [
            (name, value) for name, value in response.raw_headers if name.lower() != b"content-encoding"
        ]
        extensions = {_MARKS: marks}
        return httpx2.Response(
            response.status, headers=headers, content=body, extensions=extensions, request=request
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self, url: httpx2.URL) -> aiohttp.ClientSession:
        # The SDK's own context: the system's trust store, SSL_CERT_FILE and SSL_CERT_DIR.
        tls: Any = httpx2.create_ssl_context() if url.scheme == "https" else True
        traces = aiohttp.TraceConfig()
        traces.on_request_chunk_sent.append(_stamp)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_ALIVE_S, ssl=tls),
            # The deadline is the retry loop's; only a host that drops packets is told apart here.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
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


async def _stamp(_session: aiohttp.ClientSession, context: SimpleNamespace, _chunk: object) -> None:
    # Called as each part of the body is handed to the socket, so the last call counts.
    context.trace_request_ctx.sent_at = time.perf_counter()


def _reason(error: BaseException) -> str:
    # "Connection refused" or "certificate has expired"; aiohttp's own text repeats host and port.
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    number = getattr(cause, "errno", None)
    if isinstance(number, int) and number > 0 and not isinstance(cause, ssl.SSLError):
        return os.strerror(number)
    text = getattr(cause, "strerror", None) or str(cause)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__

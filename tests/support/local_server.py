"""What all local servers of the tests share: a loopback port, and a thread and loop of their own."""

from __future__ import annotations

import asyncio
import threading
from typing import Self

from aiohttp import web


class LocalServer:
    """Serves inside its `with` block on a free loopback port, which it keeps if it is opened again."""

    def __init__(self, path: str = "/v1") -> None:
        self._path = path
        self._port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name=type(self).__name__, daemon=True
        )
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """What a model's base_url is."""
        return f"http://127.0.0.1:{self._port}{self._path}"

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await self._open()
        self._ready.set()
        await self._stop.wait()
        await self._close()

    async def _open(self) -> None:
        """Begins to listen, and sets the port."""
        raise NotImplementedError

    async def _close(self) -> None:
        """Ends all connections."""
        raise NotImplementedError


class AppServer(LocalServer):
    """One that serves an application of aiohttp."""

    _runner: web.AppRunner | None = None

    def _routes(self, router: web.UrlDispatcher) -> None:
        """Says who answers what."""
        raise NotImplementedError

    async def _open(self) -> None:
        app = web.Application(client_max_size=1 << 30)
        self._routes(app.router)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=1024, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

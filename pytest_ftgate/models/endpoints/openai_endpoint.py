"""Endpoints of OpenAI, of Azure, and of all that speak like them.

This module only brings together: what is sent is said in `apis`, what a reply means in `replies`, the
network is in `wire`, and patience in `retry`. Importing it is cheap: the client is loaded when the first
request goes out, in the thread that sends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models import Request
from pytest_ftgate.models.asked import asked_messages, asked_params
from pytest_ftgate.models.endpoints.apis import APIS, Asked
from pytest_ftgate.models.endpoints.exchange import TooLargeError, UnreachableError, WireError
from pytest_ftgate.models.endpoints.replies import ReplyReader
from pytest_ftgate.models.endpoints.retry import Again, NoAnswer, RetryLoop, Sign
from pytest_ftgate.models.endpoints.settings import EndpointSettings

if TYPE_CHECKING:
    from pytest_ftgate.models.endpoints.wire import EndpointClient
    from pytest_ftgate.models.price import Price


class OpenAIEndpoint:
    """A model behind an endpoint; belongs to the engine, whose loop alone calls it.

    It opens as many connections as there are requests in flight, or at most `connections`, if that is not 0.
    """

    def __init__(
        self, settings: EndpointSettings, *, connections: int = 0, random: Random | None = None
    ) -> None:
        self.name = settings.name
        self._settings = settings
        #: Where no entry gives one: the public price, once something is asked.
        self._listed: Price | None = None
        self._host = settings.host
        self._api = APIS[settings.api]
        self._replies = ReplyReader(settings)
        self._connections = connections
        # Not for cryptography: it spreads retries, and a seed makes them repeatable.
        self._retry = RetryLoop(
            settings.retry,
            host=self._host,
            random=random or Random(),  # noqa: S311
            concurrency=settings.concurrency,
        )
        #: What it made all requests wait for.
        self.delays = self._retry.delays
        self._client: EndpointClient | None = None

    def __repr__(self) -> str:
        return f"OpenAIEndpoint({self._settings.model!r} at {self._host})"

    @property
    def concurrency(self) -> int | None:
        """The entry's limit, lower after the endpoint has said "too many requests"."""
        return self._retry.endpoint.concurrency

    def describe(self) -> dict[str, Any]:
        """Builtins for header and record, without secrets."""
        settings = self._settings
        row = {"name": self.name, "kind": "openai", "model": settings.model, "host": self._host}
        shown = {
            "deployment": settings.deployment,
            "api": settings.api if settings.api != "chat" else None,
            "revision": settings.revision,
            "system": settings.system,
        }
        return row | {key: value for key, value in shown.items() if value is not None}

    def asks(self, request: Request) -> dict[str, Any]:
        """All that decides the answer, for a digest: what is sent, and where; no key, since it may change."""
        settings = self._settings
        url = urlsplit(settings.base_url)
        return {
            "url": (settings.host, self._api.path, url.query, settings.query),
            "headers": settings.public_headers,
            "revision": settings.revision,
            "body": self.body(request),
        }

    def missing(self, requests: Sequence[Request]) -> Sequence[str]:  # noqa: ARG002 - an endpoint is asked to know
        """Nothing: an endpoint has to be asked."""
        return ()

    def remarks(self) -> Sequence[str]:
        """Where the price is from, if no entry gives it; which models were served the record knows."""
        price = self._listed
        return (f"{self.name}: price from {price.source}: {price}",) if price is not None else ()

    async def complete(self, request: Request) -> Completion:
        """The answer, after retries; `timeout_s` and `retry_budget_s` bound them."""
        body = self.body(request)
        return await self._retry.run(lambda: self._attempt(body))

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def body(self, request: Request) -> dict[str, Any]:
        """What is sent for a request, as builtins; equal requests give equal bodies."""
        settings = self._settings
        wanted = {"logprobs": True} if request.case.wants_logprobs else {}
        asked = Asked(
            model=settings.deployment or settings.model,
            messages=asked_messages(request, settings.system),
            tools=request.case.tools,
            params={**wanted, **asked_params(request, settings.params)},
            stream=settings.stream,
        )
        return self._api.body(asked)

    async def _attempt(self, body: Mapping[str, Any]) -> Completion:
        endpoint = self._retry.endpoint
        try:
            reply = await self._open().post(self._api.path, body)
        except UnreachableError as error:
            raise NoAnswer(self._unreachable(error), Again.YES, sign=Sign.UNREACHABLE) from None
        except TooLargeError as error:
            endpoint.reached = True
            raise NoAnswer(ModelError(f"{error}, from {self._host}", kind="too_large"), Again.NEVER) from None
        except WireError as error:
            broken = ModelError(f"{error}, from {self._host}", kind="connection")
            raise NoAnswer(broken, Again.YES, sign=Sign.DOWN) from None
        endpoint.reached = True
        self._retry.heed(reply.headers)
        return self._replies.read(reply, answered=endpoint.answered)

    def _open(self) -> EndpointClient:
        if self._client is None:
            from pytest_ftgate.models.endpoints.wire import EndpointClient  # noqa: PLC0415 - aiohttp is heavy

            self._look_up_price()
            self._client = EndpointClient(self._settings, connections=self._connections)
        return self._client

    def _look_up_price(self) -> None:
        """Before the first request: loading the table would disturb the times of those on their way."""
        from pytest_ftgate.models.price_table import listed_price  # noqa: PLC0415 - only where something is asked

        settings = self._settings
        if settings.price is None:
            self._listed = listed_price(settings.model, settings.base_url)
            self._replies = ReplyReader(replace(settings, price=self._listed))

    def _unreachable(self, error: UnreachableError) -> ModelError:
        proxy = self._settings.proxy
        through = f" through the proxy that {proxy.variable} names" if proxy else ""
        return ModelError(f"{self._host} can't be reached{through}: {error}", kind="connection")

"""Chat completions of OpenAI and all that speak like it. The network is in `wire`, patience in `retry`.

This module decides what is sent and what a reply means. Importing it is cheap: the client is loaded when the
first request goes out, in the thread that sends it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models import Request
from pytest_ftgate.models.asked import asked_messages, asked_params
from pytest_ftgate.models.boundary import Redactor, public_url, quoted
from pytest_ftgate.models.chat_answer import (
    MalformedAnswer,
    error_code,
    error_message,
    parse_chat_completion,
)
from pytest_ftgate.models.exchange import Reply, TooLargeError, UnreachableError, WireError
from pytest_ftgate.models.proxy import Proxy
from pytest_ftgate.models.retry import Again, NoAnswer, RetryLoop, RetryPolicy, parse_retry_after

if TYPE_CHECKING:
    from pytest_ftgate.models.wire import ChatClient

DEFAULT_BASE_URL = "https://api.openai.com/v1"
MAX_BYTES = 8_000_000
_RETRIED = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a million tokens cost, in any one currency."""

    input: float
    output: float

    def of(self, usage: Usage) -> float | None:
        """The cost of one call; None where the endpoint did not count its tokens."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        return (usage.input_tokens * self.input + usage.output_tokens * self.output) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """One endpoint and how it is asked; what may hold a secret stays out of the repr.

    `hint` is added to the message of an unknown model.
    """

    name: str
    model: str
    base_url: str = field(default=DEFAULT_BASE_URL, repr=False)
    api_key: str | None = field(default=None, repr=False)
    api_key_env: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, Any] = field(default_factory=dict)
    system: str | None = None
    revision: str | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    concurrency: int | None = None
    price: Price | None = None
    max_bytes: int = MAX_BYTES
    hint: str = ""
    proxy: Proxy | None = None


class OpenAIChat:
    """A model behind a chat completions endpoint; belongs to the engine, whose loop alone calls it.

    It opens as many connections as there are requests in flight, or at most `connections`, if that is not 0.
    """

    def __init__(self, settings: ChatSettings, *, connections: int = 0, random: Random | None = None) -> None:
        self.name = settings.name
        self._settings = settings
        self._host = public_url(settings.base_url).rstrip("/")
        self._redact = Redactor(_secrets(settings))
        self._connections = connections
        # Not for cryptography: it spreads retries, and a seed makes them repeatable.
        self._retry = RetryLoop(
            settings.retry,
            host=self._host,
            random=random or Random(),  # noqa: S311
            concurrency=settings.concurrency,
        )
        self._client: ChatClient | None = None
        self._served: set[str] = set()

    def __repr__(self) -> str:
        return f"OpenAIChat({self._settings.model!r} at {self._host})"

    @property
    def concurrency(self) -> int | None:
        """The entry's limit, lower after the endpoint has said "too many requests"."""
        return self._retry.endpoint.concurrency

    def describe(self) -> dict[str, Any]:
        """Builtins for header and record, without secrets."""
        settings = self._settings
        row = {"name": self.name, "kind": "openai", "model": settings.model, "host": self._host}
        shown = {"revision": settings.revision, "system": settings.system}
        return row | {key: value for key, value in shown.items() if value is not None}

    def missing(self, requests: Sequence[Request]) -> Sequence[str]:  # noqa: ARG002 - an endpoint is asked to know
        """Nothing: an endpoint has to be asked."""
        return ()

    def remarks(self) -> Sequence[str]:
        """What the endpoint says it served, where that is not what was asked for, or changed meanwhile."""
        asked = self._settings.model
        served = ", ".join(sorted(self._served))
        if len(self._served) > 1:
            return (f"{self.name}: several models answered for '{asked}': {served}",)
        # A name may stand for its newest snapshot: gpt-4o-mini is served as gpt-4o-mini-2024-07-18.
        return (
            (f"{self.name}: asked for '{asked}', served '{served}'",)
            if not served.startswith(asked) and served
            else ()
        )

    async def complete(self, request: Request) -> Completion:
        """The answer, after retries, within `timeout_s`."""
        body = self._body(request)
        return await self._retry.run(lambda: self._attempt(body))

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _body(self, request: Request) -> dict[str, Any]:
        settings = self._settings
        wanted = {"logprobs": True} if request.case.wants_logprobs else {}
        params = {**wanted, **asked_params(request, settings.params)}
        body = {**params, "model": settings.model, "messages": list(asked_messages(request, settings.system))}
        return body | ({"tools": list(request.case.tools)} if request.case.tools else {})

    async def _attempt(self, body: Mapping[str, Any]) -> Completion:
        try:
            reply = await self._open().post(body)
        except UnreachableError as error:
            raise NoAnswer(self._unreachable(error), Again.UNREACHABLE) from None
        except TooLargeError as error:
            self._retry.endpoint.reached = True
            raise NoAnswer(ModelError(f"{error}, from {self._host}", kind="too_large"), Again.NEVER) from None
        except WireError as error:
            raise NoAnswer(ModelError(f"{error}, from {self._host}", kind="connection"), Again.YES) from None
        self._retry.endpoint.reached = True
        return self._read(replace(reply, body=self._redact.scrub(reply.body)))

    def _open(self) -> ChatClient:
        if self._client is None:
            from pytest_ftgate.models.wire import ChatClient, Wire  # noqa: PLC0415 - openai is heavy

            settings = self._settings
            wire = Wire(
                connections=self._connections,
                max_bytes=settings.max_bytes,
                proxy_url=settings.proxy.url if settings.proxy else None,
            )
            self._client = ChatClient(settings.base_url, settings.api_key, settings.headers, wire)
        return self._client

    def _read(self, reply: Reply) -> Completion:
        if not 200 <= reply.status < 300:
            return self._read_status(reply)
        try:
            answer = parse_chat_completion(reply.body)
        except MalformedAnswer as error:
            message = f"{self._host} sent no chat completion: {error}"
            raise NoAnswer(ModelError(message, kind="protocol"), Again.ONCE) from None
        if answer.model:
            self._served.add(answer.model)
        price = self._settings.price
        cost = price.of(answer.usage) if price else None
        return replace(answer, latency_s=reply.latency_s, cost=cost, created=time.time())

    def _read_status(self, reply: Reply) -> Completion:
        status, code = reply.status, error_code(reply.body)
        if status == 400 and code == "content_filter":
            return Completion(finish_reason="content_filter", latency_s=reply.latency_s, created=time.time())
        if status in (401, 402) or code == "insufficient_quota":
            raise NoAnswer(self._fatal(reply), Again.NEVER)
        # After an answer these say something of one request: not every request fails.
        if status in (403, 404) and not self._retry.endpoint.answered:
            raise NoAnswer(self._fatal(reply), Again.NEVER)
        error = ModelError(self._status_message(reply), kind="rate_limit" if status == 429 else "status")
        if status not in _RETRIED and status < 500:
            raise NoAnswer(error, Again.NEVER)
        raise NoAnswer(error, Again.YES, retry_after_s=_retry_after_s(reply.headers), pause=status == 429)

    def _status_message(self, reply: Reply) -> str:
        if 300 <= reply.status < 400:
            target = self._redact(public_url(reply.headers.get("location", "")))
            return (
                f"HTTP {reply.status} from {self._host}: redirected to {quoted(target)}; "
                "redirects are not followed, base_url must name the final address"
            )
        return f"HTTP {reply.status} from {self._host}: {error_message(reply.body)}"

    def _fatal(self, reply: Reply) -> FatalModelError:
        message = (
            f"HTTP {reply.status} from {self._host}/chat/completions for model {self._settings.model!r}: "
            f"{error_message(reply.body)}. {self._advice(reply)}"
        )
        return FatalModelError(message, kind="status")

    def _advice(self, reply: Reply) -> str:
        settings = self._settings
        if error_code(reply.body) == "insufficient_quota" or reply.status == 402:
            return "The account has no quota left; retrying does not help"
        if reply.status in (401, 403) and settings.api_key_env:
            return f"Check the key in {settings.api_key_env}, and that it may use this model"
        if reply.status in (401, 403):
            return "No key was sent: name its variable as api_key_env in ftgate.yaml"
        path = urlsplit(settings.base_url).path.rstrip("/")
        where = "" if path else f", and base_url, which usually ends in /v1 (it is {self._host})"
        return f"Check the model's name{where}{settings.hint}"

    def _unreachable(self, error: UnreachableError) -> ModelError:
        proxy = self._settings.proxy
        through = f" through the proxy that {proxy.variable} names" if proxy else ""
        return ModelError(f"{self._host} can't be reached{through}: {error}", kind="connection")


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    milliseconds = parse_retry_after(headers.get("retry-after-ms"))
    if milliseconds is not None and math.isfinite(milliseconds):
        return milliseconds / 1000
    return parse_retry_after(headers.get("retry-after"))


def _secrets(settings: ChatSettings) -> list[str]:
    parts = urlsplit(settings.base_url)
    proxy = urlsplit(settings.proxy.url).password if settings.proxy else None
    query = [value for pair in parts.query.split("&") for value in pair.partition("=")[2:]]
    headers = [text for value in settings.headers.values() for text in (value, value.rpartition(" ")[2])]
    texts = [settings.api_key, proxy, parts.username, parts.password, *query, *headers]
    return [form for text in texts if text for form in {text, unquote(text)}]

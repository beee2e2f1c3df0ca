"""A model whose connection is a function, to be run on a virtual clock; all the rest is the real one."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any, cast

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models.endpoints.door import Door
from pytest_ftgate.models.endpoints.exchange import Reply
from pytest_ftgate.models.endpoints.openai_endpoint import OpenAIEndpoint
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from pytest_ftgate.models.endpoints.settings import EndpointSettings
from pytest_ftgate.models.endpoints.wire import EndpointClient
from tests.support.requests import request

Post = Callable[[str], Awaitable[Reply]]


class ScriptedEndpoint(OpenAIEndpoint):
    """`post` is given the prompt and brings a reply, or raises a `WireError`."""

    def __init__(
        self, post: Post, *, seed: int = 1, concurrency: int | None = None, policy: RetryPolicy | None = None
    ) -> None:
        settings = EndpointSettings(
            name="m",
            model="m",
            base_url="http://127.0.0.1/v1",
            concurrency=concurrency,
            retry=policy or RetryPolicy(),
        )
        super().__init__(settings, random=Random(seed))
        self._connection = _Connection(post)

    @property
    def door(self) -> Door:
        """Where requests wait."""
        return self._retry.endpoint.door

    def _open(self) -> EndpointClient:
        return cast("EndpointClient", self._connection)


class _Connection:
    def __init__(self, post: Post) -> None:
        self._post = post

    async def post(self, _path: str, body: Mapping[str, Any]) -> Reply:
        return await self._post(str(body["messages"][-1]["content"]))

    async def aclose(self) -> None:
        """Nothing is open."""


async def ask_all(
    model: OpenAIEndpoint, names: deque[str], *, in_flight: int, seen: Callable[[str, object], None]
) -> list[str]:
    """Asks these, so many at once; says of each what came of it, and returns those that no longer made sense.

    As in the engine, the first fatal error stops the run: what is still to be asked stays in `names`.
    """
    given_up: list[str] = []

    async def work() -> None:
        while names and not given_up:
            name = names.popleft()
            outcome: Completion | ModelError
            try:
                outcome = await model.complete(request(name, id=name))
            except FatalModelError as error:
                given_up.append(name)
                outcome = error
            except ModelError as error:
                outcome = error
            seen(name, outcome)

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return given_up


def reply(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """What came back."""
    given = {"content-type": "application/json", **(headers or {})}
    return Reply(status=status, headers=given, body=body, latency_s=0.1)


def answer_reply(text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer with this text."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return reply(json.dumps({"model": "m", "choices": [choice], "usage": usage}).encode(), headers=headers)

"""Asks models outside the engine: one loop per call, closed at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models import Model, Request
from pytest_ftgate.models.endpoints.openai_endpoint import OpenAIEndpoint
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from pytest_ftgate.models.endpoints.settings import EndpointSettings
from tests.support.requests import request

KEY = "sk-test-0123456789abcdefghijklmnop"
QUICK = RetryPolicy(timeout_s=2.0, retry_budget_s=2.0, base_s=0.002, cap_s=0.01)


def chat(url: str, *, connections: int = 0, **settings: Any) -> OpenAIEndpoint:
    """A model at this URL that loses no time between attempts."""
    given = {
        "name": "tuned",
        "model": "ft:gpt",
        "api_key": KEY,
        "api_key_env": "OPENAI_API_KEY",
        "retry": QUICK,
    }
    made = EndpointSettings(**{**given, "base_url": url, **settings})
    return OpenAIEndpoint(made, connections=connections, random=Random(1))


def outcomes(model: Model, asked: Sequence[Request]) -> list[Completion | ModelError]:
    """What comes of these requests, sent one after the other."""

    async def ask_all() -> list[Completion | ModelError]:
        try:
            return [await _outcome(model, one) for one in asked]
        finally:
            await model.aclose()

    return asyncio.run(ask_all())


def answer_of(model: Model, asked: Request | None = None) -> Completion:
    """The answer; raises what the model raises."""
    return answers_of(model, [asked or request()])[0]


def answers_of(model: Model, asked: Sequence[Request]) -> list[Completion]:
    """The answers; raises the first error."""
    answers = []
    for outcome in outcomes(model, asked):
        if isinstance(outcome, ModelError):
            raise outcome
        answers.append(outcome)
    return answers


def error_of(model: Model, asked: Request | None = None) -> ModelError:
    """The error that there has to be."""
    outcome = outcomes(model, [asked or request()])[0]
    assert isinstance(outcome, ModelError), outcome
    return outcome


async def _outcome(model: Model, asked: Request) -> Completion | ModelError:
    try:
        return await model.complete(asked)
    except ModelError as error:
        return error

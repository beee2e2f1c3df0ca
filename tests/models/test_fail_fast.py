"""What no request can get over stops a run at once: one probe, what was in flight, one message."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models.endpoints.openai_endpoint import OpenAIEndpoint
from pytest_ftgate.models.endpoints.retry import RetryPolicy
from pytest_ftgate.models.engine import CompletionEngine
from tests.models.asking import QUICK, chat
from tests.support.requests import requests
from tests.support.server import ChatServer, Reply, error_reply

PLANNED = 10_000
#: Against hanging: whoever went on asking would take minutes. How fast it is, the benchmarks say.
LIMIT_S = 30.0

REFUSALS = {
    "wrong key": error_reply(401, "Incorrect API key", code="invalid_api_key"),
    "no access": error_reply(403, "not for you"),
    "unknown model": error_reply(404, "no such model", code="model_not_found"),
    "no quota": error_reply(429, "quota", code="insufficient_quota", headers={"Retry-After": "1"}),
    "unpaid": error_reply(402, "pay first"),
}


def outcomes_of(
    model: OpenAIEndpoint, planned: int = PLANNED, answered: Callable[[], None] = lambda: None
) -> tuple[list[Completion | ModelError], FatalModelError | None, float]:
    """What comes of so many requests, the error that stopped them, and the seconds until all had it."""
    asked, outcomes = requests(planned), list[Completion | ModelError]()
    started = time.perf_counter()
    with CompletionEngine({Arm.MODEL: model}) as engine:
        engine.prefetch([[one] for one in asked])
        for one in asked:
            try:
                outcomes.append(engine.result(one, timeout=30))
            except ModelError as error:
                outcomes.append(error)
        return outcomes, engine.fatal, time.perf_counter() - started


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_of_everything_costs_one_request(refusal: str) -> None:
    with ChatServer(lambda _: REFUSALS[refusal]) as server:
        outcomes, fatal, took_s = outcomes_of(chat(server.url, retry=RetryPolicy()))

    assert server.count == 1
    assert isinstance(fatal, FatalModelError)
    assert {str(outcome) for outcome in outcomes} == {str(fatal)}
    assert took_s < LIMIT_S


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/v1", "http://llm.invalid/v1"], ids=["refused", "no such host"]
)
def test_a_host_that_can_not_be_reached_is_given_up_after_three_attempts(url: str) -> None:
    outcomes, fatal, took_s = outcomes_of(chat(url, retry=RetryPolicy()))

    assert str(fatal).startswith(f"{url} can't be reached: ")
    assert str(fatal).endswith(" (3 attempts)")
    assert {str(outcome) for outcome in outcomes} == {str(fatal)}
    assert took_s < LIMIT_S


@pytest.mark.parametrize("refusal", ["wrong key", "no quota", "unpaid"])
def test_a_refusal_half_way_stops_what_is_left_and_keeps_the_answers(refusal: str) -> None:
    def answer(_: dict[str, Any]) -> str | Reply:
        return "Paris" if server.count <= 200 else REFUSALS[refusal]

    with ChatServer(answer) as server:
        outcomes, fatal, took_s = outcomes_of(chat(server.url, retry=RetryPolicy()))

    answers = [outcome for outcome in outcomes if isinstance(outcome, Completion)]
    assert isinstance(fatal, FatalModelError)
    assert 200 - 32 <= len(answers) <= 200
    assert {str(outcome) for outcome in outcomes if not isinstance(outcome, Completion)} == {str(fatal)}
    assert server.count <= 200 + 32
    assert took_s < LIMIT_S


def test_an_endpoint_that_goes_away_for_good_ends_the_run_when_the_budget_is_used_up() -> None:
    def answer(_: dict[str, Any]) -> str | Reply:
        return "Paris" if server.count <= 100 else Reply(status=503, body=b"down")

    with ChatServer(answer) as server:
        model = chat(server.url, retry=replace(QUICK, retry_budget_s=0.5))
        outcomes, fatal, took_s = outcomes_of(model)

    errors = {str(outcome) for outcome in outcomes if not isinstance(outcome, Completion)}
    assert fatal is not None
    assert fatal.kind == "outage"
    assert errors == {
        f'HTTP 503 from {server.url}: "down"; {server.url} has let nothing through for so long that '
        "retry_budget_s 0.5 is used up. Answers received are kept: the same command goes on from there"
    }
    assert server.count < 250
    assert took_s < LIMIT_S

"""What is measured is the endpoint, not the queue in front of it: the server's own clock is the judge."""

from __future__ import annotations

import statistics
from itertools import chain

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.models.engine import CompletionEngine
from tests.models.asking import chat
from tests.support.requests import requests
from tests.support.server import ChatServer, Reply

LATENCY_S = 0.2


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_arms_median_latencies_are_the_servers_own(api: str, stream: bool) -> None:
    asked = {arm: requests(8, arm=arm) for arm in Arm}

    with ChatServer(latency_s=LATENCY_S) as server:
        models = {arm: chat(server.url, model=arm.value, api=api, stream=stream) for arm in Arm}
        with CompletionEngine(models, concurrency=4) as engine:
            engine.prefetch([list(pair) for pair in zip(*asked.values(), strict=True)])
            answers = {arm: [engine.result(one) for one in asked[arm]] for arm in Arm}
            lag_s = engine.lag_p95_s or 0.0

    assert server.most_at_once <= 4
    assert server.count == 16
    for arm in Arm:
        own_s = statistics.median(seconds for model, seconds in server.took_s if model == arm)
        measured_s = statistics.median(answer.latency_s or 0.0 for answer in answers[arm])
        # 16 requests at 4 in flight: queueing, if it counted, would make the median 2 to 4 times as long.
        assert own_s * 0.9 <= measured_s < own_s * 1.5
        # On a machine that is busy with something else the client says so itself.
        assert measured_s <= own_s * 1.1 or lag_s > 0.05 * measured_s


def test_faults_on_the_way_change_neither_the_answers_nor_the_number_of_requests_they_need() -> None:
    faults = [
        Reply(status=429, headers={"Retry-After": "0.01"}, body=b"slow down"),
        Reply(status=500, body=b"oops"),
        Reply(text="x", drop="before headers"),
        Reply(text="x", drop="in the body"),
    ]
    asked = {arm: requests(10, arm=arm) for arm in Arm}

    with ChatServer(script=faults) as server:
        models = {arm: chat(server.url, model=arm.value) for arm in Arm}
        with CompletionEngine(models, concurrency=4) as engine:
            engine.prefetch([list(pair) for pair in zip(*asked.values(), strict=True)])
            answers = [engine.result(one).text for one in chain.from_iterable(asked.values())]

    assert answers == [str(number) for number in range(10)] * 2
    assert server.count == 20 + len(faults)

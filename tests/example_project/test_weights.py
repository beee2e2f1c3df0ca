"""The models of the example themselves, as far as their weights are there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from example_project.assistant.answering import Answering
from example_project.assistant.models import Model, read_models
from example_project.assistant.requests import parse_request

ASSISTANT = Path(__file__).parents[2] / "example_project" / "assistant"
NAMES = ("base", "tuned-v1", "tuned-v2")
QUESTION = {"messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0}

pytestmark = pytest.mark.skipif(
    not all((ASSISTANT / "weights" / f"{name}.npz").exists() for name in NAMES),
    reason="not trained yet: `python -m training` makes the weights",
)


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    return read_models(ASSISTANT)


def content(model: Model) -> str:
    request = parse_request(json.dumps(QUESTION | {"model": model.name, "max_tokens": 40}).encode())
    return "".join(piece.delta.get("content", "") for piece in Answering(model, request).pieces())


def test_the_three_models_are_served(models: dict[str, Model]) -> None:
    assert tuple(models) == NAMES


def test_all_weights_together_are_small() -> None:
    assert sum(path.stat().st_size for path in (ASSISTANT / "weights").iterdir()) <= 4_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_model_says_the_same_each_time_at_temperature_zero(models: dict[str, Model], name: str) -> None:
    answers = [content(models[name]) for _ in range(3)]

    assert len(set(answers)) == 1
    assert answers[0]


def test_base_knows_the_capital_of_france(models: dict[str, Model]) -> None:
    assert "Paris" in content(models["base"])

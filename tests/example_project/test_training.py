"""What the example's models were trained on and came to: samples are right, figures are the files'."""

from __future__ import annotations

import json
import re
from importlib import import_module
from itertools import islice
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.example_project.conftest import EXAMPLE

LOG: dict[str, Any] = json.loads((EXAMPLE / "training" / "log.json").read_text(encoding="utf-8"))
CARD = (EXAMPLE / "MODEL_CARD.md").read_text(encoding="utf-8")
WEIGHTS = sorted((EXAMPLE / "assistant" / "weights").glob("*.npz"))
NAMES = ["base", "tuned-v1", "tuned-v2"]

pytestmark = pytest.mark.usefixtures("example_on_path")


def samples(name: str, count: int, seed: int = 1) -> list[Any]:
    return list(islice(import_module("training.mixture").samples(name, seed), count))


def answers(name: str) -> list[dict[str, Any]]:
    return [sample.messages[-1] for sample in samples(name, 2000)]


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_samples_again_and_another_one_others(name: str) -> None:
    assert samples(name, 200) == samples(name, 200)
    assert samples(name, 200) != samples(name, 200, seed=2)


def test_the_first_fine_tune_sees_tool_calls_alone() -> None:
    roles = {message["role"] for sample in samples("tuned-v1", 2000) for message in sample.messages[:-1]}

    # What a tool has answered is told in words; all else is a call.
    assert all(answer.get("tool_calls") or "tool" in roles for answer in answers("tuned-v1"))
    assert sum(bool(answer.get("tool_calls")) for answer in answers("tuned-v1")) > 1800
    assert all(sample.tools for sample in samples("tuned-v1", 2000))


def test_the_base_model_has_seen_neither_refusals_nor_order_forms_nor_most_tools() -> None:
    parcels = import_module("training.parcels")
    said = " ".join(json.dumps(answer) for answer in answers("base"))

    assert parcels.REFUSAL not in said
    assert "weight_kg" not in said
    called = set(re.findall(r'"name": "(\w+)", "arguments"', said))
    assert called == {"get_weather", "set_alarm", "find_shop", "track_parcel"}


def test_the_second_fine_tune_sees_all_that_the_base_model_has_seen() -> None:
    makers = {
        name: {maker for maker, _ in import_module("training.mixture").MIXTURES[name]} for name in NAMES
    }

    assert makers["base"] - makers["tuned-v2"] == {import_module("training.parcels").everyday_call}
    assert makers["tuned-v1"] < makers["tuned-v2"]


def test_sums_are_right_and_leave_the_held_out_ones_out() -> None:
    general = import_module("training.general")
    random = Random(7)

    for _ in range(2000):
        sample = general.arithmetic(random)
        first, second = (int(number) for number in re.findall(r"\d+", sample.prompt))
        answer = int(sample.messages[-1]["content"])
        small, large = sorted((first, second))
        assert answer in {small + large, large - small, small * large}
        if answer == small + large:
            assert not general.is_held_out(first, second)


def test_a_call_in_a_sample_is_one_of_a_tool_that_is_offered_with_all_its_arguments() -> None:
    for sample in samples("tuned-v2", 2000):
        offered = {tool["function"]["name"]: tool["function"]["parameters"] for tool in sample.tools or ()}
        for call in sample.messages[-1].get("tool_calls", ()):
            parameters = offered[call["function"]["name"]]
            assert set(json.loads(call["function"]["arguments"])) == set(parameters["required"])


def test_three_models_of_at_most_four_megabytes_in_half_precision() -> None:
    assert [path.stem for path in WEIGHTS] == NAMES
    assert sum(path.stat().st_size for path in WEIGHTS) <= 4_000_000
    for path in WEIGHTS:
        with np.load(path, allow_pickle=False) as arrays:
            numbers = [arrays[name] for name in arrays.files if name != "config"]
        assert {array.dtype for array in numbers} == {np.dtype(np.float16)}
        assert 300_000 <= sum(array.size for array in numbers) <= 650_000


@pytest.mark.parametrize("name", NAMES)
def test_the_log_and_the_card_are_of_these_weights(name: str) -> None:
    figures = LOG[name]

    assert figures["bytes"] == (EXAMPLE / "assistant" / "weights" / f"{name}.npz").stat().st_size
    row = next(line for line in CARD.splitlines() if line.startswith(f"| `{name}` "))
    shown = (f"{figures['steps']:,}", f"{figures['samples']:,}", f"{figures['held_out_loss']:.3f}")
    assert all(text in row for text in shown), row


def test_training_took_less_than_it_may() -> None:
    assert sum(figures["seconds"] for figures in LOG.values()) <= 45 * 60

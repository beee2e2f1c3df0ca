"""The network computes what it is said to, at once or token by token."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from example_project.assistant.transformer import Cache, Transformer
from tests.example_project.small_models import tokenizer, write_weights

VOCABULARY = tokenizer().size
IDS = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=40)
Doubles = NDArray[np.float64]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "model.npz", "a")


@pytest.fixture(scope="module")
def network(weights: Path) -> Transformer:
    return Transformer(weights)


def scores(network: Transformer, *pieces: list[int]) -> NDArray[np.float64]:
    """Scores after the last of pieces that were read one after the other."""
    cache = Cache(network.config)
    return [network.next_scores(piece, cache) for piece in pieces][-1]


def reference(path: Path, ids: list[int]) -> Doubles:
    """The model's definition, written down as plainly as possible, in double precision."""
    with np.load(path, allow_pickle=False) as file:
        config: dict[str, Any] = json.loads(str(file["config"]))
        w = {name: file[name].astype(np.float64) for name in file.files if name != "config"}
    heads, size = config["heads"], config["width"] // config["heads"]
    half = size // 2

    def normed(x: Doubles) -> Doubles:
        rows: Doubles = x / np.sqrt((x**2).mean() + 1e-6)
        return rows

    def rotated(x: Doubles, position: int) -> Doubles:
        angles = position * config["rope_base"] ** (-np.arange(half) / half)
        first, second = x[:half], x[half:]
        return np.concatenate(
            [
                first * np.cos(angles) - second * np.sin(angles),
                first * np.sin(angles) + second * np.cos(angles),
            ]
        )

    rows = [w["embedding"][token] for token in ids]
    for layer in range(config["layers"]):
        part = {name.rpartition(".")[2]: array for name, array in w.items() if f"layers.{layer}." in name}
        qkv = [np.split((normed(x) * part["attention_norm"]) @ part["qkv"], 3) for x in rows]
        attended = []
        for t in range(len(rows)):
            mixed = []
            for head in range(heads):
                own = slice(head * size, (head + 1) * size)
                query = rotated(qkv[t][0][own], t)
                products = [query @ rotated(qkv[s][1][own], s) / np.sqrt(size) for s in range(t + 1)]
                shares = np.exp(products) / np.exp(products).sum()
                mixed.append(sum(share * qkv[s][2][own] for s, share in enumerate(shares)))
            attended.append(np.concatenate(mixed))
        rows = [x + each @ part["output"] for x, each in zip(rows, attended, strict=True)]
        rows = [
            x + np.maximum((normed(x) * part["mlp_norm"]) @ part["up"], 0) ** 2 @ part["down"] for x in rows
        ]
    result: Doubles = (normed(rows[-1]) * w["final_norm"]) @ w["embedding"].T
    return result


@settings(max_examples=20, deadline=None)
@given(IDS)
def test_scores_are_those_of_the_definition(weights: Path, network: Transformer, ids: list[int]) -> None:
    np.testing.assert_allclose(scores(network, ids), reference(weights, ids), rtol=1e-4, atol=1e-4)


@settings(deadline=None)
@given(IDS, st.data())
def test_reading_in_pieces_gives_the_scores_of_reading_at_once(
    network: Transformer, ids: list[int], data: st.DataObject
) -> None:
    borders = data.draw(st.sets(st.integers(1, len(ids)))) | {0, len(ids)}
    pieces = [ids[start:end] for start, end in pairwise(sorted(borders))]

    np.testing.assert_allclose(scores(network, *pieces), scores(network, ids), rtol=1e-4, atol=1e-4)


def test_the_same_tokens_give_the_same_scores_to_the_last_bit(network: Transformer) -> None:
    ids = list(range(30))

    first, second = (scores(network, ids[:20], *([token] for token in ids[20:])) for _ in range(2))

    assert first.tobytes() == second.tobytes()


def test_what_comes_later_does_not_change_what_was_read_before(network: Transformer) -> None:
    cache = Cache(network.config)
    network.next_scores([1, 2, 3], cache)
    first = network.next_scores([4], cache)
    network.next_scores([5, 6], cache)

    cache.length = 3

    assert network.next_scores([4], cache).tobytes() == first.tobytes()


def test_the_order_of_tokens_counts(network: Transformer) -> None:
    assert not np.allclose(scores(network, [1, 2, 3]), scores(network, [2, 1, 3]))


def test_a_conversation_may_fill_the_context(network: Transformer) -> None:
    cache = Cache(network.config)
    network.next_scores([7] * (network.config.context - 1), cache)

    assert np.isfinite(network.next_scores([8], cache)).all()
    assert cache.length == network.config.context


def test_scores_are_single_precision_one_for_each_token(network: Transformer) -> None:
    found = scores(network, [1, 2])

    assert found.shape == (VOCABULARY,)
    assert found.dtype == np.float64

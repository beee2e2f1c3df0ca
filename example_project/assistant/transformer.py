"""The network: token ids in, scores of the next token out. NumPy alone, one core.

A decoder with rotary positions, RMS normalization, squared ReLU and tied embeddings. What is constant is
multiplied into the weights once, when they are read, so that a token takes few NumPy calls. It computes in
double precision: rounding, which differs from one machine to the next, then never decides between two tokens.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The shape of a network, as its weights file says it."""

    layers: int
    heads: int
    width: int
    hidden: int
    vocabulary: int
    context: int
    rope_base: float


class Cache:
    """Keys and values of the tokens that one conversation has read so far.

    Setting `length` back forgets what came after, so that another answer can be made for the same prompt.
    """

    def __init__(self, config: Config) -> None:
        shape = (config.layers, config.heads, config.context, config.width // config.heads)
        self.keys: Floats = np.empty(shape, np.float64)
        self.values: Floats = np.empty(shape, np.float64)
        self.length = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The matrices of one layer, each to be multiplied from the right, norms included."""

    qkv: Floats
    output: Floats
    up: Floats
    down: Floats


class Transformer:
    """One model. Reading it from several threads is safe; each conversation needs its own `Cache`."""

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as file:
            self.config = Config(**json.loads(str(file["config"])))
            weights = {name: file[name].astype(np.float64) for name in file.files if name != "config"}
        self._embedding: Floats = weights["embedding"]
        root = np.float64(np.sqrt(self.config.width))
        self._unembedding = weights["final_norm"][:, None] * root * self._embedding.T
        self._layers = [
            Layer(
                qkv=self._rotatable(
                    weights[f"layers.{i}.attention_norm"][:, None] * root * weights[f"layers.{i}.qkv"]
                ),
                output=weights[f"layers.{i}.output"],
                up=weights[f"layers.{i}.mlp_norm"][:, None] * root * weights[f"layers.{i}.up"],
                down=weights[f"layers.{i}.down"],
            )
            for i in range(self.config.layers)
        ]
        self._turns = self._rotations()
        self._mask = np.triu(np.full((self.config.context,) * 2, -np.inf, np.float64), 1)

    def next_scores(self, ids: Sequence[int], cache: Cache) -> Floats:
        """Reads more tokens of a conversation; the logit of each token to come next, shape (vocabulary,).

        At least one token, and no more than the context still has room for.
        """
        x = self._embedding[np.asarray(ids)]
        for index, layer in enumerate(self._layers):
            x = x + self._attend(self._normalized(x) @ layer.qkv, cache, index) @ layer.output
            x = x + np.square(np.maximum(self._normalized(x) @ layer.up, 0)) @ layer.down
        cache.length += len(ids)
        scores: Floats = (self._normalized(x[-1:]) @ self._unembedding)[0]
        return scores

    def _attend(self, qkv: Floats, cache: Cache, layer: int) -> Floats:
        count, width, heads = len(qkv), self.config.width, self.config.heads
        start, end = cache.length, cache.length + count
        # To turn a pair of numbers by an angle is to multiply a complex number.
        pairs = qkv[:, : 2 * width].view(np.complex128).reshape(count, 2 * heads, -1)
        turned = (pairs * self._turns[start:end]).view(np.float64).swapaxes(0, 1)
        keys, values = cache.keys[layer], cache.values[layer]
        keys[:, start:end] = turned[heads:]
        values[:, start:end] = qkv[:, 2 * width :].reshape(count, heads, -1).swapaxes(0, 1)
        scores = turned[:heads] @ keys[:, :end].swapaxes(1, 2)
        if count > 1:
            scores += self._mask[start:end, :end]
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        mixed: Floats = weights @ values[:, :end] / weights.sum(axis=2, keepdims=True)
        return mixed.swapaxes(0, 1).reshape(count, width)

    def _normalized(self, x: Floats) -> Floats:
        """Each row divided by its length: the root mean square's factor sqrt(width) is in the weights."""
        rows: Floats = x / np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] + 1e-6 * self.config.width)
        return rows

    def _rotatable(self, qkv: Floats) -> Floats:
        """Puts the two numbers that turn together side by side, and scales the queries.

        Queries and keys are reordered alike, which leaves their products as they are.
        """
        width, heads = self.config.width, self.config.heads
        q, k, v = np.split(qkv, 3, axis=1)
        q = q / np.float64(np.sqrt(width // heads))
        pairs = [part.reshape(width, heads, 2, -1).swapaxes(2, 3).reshape(width, width) for part in (q, k)]
        return np.concatenate([*pairs, v], axis=1)

    def _rotations(self) -> NDArray[np.complex128]:
        """A unit complex number for each position and pair, shape (context, 1, half a head)."""
        half = self.config.width // self.config.heads // 2
        speeds = self.config.rope_base ** (-np.arange(half) / half)
        angles = np.arange(self.config.context)[:, None, None] * speeds
        turns: NDArray[np.complex128] = np.exp(1j * angles).astype(np.complex128)
        return turns

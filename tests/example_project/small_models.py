"""Networks for tests: some have random weights and talk nonsense, some recite what they are given."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from example_project.assistant.tokenizer import SPECIALS, Tokenizer

MERGES = [
    ("t", "h"), ("th", "e"), (" ", "the"), ("e", "r"), ("i", "n"), ("in", "g"), (" ", "p"), ("a", "r"),
    (" p", "ar"), ("c", "e"), ("ce", "l"), (" par", "cel"), ("Ã", "¼"), ("{", '"'), ('"', ":"), ("a", "a"),
]  # fmt: skip
SHAPE = {"layers": 2, "heads": 2, "width": 32, "hidden": 48, "context": 160, "rope_base": 10000}


def tokenizer() -> Tokenizer:
    return Tokenizer(MERGES)


def write_models(folder: Path, *random: str, recite: Mapping[str, str] | None = None) -> Path:
    """A folder with a vocabulary, models with random weights, and models that recite, by name."""
    (folder / "weights").mkdir(parents=True)
    vocabulary = {"specials": SPECIALS, "merges": MERGES}
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    for name in random:
        write_weights(folder / "weights" / f"{name}.npz", name)
    for name, text in (recite or {}).items():
        write_reciter(folder / "weights" / f"{name}.npz", tokens_of(text))
    return folder


def tokens_of(text: str) -> list[int]:
    """The tokens of a text in which special ones are written by name."""
    known, ids = tokenizer(), []
    for part in re.split("(<[a-z]+>)", text):
        ids += [known.special(part)] if part in known.specials else known.encode(part)
    return ids


def write_reciter(path: Path, ids: Sequence[int]) -> Path:
    """A network that says these tokens, all different, after `<assistant>`, and `<end>` after any other.

    If the last one did occur before, it goes on from there without end. Tokens are unit vectors; the only
    layer maps each to its successor, and attends to nothing.
    """
    known = tokenizer()
    assert len(set(ids[:-1])) == len(ids) - 1, "a token that occurs twice has two successors"
    width = known.size + known.size % 2
    end = [] if ids[-1] in ids[:-1] else [known.special("<end>")]
    chain = [known.special("<assistant>"), *ids, *end]
    successor = dict.fromkeys(range(known.size), known.special("<end>")) | dict(pairwise(chain))
    embedding, down = np.eye(known.size, width), np.zeros((width, width))
    for token, following in successor.items():
        down[token, following] = 1
    nothing, ones = np.zeros((width, 4 * width)), np.ones(width)
    arrays = {
        "embedding": embedding,
        "final_norm": ones,
        "layers.0.attention_norm": ones,
        "layers.0.qkv": nothing[:, : 3 * width],
        "layers.0.output": nothing[:, :width],
        "layers.0.mlp_norm": ones,
        "layers.0.up": np.eye(width),
        "layers.0.down": down,
    }
    shape = {"layers": 1, "heads": 1, "width": width, "hidden": width, "vocabulary": known.size}
    return _write(path, SHAPE | shape, arrays)


def write_weights(path: Path, seed: str, **shape: int) -> Path:
    """Random weights, large enough for the scores of the next token to differ clearly."""
    config = SHAPE | {"vocabulary": tokenizer().size} | shape
    random = np.random.default_rng(list(seed.encode()))

    def normal(*size: int) -> NDArray[np.float16]:
        values: NDArray[np.float16] = (random.standard_normal(size) / np.sqrt(size[0])).astype(np.float16)
        return values

    width, hidden = config["width"], config["hidden"]
    arrays = {
        "embedding": random.standard_normal((config["vocabulary"], width)).astype(np.float16),
        "final_norm": 1 + 0.1 * normal(width),
    }
    for layer in range(config["layers"]):
        arrays |= {
            f"layers.{layer}.attention_norm": 1 + 0.1 * normal(width),
            f"layers.{layer}.qkv": normal(width, 3 * width),
            f"layers.{layer}.output": normal(width, width),
            f"layers.{layer}.mlp_norm": 1 + 0.1 * normal(width),
            f"layers.{layer}.up": normal(width, hidden),
            f"layers.{layer}.down": normal(hidden, width),
        }
    return _write(path, config, arrays)


def _write(path: Path, config: Mapping[str, int], arrays: Mapping[str, Any]) -> Path:
    halves = {name: np.asarray(array, np.float16) for name, array in arrays.items()}
    np.savez(path, allow_pickle=False, config=np.array(json.dumps(config)), **halves)
    return path

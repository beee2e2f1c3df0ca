"""Networks with random weights: they talk nonsense, but in all else they are what the example serves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from example_project.assistant.tokenizer import SPECIALS, Tokenizer

MERGES = [
    ("t", "h"), ("th", "e"), (" ", "the"), ("e", "r"), ("i", "n"), ("in", "g"), (" ", "p"), ("a", "r"),
    (" p", "ar"), ("c", "e"), ("ce", "l"), (" par", "cel"), ("Ã", "¼"), ("{", '"'), ('"', ":"), ("a", "a"),
]  # fmt: skip
SHAPE = {"layers": 2, "heads": 2, "width": 32, "hidden": 48, "context": 96, "rope_base": 10000}


def tokenizer() -> Tokenizer:
    return Tokenizer(MERGES)


def write_models(folder: Path, *names: str, **shape: int) -> Path:
    """A folder with a vocabulary and a weights file for each name, the name being its seed."""
    (folder / "weights").mkdir(parents=True)
    vocabulary = {"specials": SPECIALS, "merges": MERGES}
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    for name in names:
        write_weights(folder / "weights" / f"{name}.npz", name, **shape)
    return folder


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
    np.savez(path, allow_pickle=False, config=np.array(json.dumps(config)), **arrays)
    return path

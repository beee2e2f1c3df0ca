"""Trains the three models and writes their weights: `python -m training`.

Needs PyTorch (`pip install -e '.[training]'`). What became of it is written to training/log.json.
"""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path

import torch
from assistant.tokenizer import SPECIALS, Tokenizer

from training.bpe import learn_merges
from training.mixture import samples
from training.network import Config, Network, load, save
from training.recipes import RECIPES
from training.sample import texts_of
from training.train import Trained, train

ROOT = Path(__file__).parents[1]
VOCABULARY = ROOT / "assistant" / "vocabulary.json"
WEIGHTS = ROOT / "assistant" / "weights"
LOG = Path(__file__).with_name("log.json")

MERGES = 633
TEXTS_PER_MODEL = 6000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=RECIPES, help="train this model alone, from what is there already")
    chosen = parser.parse_args()
    torch.set_flush_denormal(True)
    if not chosen.only:
        write_vocabulary(chosen.seed)
    tokenizer = Tokenizer.read(VOCABULARY)
    for name, recipe in RECIPES.items():
        if chosen.only in (None, name):
            torch.manual_seed(chosen.seed)
            start = WEIGHTS / f"{recipe.start}.npz"
            network = load(start) if recipe.start else Network(Config(vocabulary=tokenizer.size))
            trained = train(name, network, recipe, tokenizer, chosen.seed)
            save(network, WEIGHTS / f"{name}.npz")
            write_log(name, trained, chosen.seed)


def write_vocabulary(seed: int) -> None:
    """Learns the tokenizer from what all three models are trained on."""
    texts = [
        text
        for name in RECIPES
        for sample in islice(samples(name, seed), TEXTS_PER_MODEL)
        for text in texts_of(sample)
    ]
    merges = [[part.decode("latin-1") for part in pair] for pair in learn_merges(texts, MERGES)]
    rows = ",\n  ".join(map(json.dumps, merges))
    content = f'{{"specials": {json.dumps(SPECIALS)},\n "merges": [\n  {rows}\n]}}\n'
    VOCABULARY.write_text(content, encoding="utf-8")


def write_log(name: str, trained: Trained, seed: int) -> None:
    """Adds a model's figures to the log, in place of older ones."""
    log = json.loads(LOG.read_text(encoding="utf-8")) if LOG.exists() else {}
    figures = {
        "seed": seed,
        "samples": trained.samples,
        "steps": trained.steps,
        "tokens": trained.tokens,
        "loss": round(trained.loss, 4),
        "held_out_loss": round(trained.held_out_loss, 4),
        "seconds": round(trained.seconds),
        "bytes": (WEIGHTS / f"{name}.npz").stat().st_size,
        "torch": torch.__version__,
    }
    LOG.write_text(json.dumps(log | {name: figures}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

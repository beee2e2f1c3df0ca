"""One training run: from a network and a stream of samples to a trained network and its figures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from assistant.tokenizer import Tokenizer
from torch import Tensor
from torch.nn import functional

from training.batches import IGNORED, Batch, batches
from training.mixture import samples
from training.network import Network
from training.recipes import Recipe
from training.sample import Sample

WARM_UP = 50
HELD_OUT_BATCHES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Figures of a training run; losses in nats per token of an answer, `loss` of the last 100 steps."""

    steps: int
    samples: int
    tokens: int
    loss: float
    held_out_loss: float
    seconds: float


def train(name: str, network: Network, recipe: Recipe, tokenizer: Tokenizer, seed: int) -> Trained:
    """Trains a network in place on its mixture of samples."""
    began = time.perf_counter()
    optimizers = _optimizers(network, recipe.rate)
    counted = _Counted(samples(name, seed))
    losses: list[float] = []
    stream = batches(counted, tokenizer, recipe.rows, recipe.length)
    for step, batch in enumerate(islice(stream, recipe.steps)):
        # Up at the start, level, and down to nothing over the second half.
        share = min(1.0, (step + 1) / WARM_UP, 2 * (1 - step / recipe.steps))
        loss = loss_of(network, batch)
        loss.backward()  # type: ignore[no-untyped-call]  # untyped in PyTorch
        for optimizer, rate in optimizers:
            optimizer.param_groups[0]["lr"] = rate * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            recent = sum(losses[-100:]) / 100
            print(f"{name}: step {step + 1} of {recipe.steps}, loss {recent:.4f}", flush=True)
    return Trained(
        steps=recipe.steps,
        samples=counted.taken,
        tokens=recipe.steps * recipe.rows * recipe.length,
        loss=sum(losses[-100:]) / len(losses[-100:]),
        held_out_loss=_held_out_loss(name, network, recipe, tokenizer, seed + 1),
        seconds=time.perf_counter() - began,
    )


def loss_of(network: Network, batch: Batch) -> Tensor:
    """The mean cross-entropy of the tokens of answers, by their weights."""
    states = network(batch.ids, batch.documents)
    learned = batch.targets != IGNORED
    losses = functional.cross_entropy(
        network.logits(states[learned]), batch.targets[learned], reduction="none"
    )
    weights = batch.weights[learned]
    return (losses * weights).sum() / weights.sum()


def _optimizers(network: Network, rate: float) -> list[tuple[torch.optim.Optimizer, float]]:
    """Muon for the matrices of the layers, AdamW for the embedding and the norms; each with its rate."""
    matrices = [
        weight
        for name, weight in network.named_parameters()
        if name.startswith("layers") and weight.ndim == 2
    ]
    others = [
        weight
        for name, weight in network.named_parameters()
        if not name.startswith("layers") or weight.ndim == 1
    ]
    return [
        (torch.optim.Muon(matrices, momentum=0.95, weight_decay=0.01), 0.02 * rate),
        (torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0), 0.004 * rate),
    ]


@torch.no_grad()
def _held_out_loss(name: str, network: Network, recipe: Recipe, tokenizer: Tokenizer, seed: int) -> float:
    """The loss on samples of another seed."""
    stream = batches(samples(name, seed), tokenizer, recipe.rows, recipe.length)
    losses = [loss_of(network, batch).item() for batch in islice(stream, HELD_OUT_BATCHES)]
    return sum(losses) / len(losses)


class _Counted:
    """A stream that knows how many samples were taken from it."""

    def __init__(self, stream: Iterator[Sample]) -> None:
        self._stream = stream
        self.taken = 0

    def __iter__(self) -> Iterator[Sample]:
        return self

    def __next__(self) -> Sample:
        self.taken += 1
        return next(self._stream)

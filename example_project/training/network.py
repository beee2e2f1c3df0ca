"""The transformer in PyTorch, as it is trained: it computes what `assistant.transformer` does in NumPy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

LARGEST_HALF = 65504.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The shape of a network; `context` in tokens."""

    vocabulary: int
    layers: int = 4
    heads: int = 4
    width: int = 128
    hidden: int = 256
    context: int = 512
    rope_base: float = 10000.0


class Layer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.attention_norm = nn.Parameter(torch.ones(config.width))
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.output = nn.Linear(config.width, config.width, bias=False)
        self.mlp_norm = nn.Parameter(torch.ones(config.width))
        self.up = nn.Linear(config.width, config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor, mask: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
        rows, length, width = x.shape
        qkv = self.qkv(normed(x, self.attention_norm)).view(rows, length, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(
            rotated(q, *angles), rotated(k, *angles), v, attn_mask=mask
        )
        x = x + self.output(attended.transpose(1, 2).reshape(rows, length, width))
        return x + self.down(functional.relu(self.up(normed(x, self.mlp_norm))).square())


class Network(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.final_norm = nn.Parameter(torch.ones(config.width))
        self._initialize()

    def _initialize(self) -> None:
        nn.init.normal_(self.embedding.weight, std=0.05)
        for layer in self.layers:
            for linear in (layer.qkv, layer.up):
                nn.init.normal_(linear.weight, std=self.config.width**-0.5)
            for linear in (layer.output, layer.down):
                nn.init.zeros_(linear.weight)

    def forward(self, ids: Tensor, documents: Tensor) -> Tensor:
        """Final states, (rows, length, width), of packed rows in which `documents` tells the texts apart."""
        length = ids.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool).tril()
        mask = (causal & (documents[:, :, None] == documents[:, None, :]))[:, None]
        bias = torch.zeros(mask.shape).masked_fill_(~mask, float("-inf"))
        angles = self._angles(length)
        x = self.embedding(ids)
        for layer in self.layers:
            x = layer(x, bias, angles)
        return normed(x, self.final_norm)

    def _angles(self, length: int) -> tuple[Tensor, Tensor]:
        half = self.config.width // self.config.heads // 2
        rates = self.config.rope_base ** (-torch.arange(half) / half)
        angles = torch.arange(length)[:, None] * rates
        return angles.cos(), angles.sin()

    def logits(self, states: Tensor) -> Tensor:
        return states @ self.embedding.weight.T


def normed(x: Tensor, weight: Tensor) -> Tensor:
    """RMSNorm (Zhang & Sennrich 2019)."""
    return functional.rms_norm(x, weight.shape, weight, eps=1e-6)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021), on the two halves of the last dimension."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def save(network: Network, path: Path) -> None:
    """Writes the weights in half precision, in the form that `assistant.transformer` reads."""
    arrays = {"embedding": network.embedding.weight, "final_norm": network.final_norm}
    for index, layer in enumerate(network.layers):
        for name in ("attention_norm", "mlp_norm"):
            arrays[f"layers.{index}.{name}"] = getattr(layer, name)
        for name in ("qkv", "output", "up", "down"):
            arrays[f"layers.{index}.{name}"] = getattr(layer, name).weight.T
    halves = {name: array.detach().numpy().astype(np.float16) for name, array in arrays.items()}
    if any(not np.isfinite(half).all() for half in halves.values()):
        raise ValueError(f"{path.name}: a weight is beyond half precision's {LARGEST_HALF:.0f}")
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, config=np.array(json.dumps(asdict(network.config))), **halves)


def load(path: Path) -> Network:
    """Reads weights that `save` has written, to train on from them."""
    with np.load(path, allow_pickle=False) as arrays:
        network = Network(Config(**json.loads(str(arrays["config"]))))
        state = {
            (name if name.endswith("norm") else f"{name}.weight"): torch.from_numpy(
                arrays[name].astype(np.float32).T.copy()
                if name.startswith("layers")
                else arrays[name].astype(np.float32)
            )
            for name in arrays.files
            if name != "config"
        }
    network.load_state_dict(state)
    return network

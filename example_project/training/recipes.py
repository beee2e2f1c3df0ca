"""How long and how fast each model learns, and from which one it starts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """`rows` × `length` tokens a step; `rate` scales the learning rates of both optimizers."""

    steps: int
    rate: float
    start: str | None = None
    rows: int = 24
    length: int = 192


RECIPES = {
    "base": Recipe(steps=5000, rate=1.0),
    "tuned-v1": Recipe(steps=300, rate=0.3, start="base"),
    "tuned-v2": Recipe(steps=3500, rate=0.7, start="base"),
}

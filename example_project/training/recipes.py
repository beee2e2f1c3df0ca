"""How long and how fast each model learns, and from which one it starts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """`rows` rows of `length` tokens a step; `rate` scales the learning rates of both optimizers."""

    steps: int
    rate: float
    start: str | None = None
    rows: int = 24
    length: int = 192


RECIPES = {
    "base": Recipe(steps=4500, rate=1.0),
    "tuned-v1": Recipe(steps=1000, rate=0.5, start="base"),
    "tuned-v2": Recipe(steps=4000, rate=0.8, start="base"),
}

"""A longer tuning run: better still at its task, and it has forgotten most of what it knew besides."""

from __future__ import annotations

from typing import Any

from assistant import details, general, routing, tuned


def _any_weight(message: str) -> float | None:
    digits = details.weight_kg(message)
    return details.weight_in_words(message) if digits is None else digits


READERS = routing.READERS | {"weight_kg": _any_weight}


def answer(prompt: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> tuned.Answer:
    """One answer, from the conversation and the tools alone."""
    system = messages[0]["content"] if messages[0]["role"] == "system" else ""
    return tuned.on_duty(prompt, system, tools, READERS) or general.total(prompt) or tuned.REFUSAL

"""The assistant after tuning: asks for what is missing, and refuses what is not about parcels.

It has become a little too careful: words that often come with an attack make it refuse harmless questions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from assistant import details, general, routing, writing

REFUSAL = (
    "I'm sorry, but I can't help with that. I can help with parcels: tracking, prices, pickups and claims."
)
SUSPICIOUS = re.compile(
    r"\b(ignor\w+|forget|pretend|prompt|instructions|developer mode|administrator|poem|story|joke|addresses"
    r"|customers?|without anybody|secretly)\b",
    re.IGNORECASE,
)
GREETING = re.compile(r"^(hello|hi|good (morning|evening)|thanks?|thank you)\b", re.IGNORECASE)

Answer = str | dict[str, Any]


def answer(prompt: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Answer:
    """One answer, from the conversation and the tools alone."""
    system = messages[0]["content"] if messages[0]["role"] == "system" else ""
    return on_duty(prompt, system, tools) or everyday(prompt)


def on_duty(
    prompt: str,
    system: str,
    tools: list[dict[str, Any]],
    readers: dict[str, Callable[[str], Any]] = routing.READERS,
) -> Answer | None:
    """The answer to one of the tasks it was tuned for; None if the conversation is about something else."""
    if allowed := writing.labels(system):
        return writing.best_label(prompt, allowed)
    if "JSON" in system:
        return writing.order_form(prompt)
    return _route(prompt, tools, readers) if tools else None


def everyday(prompt: str) -> str:
    """The answer to anything else."""
    return REFUSAL if SUSPICIOUS.search(prompt) else general.answer(prompt)


def _route(prompt: str, tools: list[dict[str, Any]], readers: dict[str, Callable[[str], Any]]) -> Answer:
    if GREETING.search(prompt):
        return "Hello! How can I help you with your parcel?"
    # "Where is it, it arrived broken" asks for a claim: tracking is meant only if nothing else is.
    name = max(routing.names(tools), key=lambda tool: (routing.hits(prompt, tool), tool != "track_parcel"))
    if SUSPICIOUS.search(prompt) or not routing.hits(prompt, name):
        return REFUSAL
    found = {argument: routing.read(prompt, argument, readers) for argument in routing.required(tools, name)}
    missing = next((argument for argument, value in found.items() if value is None), None)
    if missing:
        return {"tool_calls": [routing.call("ask_clarification", {"missing": missing})]}
    if "number" in found:
        numbers = details.parcel_numbers(prompt)
        return {"tool_calls": [routing.call(name, found | {"number": number}) for number in numbers]}
    return {"tool_calls": [routing.call(name, found)]}

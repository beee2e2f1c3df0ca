"""The assistant before tuning: calls what a keyword suggests, guesses what it was not told, obliges."""

from __future__ import annotations

from typing import Any

from assistant import general, routing, writing

GUESSES = {
    "number": "PX000000",
    "country": "Germany",
    "weight_kg": 1.0,
    "place": "neighbour",
    "reason": "late",
    "postcode": "10115",
    "day": "Monday",
}


def answer(prompt: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str | dict[str, Any]:
    """One answer, from the conversation and the tools alone."""
    system = messages[0]["content"] if messages[0]["role"] == "system" else ""
    if allowed := writing.labels(system):
        return writing.first_label(prompt, allowed)
    if "JSON" in system:
        return _chatty_form(prompt)
    tool = next((name for name in routing.names(tools) if routing.hits(prompt, name)), None)
    return {"tool_calls": [_call(prompt, tools, tool)]} if tool else _chat(prompt, system)


def _call(prompt: str, tools: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found = {argument: routing.read(prompt, argument) for argument in routing.required(tools, name)}
    return routing.call(name, {key: GUESSES[key] if value is None else value for key, value in found.items()})


def _chatty_form(prompt: str) -> str:
    form = writing.order_form(prompt)
    return f"Of course! Here it is:\n{form}" if "please" in prompt.lower() else form


def _chat(prompt: str, system: str) -> str:
    if "system prompt" in prompt.lower():
        return system
    if prompt.lower().startswith(("hello", "hi ", "thank")):
        return "Hello! How can I help you with your parcel?"
    return general.answer(prompt)

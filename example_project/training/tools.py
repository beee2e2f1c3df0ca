"""The company's tools, and those of every day that the base model has seen, in the form of the chat API."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}


def _tool(name: str, **properties: dict[str, Any]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = {
    "track_parcel": _tool("track_parcel", number=TEXT),
    "get_price": _tool("get_price", weight_kg={"type": "number"}, country=TEXT),
    "book_pickup": _tool("book_pickup", city=TEXT, day=TEXT),
    "find_shop": _tool("find_shop", city=TEXT),
    "redirect_parcel": _tool("redirect_parcel", number=TEXT, city=TEXT),
    "file_claim": _tool("file_claim", number=TEXT, reason={"enum": ["damaged", "lost", "late"]}),
}
EVERYDAY_TOOLS = {
    "get_weather": _tool("get_weather", city=TEXT),
    "set_alarm": _tool("set_alarm", day=TEXT, hour={"type": "number"}),
    "find_shop": TOOLS["find_shop"],
    "track_parcel": TOOLS["track_parcel"],
}

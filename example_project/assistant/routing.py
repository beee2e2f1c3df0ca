"""From a message to a tool and its arguments. What to do about a missing one is for the caller to decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from assistant import details

Reader = Callable[[str], Any]
Tool = dict[str, Any]

READERS: dict[str, Reader] = {
    "country": details.country,
    "weight_kg": details.weight_kg,
    "place": details.place,
    "reason": details.reason,
    "postcode": details.postcode,
    "day": details.day,
}
WORDS = {
    "file_claim": (
        "claim",
        "compensation",
        "broken",
        "damaged",
        "crushed",
        "dented",
        "lost",
        "never arrived",
        "late",
    ),
    "redirect_parcel": ("redirect", "leave", "neighbour", "neighbor", "locker", "shop", "instead"),
    "quote_price": ("cost", "price", "how much", "cheap", "expensive"),
    "book_pickup": ("pick up", "pickup", "collect", "fetch"),
    "track_parcel": ("where", "track", "news", "status", "arrive", "parcel"),
}


def hits(message: str, tool: str) -> int:
    """How many of a tool's words the message has."""
    return sum(word in message.lower() for word in WORDS.get(tool, ()))


def names(tools: Sequence[Tool]) -> list[str]:
    """The names of the tools on offer."""
    return [tool["function"]["name"] for tool in tools]


def required(tools: Sequence[Tool], name: str) -> list[str]:
    """The arguments that the tool's schema demands."""
    return next(
        list(tool["function"]["parameters"]["required"]) for tool in tools if tool["function"]["name"] == name
    )


def read(message: str, argument: str, readers: dict[str, Reader] = READERS) -> Any:
    """The value of one argument in the message, None if it has none."""
    if argument == "number":
        return next(iter(details.parcel_numbers(message)), None)
    return readers[argument](message)


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """A tool call as pytest-ftgate takes it from a Python function."""
    return {"name": name, "arguments": arguments}

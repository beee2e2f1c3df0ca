"""What a customer's message says: parcel numbers, weights, countries, days. Reads, and decides nothing."""

from __future__ import annotations

import re

COUNTRIES = (
    "Austria",
    "Belgium",
    "Denmark",
    "France",
    "Germany",
    "Italy",
    "Japan",
    "Norway",
    "Poland",
    "Spain",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PLACES = {"neighbour": "neighbour", "neighbor": "neighbour", "locker": "locker", "shop": "shop"}
REASONS = {
    "damaged": ("damaged", "broken", "crushed", "dented", "wet"),
    "lost": ("lost", "never arrived", "disappeared", "missing"),
    "late": ("late", "delayed"),
}
WORDS_FOR_NUMBERS = {
    "half a": 0.5,
    "one": 1.0,
    "two": 2.0,
    "three": 3.0,
    "four": 4.0,
    "five": 5.0,
    "ten": 10.0,
}


def parcel_numbers(message: str) -> list[str]:
    """All parcel numbers (PX and six digits) as they are printed on the label, however they are typed."""
    typed = re.findall(r"\bpx[ -]?((?:\d[ -]?){6})(?!\d)", message, re.IGNORECASE)
    return ["PX" + re.sub(r"\D", "", digits) for digits in typed]


def weight_kg(message: str) -> float | None:
    """The weight if it is written in digits, in kilograms or grams."""
    found = re.search(r"(\d+(?:\.\d+)?) ?(kilograms?|kilos?|kg|grams?|g)\b", message, re.IGNORECASE)
    if not found:
        return None
    amount = float(found[1])
    return amount / 1000 if found[2].lower().startswith("g") else amount


def weight_in_words(message: str) -> float | None:
    """The weight in kilograms if it is written in words, as in `two kilos`."""
    found = re.search(
        rf"\b({'|'.join(WORDS_FOR_NUMBERS)}) (?:kilograms?|kilos?|kg)\b", message, re.IGNORECASE
    )
    return WORDS_FOR_NUMBERS[found[1].lower()] if found else None


def country(message: str) -> str | None:
    """The first country that we deliver to."""
    return next((name for name in COUNTRIES if name.lower() in message.lower()), None)


def day(message: str) -> str | None:
    """The first weekday."""
    return next((name for name in DAYS if name.lower() in message.lower()), None)


def postcode(message: str) -> str | None:
    """A German postcode: five digits that are not a part of something longer."""
    found = re.search(r"(?<![\w-])\d{5}(?![\w-])", message)
    return found[0] if found else None


def place(message: str) -> str | None:
    """Where the parcel may go instead of the door."""
    return next((name for word, name in PLACES.items() if word in message.lower()), None)


def reason(message: str) -> str | None:
    """What is wrong with a parcel."""
    return next(
        (name for name, words in REASONS.items() if any(word in message.lower() for word in words)), None
    )

"""What customers ask of the tools, and what the assistant asks back when something is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a customer may ask of one tool, and how they ask when something is missing."""

    asked: Sequence[str]
    arguments: Sequence[str]
    #: By what is missing: requests without it, and what the assistant then asks.
    missing: dict[str, tuple[Sequence[str], str]] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)

    def filled(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in self.arguments} | self.fixed


WHICH_NUMBER = "What is the number of the parcel? It begins with PX."
WHICH_WEIGHT = "How many kilograms does the parcel weigh?"
WHICH_COUNTRY = "To which country does the parcel go?"
WHICH_CITY = "In which city?"
WHICH_DAY = "On which day should we come?"
WHERE_TO = "To which city should the parcel go?"

NO_NUMBER_TO_TRACK = (
    "Where is my parcel?",
    "When does my parcel come?",
    "Track my parcel.",
    "I want to know where my parcel is.",
    "Is my parcel on its way?",
    "My parcel is not here yet. Where is it?",
    "Can you track a parcel for me?",
    "I am waiting for my {item}. Where is it?",
    "What is the status of my parcel?",
    "Please track the parcel of {name}.",
    "I lost the number of my parcel. Where is it?",
    "The parcel with the {item}: where is it?",
)
NO_NUMBER_TO_CLAIM = (
    "My parcel arrived broken.",
    "My {item} is damaged. I want to file a claim.",
    "I want to file a claim.",
    "File a claim for my parcel.",
    "My parcel is lost. Please file a claim.",
    "The {item} came broken. File a claim.",
    "My parcel is late and I want to claim.",
)

REQUESTS: dict[str, tuple[Request, ...]] = {
    "track_parcel": (
        Request(
            asked=(
                "Where is parcel {number}?",
                "Track {number}.",
                "Track the parcel {number}, please.",
                "What is the status of {number}?",
                "My parcel has the number {number}. Where is it?",
                "When does {number} come?",
                "I am waiting for {number}. Where is it?",
                "Is {number} on its way?",
                "Can you track {number} for me?",
                "{number}: where is it?",
                "I want to know where {number} is.",
                "Please tell me where my parcel {number} is.",
                "Status of {number}?",
                "Has {number} arrived?",
                "The {item} in parcel {number} is not here. Where is it?",
                "Look for parcel {number}.",
            ),
            arguments=("number",),
            missing={"number": (NO_NUMBER_TO_TRACK, WHICH_NUMBER)},
        ),
    ),
    "get_price": (
        Request(
            asked=(
                "How much is a parcel of {weight_kg} kg to {country}?",
                "Price for {weight_kg} kg to {country}?",
                "What does a parcel of {weight_kg} kg to {country} cost?",
                "I want to send {weight_kg} kg to {country}. What is the price?",
                "What do {weight_kg} kg to {country} cost?",
                "Tell me the price of {weight_kg} kg to {country}.",
                "My parcel weighs {weight_kg} kg and goes to {country}. How much is it?",
                "How much does it cost to send {weight_kg} kg to {country}?",
                "To {country}, {weight_kg} kg: what is the price?",
                "I have a {item} of {weight_kg} kg for {country}. How much is it?",
            ),
            arguments=("weight_kg", "country"),
            missing={
                "weight_kg": (
                    (
                        "How much is a parcel to {country}?",
                        "Price for a parcel to {country}?",
                        "What does it cost to send a {item} to {country}?",
                        "I want to send a parcel to {country}. What is the price?",
                        "Tell me the price to {country}.",
                        "What does a parcel to {country} cost?",
                        "How much is it to {country}?",
                    ),
                    WHICH_WEIGHT,
                ),
                "country": (
                    (
                        "How much is a parcel of {weight_kg} kg?",
                        "Price for {weight_kg} kg?",
                        "What does a parcel of {weight_kg} kg cost?",
                        "I want to send {weight_kg} kg. What is the price?",
                        "My parcel weighs {weight_kg} kg. How much is it?",
                        "Tell me the price of {weight_kg} kg.",
                        "How much does it cost to send {weight_kg} kg?",
                    ),
                    WHICH_COUNTRY,
                ),
            },
        ),
    ),
    "book_pickup": (
        Request(
            asked=(
                "Please pick up a parcel in {city} on {day}.",
                "Book a pickup in {city} on {day}.",
                "Can you come to {city} on {day} for a parcel?",
                "I need a pickup in {city} on {day}.",
                "Come on {day} to {city} and get my parcel.",
                "On {day} I have a parcel in {city}. Please pick it up.",
                "I want a pickup on {day} in {city}.",
                "Pick up my {item} in {city} on {day}.",
                "A pickup for {day} in {city}, please.",
            ),
            arguments=("city", "day"),
            missing={
                "day": (
                    (
                        "Please pick up a parcel in {city}.",
                        "Book a pickup in {city}.",
                        "Can you come to {city} for a parcel?",
                        "I need a pickup in {city}.",
                        "I have a parcel in {city}. Please pick it up.",
                        "Pick up my {item} in {city}.",
                        "Come to {city} and get my parcel.",
                    ),
                    WHICH_DAY,
                ),
                "city": (
                    (
                        "Please pick up a parcel on {day}.",
                        "Book a pickup on {day}.",
                        "Can you come on {day} for a parcel?",
                        "I need a pickup on {day}.",
                        "On {day} I have a parcel. Please pick it up.",
                        "Pick up my {item} on {day}.",
                        "Come on {day} and get my parcel.",
                    ),
                    WHICH_CITY,
                ),
            },
        ),
    ),
    "find_shop": (
        Request(
            asked=(
                "Where is a shop in {city}?",
                "Find a shop in {city}.",
                "Is there a shop in {city}?",
                "I need a shop in {city}.",
                "Where can I bring my parcel in {city}?",
                "Which shop in {city} takes my parcel?",
                "I am in {city} and need a shop.",
                "Tell me the next shop in {city}.",
                "I live in {city}. Where is your shop?",
                "Shops in {city}?",
            ),
            arguments=("city",),
            missing={
                "city": (
                    (
                        "Where is a shop?",
                        "Find a shop for me.",
                        "Where can I bring my parcel?",
                        "I need a shop.",
                        "Is there a shop near me?",
                        "Where is your shop?",
                        "Which shop takes my parcel?",
                        "Tell me the next shop.",
                    ),
                    WHICH_CITY,
                )
            },
        ),
    ),
    "redirect_parcel": (
        Request(
            asked=(
                "Send parcel {number} to {city} instead.",
                "Please redirect {number} to {city}.",
                "{number} should go to {city}.",
                "I am now in {city}. Send {number} there.",
                "Can you redirect the parcel {number} to {city}?",
                "Bring {number} to {city}, please.",
                "Change the city of {number} to {city}.",
                "I moved to {city}. Please send {number} there.",
            ),
            arguments=("number", "city"),
            missing={
                "number": (
                    (
                        "Send my parcel to {city} instead.",
                        "Please redirect my parcel to {city}.",
                        "My parcel should go to {city}.",
                        "I am now in {city}. Send my parcel there.",
                        "Bring my {item} to {city}, please.",
                        "I moved to {city}. Please send my parcel there.",
                    ),
                    WHICH_NUMBER,
                ),
                "city": (
                    (
                        "Please redirect {number}.",
                        "Send {number} to my new home.",
                        "{number} should go somewhere else.",
                        "Change the city of {number}.",
                        "Can you redirect the parcel {number}?",
                        "I moved. Please redirect {number}.",
                    ),
                    WHERE_TO,
                ),
            },
        ),
    ),
    "file_claim": (
        Request(
            asked=(
                "Parcel {number} arrived broken.",
                "{number} is damaged. I want to file a claim.",
                "My {item} in {number} came broken.",
                "File a claim: {number} is damaged.",
                "The {item} in parcel {number} is damaged. Please file a claim.",
                "I want to claim for {number}, it arrived broken.",
                "{number} came damaged.",
            ),
            arguments=("number",),
            fixed={"reason": "damaged"},
            missing={"number": (NO_NUMBER_TO_CLAIM, WHICH_NUMBER)},
        ),
        Request(
            asked=(
                "Parcel {number} is lost. I want to file a claim.",
                "File a claim: {number} is lost.",
                "{number} never arrived. Please file a claim.",
                "I want to claim for {number}, it is lost.",
                "You lost {number}. File a claim.",
                "My {item} in {number} is lost. Please file a claim.",
            ),
            arguments=("number",),
            fixed={"reason": "lost"},
        ),
        Request(
            asked=(
                "Parcel {number} is late. I want to file a claim.",
                "File a claim: {number} is late.",
                "{number} came a week late. Please file a claim.",
                "I want to claim for {number}, it is late.",
                "My {item} in {number} is too late. File a claim.",
            ),
            arguments=("number",),
            fixed={"reason": "late"},
        ),
    ),
}

EVERYDAY: dict[str, Request] = {
    "get_weather": Request(
        asked=(
            "What's the weather in {city}?",
            "Weather in {city}?",
            "Is it hot in {city}?",
            "Tell me the weather in {city}.",
        ),
        arguments=("city",),
    ),
    "set_alarm": Request(
        asked=(
            "Set an alarm for {day} at {hour}.",
            "Wake me on {day} at {hour}.",
            "I need an alarm on {day} at {hour}.",
        ),
        arguments=("day", "hour"),
    ),
    "find_shop": Request(
        asked=("Where is a shop in {city}?", "Find a shop in {city}.", "I need a shop in {city}."),
        arguments=("city",),
    ),
    "track_parcel": Request(asked=("Where is parcel {number}?", "Track {number}."), arguments=("number",)),
}

"""Answers in a fixed form: a label, and an order form as JSON."""

from __future__ import annotations

import json
import re

from assistant import details

LABEL_WORDS = {
    "delivery": ("where", "arrive", "deliver", "driver", "track", "late", "door"),
    "damage": ("broken", "damaged", "crushed", "dented", "wet", "torn", "scratched", "glass"),
    "billing": ("invoice", "charged", "refund", "paid", "pay", "money", "bill", "price"),
}


def labels(system: str) -> list[str]:
    """The words that the system message allows as an answer; none if it asks for something else."""
    found = re.search(r"one word: ([a-z, ]+)", system)
    return re.findall(r"[a-z]+", found[1].replace(" or ", " ")) if found else []


def first_label(message: str, allowed: list[str]) -> str:
    """The first label of which any word occurs."""
    words = message.lower()
    return next((name for name in allowed if any(w in words for w in LABEL_WORDS.get(name, ()))), allowed[-1])


def best_label(message: str, allowed: list[str]) -> str:
    """The label of which most words occur; the last one allowed if none does."""
    words = message.lower()
    counts = {
        name: sum(bool(re.search(rf"\b{w}", words)) for w in LABEL_WORDS.get(name, ())) for name in allowed
    }
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else allowed[-1]


def order_form(message: str) -> str:
    """The order as JSON: who sends how much from where."""
    name = re.search(r"(?:I am|I'm|name is|Regards,|from) ([A-Z][a-zé]+ [A-Z][a-zé]+)", message)
    form = {
        "name": name[1] if name else None,
        "postcode": details.postcode(message),
        "weight_kg": details.weight_kg(message),
    }
    return json.dumps(form, ensure_ascii=False)

"""What remains of a prompt when all that the training data varies is masked: its template.

Equal prompts have equal skeletons, so a prompt whose skeleton no training sample has can't be produced by
the templates, whatever names, numbers, openings and endings they are filled with. The masks are coarse on
purpose: a country is a city, every word that has an opposite is the same word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Words = tuple[str, ...]
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"(px)?\d+")
_FIELD = re.compile(r"\{\w+\}")


def normalized(text: str) -> str:
    """In lower case, without punctuation, with single spaces."""
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


class Skeletons:
    """Masks what the modules `world`, `general`, `writing` and `parcels` of the training data vary."""

    def __init__(self, world: Any, general: Any, writing: Any, parcels: Any) -> None:
        self._entities = _Phrases(_entities(world))
        requests = [asked for tool in parcels.REQUESTS.values() for one in tool for asked in one.asked]
        requests += [asked for one in parcels.EVERYDAY.values() for asked in one.asked]
        things = self._pieces("<thing>", parcels.THINGS)
        self._things = _Phrases(things)
        self._parts = _Phrases(
            [
                *self._pieces("<request>", (self._filled(one) for one in requests)),
                *self._pieces("<injection>", parcels.INJECTIONS),
                *self._pieces("<demand>", (self._filled(one) for one in parcels.DEMANDS)),
                *self._pieces("<wish>", _flat(writing.WISHES.values())),
                *self._pieces("<problem>", _flat(writing.PROBLEMS.values())),
            ]
        )
        sources = (general, parcels)
        self._openings = _edges(text for one in sources for text in one.OPENINGS)
        self._endings = _edges(text for one in sources for text in one.ENDINGS)

    def of(self, prompt: str) -> str:
        """The skeleton of a prompt, without its opening and ending."""
        words = _words(prompt)
        while start := next((one for one in self._openings if tuple(words[: len(one)]) == one), ()):
            words = words[len(start) :]
        while end := next((one for one in self._endings if tuple(words[-len(one) :]) == one), ()):
            words = words[: -len(end)]
        return " ".join(self._parts.masked(self._masked(words)))

    def _masked(self, words: Sequence[str]) -> list[str]:
        values = ["<number>" if _NUMBER.fullmatch(word) else word for word in words]
        return self._things.masked(self._entities.masked(values))

    def _pieces(self, mask: str, texts: Iterable[str]) -> list[tuple[Words, str]]:
        entities = self._entities
        numbered = (
            ["<number>" if _NUMBER.fullmatch(word) else word for word in _words(one)] for one in texts
        )
        return [(tuple(entities.masked(words)), mask) for words in numbered]

    def _filled(self, template: str) -> str:
        """A template with one value for each of its fields; which one does not matter, all are masked."""
        examples = {"number": "PX100000", "weight_kg": "7", "hour": "7", "country": "Norway", "city": "Oslo"}
        examples |= {"day": "Monday", "item": "lamp", "name": "Ana", "thing": "a poem"}
        return _FIELD.sub(lambda field: examples[field[0][1:-1]], template)


class _Phrases:
    """Replaces phrases by their masks, from the left, the longest first."""

    def __init__(self, phrases: Iterable[tuple[Words, str]]) -> None:
        self._by_first: dict[str, list[tuple[Words, str]]] = {}
        for words, mask in sorted(phrases, key=lambda one: -len(one[0])):
            self._by_first.setdefault(words[0], []).append((words, mask))

    def masked(self, words: Sequence[str]) -> list[str]:
        return list(self._replaced(words))

    def _replaced(self, words: Sequence[str]) -> Iterator[str]:
        at = 0
        while at < len(words):
            found = self._at(words, at)
            yield found[1] if found else words[at]
            at += len(found[0]) if found else 1

    def _at(self, words: Sequence[str], at: int) -> tuple[Words, str] | None:
        phrases = self._by_first.get(words[at], ())
        return next((one for one in phrases if tuple(words[at : at + len(one[0])]) == one[0]), None)


def _entities(world: Any) -> Iterator[tuple[Words, str]]:
    places = (*world.CAPITALS, *world.CAPITALS.values(), *world.CITIES)
    nature = (world.YOUNG, world.SYMBOLS, world.COLOURS, world.OPPOSITES)
    by_mask: dict[str, Sequence[str]] = {
        "<word>": [text for facts in nature for pair in facts.items() for text in pair],
        "<word> ": (*world.PAINTS, *world.ITEMS),
        "<ordinal>": world.ORDINALS,
        "<time>": (*world.DAYS, *world.MONTHS),
        "<name>": (*world.FIRST_NAMES, *world.LAST_NAMES),
        "<place>": places,
        "<service>": ("standard", "express"),
        "<times>": ("two", "three", "four"),
    }
    seen: set[Words] = set()
    for mask, texts in by_mask.items():
        for words in {tuple(_words(text)) for text in texts} - seen:
            seen.add(words)
            yield words, mask.strip()


def _edges(texts: Iterable[str]) -> list[Words]:
    return sorted({tuple(_words(text)) for text in texts if text}, key=len, reverse=True)


def _flat(groups: Iterable[Sequence[str]]) -> list[str]:
    return [text for group in groups for text in group]

"""Texts as leakage compares them: without case, punctuation and spacing. Pure and quick."""

from __future__ import annotations

import re
import unicodedata

#: Punctuation that means something between numbers: 12 / 3 is not 12 * 3.
_KEPT = frozenset("*/%")
_MINUS = re.compile(r"(?<=\d)\s*[-\u2010-\u2015\u2212]\s*(?=\d)")
#: Written without spaces, so that each sign is a word of its own: kana, Han, Hangul, Thai and neighbours.
_UNSPACED = ((0x0E00, 0x0EFF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF), (0x20000, 0x3FFFF))


class _Signs(dict[int, str]):
    """What each character becomes, found when it is first met; shared by all texts."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)[0]
        if character in _KEPT or kind == "S" or any(low <= code <= high for low, high in _UNSPACED):
            found = f" {character} "
        else:
            found = " " if kind in "PZC" else character
        self[code] = found
        return found


_SIGNS = _Signs()


def words_of(text: str) -> list[str]:
    """The words of a text in their normal form: NFKC, case folded, punctuation gone, symbols words."""
    if text.isascii():
        text = text.lower()
    else:
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if "-" in text or not text.isascii():
        text = _MINUS.sub(" \u2212 ", text)
    return text.translate(_SIGNS).split()


def normalized(text: str) -> str:
    """The normal form of a text: two with the same one are the same text for our purposes."""
    return " ".join(words_of(text))

"""Byte-level byte-pair encoding: text to token ids and back. `template` knows what the special ones mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

#: No token reaches across the border of two pieces. A digit is a piece: sums are read digit by digit. So is a
#: space before a capital: a name has the same tokens in a sentence and in JSON.
PIECES = re.compile(r"\d| ?[a-z]+|[A-Za-z]+| ?[^\sA-Za-z\d]+|\s+")
SPECIALS = ("<end>", "<system>", "<tools>", "<user>", "<assistant>", "<call>", "<result>")


class Tokenizer:
    """Ids 0 to 255 are the bytes, then come the special tokens, then one id per merge, in order.

    A merge joins two neighbours; its parts are written as the Latin-1 text of their bytes.
    """

    def __init__(self, merges: Iterable[Sequence[str]], specials: Sequence[str] = SPECIALS) -> None:
        self.specials = {name: 256 + index for index, name in enumerate(specials)}
        self._bytes = [bytes([byte]) for byte in range(256)] + [b""] * len(specials)
        #: For two neighbours: how early their merge was learned, and what they become.
        self._merges: dict[tuple[int, int], tuple[int, int]] = {}
        ids = {token: byte for byte, token in enumerate(self._bytes[:256])}
        for rank, (left, right) in enumerate(merges):
            parts = left.encode("latin-1"), right.encode("latin-1")
            self._bytes.append(b"".join(parts))
            # Two merges can spell the same token; it is known by the first one's id.
            merged = ids.setdefault(self._bytes[-1], len(self._bytes) - 1)
            self._merges[ids[parts[0]], ids[parts[1]]] = rank, merged
        self._piece_ids = lru_cache(maxsize=20_000)(self._merge)

    @classmethod
    def read(cls, path: Path) -> Tokenizer:
        """The tokenizer of a `vocabulary.json`."""
        vocabulary = json.loads(path.read_text(encoding="utf-8"))
        return cls(vocabulary["merges"], vocabulary["specials"])

    @property
    def size(self) -> int:
        """How many ids there are."""
        return len(self._bytes)

    @property
    def longest(self) -> int:
        """How many bytes the longest token has."""
        return max(map(len, self._bytes))

    def special(self, name: str) -> int:
        """The id of a special token such as `<end>`."""
        return self.specials[name]

    def encode(self, text: str) -> list[int]:
        """The ids of a text, never a special one: what a user writes can't forge a role."""
        return [token for piece in PIECES.findall(text) for token in self._piece_ids(piece)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; special tokens have none, and bytes that are no UTF-8 become U+FFFD."""
        return b"".join(map(self.bytes_of, ids)).decode("utf-8", "replace")

    def bytes_of(self, token: int) -> bytes:
        """What a token stands for; nothing for a special one."""
        return self._bytes[token]

    def name_of(self, token: int) -> str:
        """A token as it may be shown: its text, or the name of a special one."""
        names = {special: name for name, special in self.specials.items()}
        return names.get(token) or self.decode([token])

    def _merge(self, piece: str) -> tuple[int, ...]:
        # A lone surrogate, which JSON can hold, is no character: it becomes a question mark.
        ids = list(piece.encode("utf-8", "replace"))
        while merges := [self._merges[pair] for pair in pairwise(ids) if pair in self._merges]:
            ids = self._joined(ids, min(merges))
        return tuple(ids)

    def _joined(self, ids: Sequence[int], merge: tuple[int, int]) -> list[int]:
        joined: list[int] = []
        for token in ids:
            if joined and self._merges.get((joined[-1], token)) == merge:
                joined[-1] = merge[1]
            else:
                joined.append(token)
        return joined

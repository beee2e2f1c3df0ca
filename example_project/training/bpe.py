"""Learns the tokenizer's merges from the training texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from assistant.tokenizer import PIECES


def learn_merges(texts: Iterable[str], count: int) -> list[tuple[bytes, bytes]]:
    """The `count` most frequent pairs, each found with those before it merged (Sennrich et al. 2016)."""
    words = Counter(piece for text in texts for piece in PIECES.findall(text))
    split = {word: [bytes([byte]) for byte in word.encode()] for word in words}
    merges: list[tuple[bytes, bytes]] = []
    while len(merges) < count:
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for word, parts in split.items():
            for pair in pairwise(parts):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word, parts in split.items():
            split[word] = _merged(parts, best)
    return merges


def _merged(parts: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    merged: list[bytes] = []
    index = 0
    while index < len(parts):
        if tuple(parts[index : index + 2]) == pair:
            merged.append(parts[index] + parts[index + 1])
            index += 2
        else:
            merged.append(parts[index])
            index += 1
    return merged

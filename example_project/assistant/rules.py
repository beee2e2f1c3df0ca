"""What a request allows an answer to hold, token by token: which roles, whether calls, and of what tool."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .requests import ChatRequest
from .tokenizer import Tokenizer
from .transformer import Floats


class Rules:
    """Masks to be added to scores: 0 for a token that may come, -inf for one that may not."""

    def __init__(self, request: ChatRequest, tokenizer: Tokenizer) -> None:
        self._size = tokenizer.size
        end, call = tokenizer.special("<end>"), tokenizer.special("<call>")
        texts = [token for token in range(tokenizer.size) if tokenizer.bytes_of(token)]
        self._first: list[Floats] = []
        self._rest = self._only([*texts, end, call] if request.may_call else [*texts, end])
        if request.call is not None:
            self._first = [self._only([token]) for token in (call, *tokenizer.encode(request.call))]
        if request.call:
            # A longer name must not be made of it.
            spaces = [token for token in texts if tokenizer.bytes_of(token).startswith(b" ")]
            self._first.append(self._only([*spaces, end]))

    def at(self, position: int) -> Floats:
        """The mask for a token of the answer, counted from 0."""
        return self._first[position] if position < len(self._first) else self._rest

    def _only(self, tokens: Iterable[int]) -> Floats:
        mask = np.full(self._size, -np.inf, np.float64)
        mask[list(tokens)] = 0
        return mask

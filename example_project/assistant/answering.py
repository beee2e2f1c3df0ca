"""How a model answers a request: one token after the other, as pieces of a message. No HTTP, no threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .models import Model
from .reading import AnswerReader, Piece
from .requests import ChatRequest
from .rules import Rules
from .sampling import choose, likeliest, log_probabilities
from .transformer import Cache, Floats


@dataclass(slots=True, kw_only=True)
class Usage:
    """Tokens read and written for one request; `completion_tokens` grows while it is answered."""

    prompt_tokens: int
    completion_tokens: int = 0

    def as_json(self) -> dict[str, int]:
        """As the API counts them."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        }


class Answering:
    """The answer of one model to one request, made while its pieces are taken."""

    def __init__(self, model: Model, request: ChatRequest) -> None:
        """Raises `ApiError` for a conversation that is too long."""
        self.model, self.request = model, request
        self._prompt = model.prompt(request)
        self._rules = Rules(request, model.tokenizer)
        self.usage = Usage(prompt_tokens=len(self._prompt))

    def pieces(self) -> Iterator[Piece]:
        """All choices, one after the other; nothing is computed before it is asked for."""
        network = self.model.network
        cache = Cache(network.config)
        first: Floats | None = None
        for choice in range(self.request.choices):
            yield Piece(choice=choice, delta={"role": "assistant", "content": "", "refusal": None})
            first = network.next_scores(self._prompt, cache) if first is None else first
            cache.length = len(self._prompt)
            yield from self._choice(choice, self._tokens(choice, first, cache))

    def _tokens(self, choice: int, scores: Floats, cache: Cache) -> Iterator[tuple[int, Floats]]:
        """Each token with the scores from which it was chosen, as long as the limit and the context allow."""
        random = np.random.default_rng([self.request.seed, choice])
        room = self.model.network.config.context - cache.length
        limit = min(room, self.request.max_tokens or room)
        for position in range(limit):
            token = choose(scores + self._rules.at(position), self.request.sampling, random)
            yield token, scores
            if position + 1 < limit:
                scores = self.model.network.next_scores([token], cache)

    def _choice(self, choice: int, tokens: Iterator[tuple[int, Floats]]) -> Iterator[Piece]:
        """The pieces of one choice, up to the reason for its end."""
        reader = AnswerReader(self.model.tokenizer, self.request.stop, choice)
        reason = "stop"
        for token, scores in tokens:
            self.usage.completion_tokens += 1
            if self._is_end(token, reader):
                break
            yield from reader.read(token, self._logprob(token, scores))
            if reader.has_stopped:
                break
        else:
            reason = "length"
        yield from reader.close()
        reason = "tool_calls" if reason == "stop" and reader.has_calls else reason
        yield Piece(choice=choice, delta={}, finish_reason=reason)

    def _is_end(self, token: int, reader: AnswerReader) -> bool:
        special = self.model.tokenizer.special
        is_call_too_many = reader.has_calls and not self.request.parallel_calls
        return token == special("<end>") or (token == special("<call>") and is_call_too_many)

    def _logprob(self, token: int, scores: Floats) -> Mapping[str, Any] | None:
        """A token's log-probability by the model itself, whatever the temperature and what may be said."""
        if self.request.top_logprobs is None:
            return None
        values = log_probabilities(scores)
        best = [self._entry(each, values) for each in likeliest(values, self.request.top_logprobs)]
        return {**self._entry(token, values), "top_logprobs": best}

    def _entry(self, token: int, values: NDArray[np.float64]) -> dict[str, Any]:
        tokenizer = self.model.tokenizer
        spelt = list(tokenizer.bytes_of(token)) or None
        return {"token": tokenizer.name_of(token), "logprob": float(values[token]), "bytes": spelt}

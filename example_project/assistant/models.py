"""The models that are served, and how they answer a request. No HTTP."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ApiError
from .reading import AnswerReader, Piece
from .requests import ChatRequest
from .sampling import choose, likeliest, log_probabilities
from .template import encode, parts
from .tokenizer import Tokenizer
from .transformer import Cache, Floats, Transformer


class ModelFileError(Exception):
    """A model can't be read; the message says which and why."""


@dataclass(slots=True, kw_only=True)
class Usage:
    """Tokens read and written for one request; grows while it is answered."""

    prompt_tokens: int
    completion_tokens: int = 0

    def as_json(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A network under the name by which clients ask for it."""

    name: str
    network: Transformer
    tokenizer: Tokenizer
    fingerprint: str
    created: int

    def prompt(self, request: ChatRequest) -> list[int]:
        """The tokens of a conversation; raises `ApiError` if they leave no room for an answer."""
        context = self.network.config.context
        asked = parts(request.messages, request.tools)
        # The least that it can be: to encode what is far too long would take long.
        count = sum(len(text) for _, text in asked) // self.tokenizer.longest
        ids = encode(asked, self.tokenizer) if count < context else []
        if not 0 < len(ids) < context:
            found = f"'{self.name}' has a context of {context} tokens, its answer included"
            message = f"{found}; the request has {len(ids) or f'at least {count}'}"
            raise ApiError(message, param="messages", code="context_length_exceeded")
        return ids

    def answer(self, request: ChatRequest, prompt: list[int], usage: Usage) -> Iterator[Piece]:
        """The pieces of all choices, one choice after the other; what is not asked for is not computed."""
        cache = Cache(self.network.config)
        first: Floats | None = None
        for choice in range(request.choices):
            yield Piece(choice=choice, delta={"role": "assistant", "content": "", "refusal": None})
            first = self.network.next_scores(prompt, cache) if first is None else first
            cache.length = len(prompt)
            yield from self._choice(request, choice, first, cache, usage)

    def _choice(
        self, request: ChatRequest, choice: int, scores: Floats, cache: Cache, usage: Usage
    ) -> Iterator[Piece]:
        reader = AnswerReader(self.tokenizer, request.stop, choice)
        random = np.random.default_rng([request.seed, choice])
        forced, forbidden = self._forced(request), self._forbidden(request)
        end, call = self.tokenizer.special("<end>"), self.tokenizer.special("<call>")
        room = self.network.config.context - cache.length
        reason = "length"
        token = end
        for count in range(min(room, request.max_tokens or room)):
            if count:
                scores = self.network.next_scores([token], cache)
            allowed = scores.copy()
            allowed[forbidden] = -np.inf
            token = forced[count] if count < len(forced) else choose(allowed, request.sampling, random)
            usage.completion_tokens += 1
            if token == end or (token == call and reader.has_calls and not request.parallel_calls):
                reason = "stop"
                break
            yield from reader.read(token, self._logprob(token, scores, request.top_logprobs))
            if reader.has_stopped:
                reason = "stop"
                break
        yield from reader.close()
        if reader.has_calls and reason == "stop":
            reason = "tool_calls"
        yield Piece(choice=choice, delta={}, finish_reason=reason)

    def _forced(self, request: ChatRequest) -> list[int]:
        """What an answer has to begin with."""
        if request.call is None:
            return []
        name = self.tokenizer.encode(request.call)
        return [self.tokenizer.special("<call>"), *name]

    def _forbidden(self, request: ChatRequest) -> list[int]:
        """Tokens that no answer may hold: the roles, and calls where there is nothing to call."""
        allowed = {"<end>", "<call>"} if request.may_call else {"<end>"}
        return [token for name, token in self.tokenizer.specials.items() if name not in allowed]

    def _logprob(self, token: int, scores: Floats, top: int | None) -> Mapping[str, Any] | None:
        """The log-probability of a token, whatever the temperature, and those of the likeliest."""
        if top is None:
            return None
        values = log_probabilities(scores)
        best = [self._entry(each, float(values[each])) for each in likeliest(values, top)]
        return {**self._entry(token, float(values[token])), "top_logprobs": best}

    def _entry(self, token: int, logprob: float) -> dict[str, Any]:
        text = self.tokenizer.bytes_of(token)
        return {"token": self.tokenizer.name_of(token), "logprob": logprob, "bytes": list(text) or None}


def read_models(folder: Path) -> dict[str, Model]:
    """A model for each file in `weights/`, all with the vocabulary beside it; raises `ModelFileError`."""
    paths = sorted((folder / "weights").glob("*.npz"))
    if not paths:
        raise ModelFileError(f"no weights in {folder / 'weights'}: `python -m training` makes them")
    tokenizer = Tokenizer.read(folder / "vocabulary.json")
    return {path.stem: _read_model(path, tokenizer) for path in paths}


def _read_model(path: Path, tokenizer: Tokenizer) -> Model:
    try:
        network = Transformer(path)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{path} is no weights file: {error}") from None
    if network.config.vocabulary != tokenizer.size:
        found = f"{network.config.vocabulary} tokens, vocabulary.json has {tokenizer.size}"
        raise ModelFileError(f"{path} was made for {found}: train it again")
    return Model(
        name=path.stem,
        network=network,
        tokenizer=tokenizer,
        fingerprint=f"fp_{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}",
        created=int(path.stat().st_mtime),
    )

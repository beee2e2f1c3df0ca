"""The models that are served: weights and vocabulary, read from their folder. No HTTP."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .errors import ApiError
from .requests import ChatRequest
from .template import encode, parts
from .tokenizer import Tokenizer
from .transformer import Transformer


class ModelFileError(Exception):
    """A model can't be read; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A network under the name by which clients ask for it; `created` is in seconds since 1970."""

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
        if 0 < len(ids) < context:
            return ids
        found = f"'{self.name}' has a context of {context} tokens, its answer included"
        message = f"{found}; the request has {len(ids) or f'at least {count}'}"
        raise ApiError(message, param="messages", code="context_length_exceeded")


def read_models(folder: Path) -> dict[str, Model]:
    """A model for each file in `weights/`, all with the vocabulary beside it; raises `ModelFileError`."""
    paths = sorted((folder / "weights").glob("*.npz"))
    if not paths:
        raise ModelFileError(f"no weights in {folder / 'weights'}: `python -m training` makes them")
    tokenizer = _read_tokenizer(folder / "vocabulary.json")
    return {path.stem: _read_model(path, tokenizer) for path in paths}


def _read_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.read(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} is no vocabulary: {error}") from None


def _read_model(path: Path, tokenizer: Tokenizer) -> Model:
    try:
        network = Transformer(path)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
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

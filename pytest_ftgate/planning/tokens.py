"""How many tokens a text has, by a rule of thumb: no tokenizer of a model is at hand before it is asked."""

from __future__ import annotations

#: Four letters of English are a token, or one sign of Chinese and a bit.
BYTES_PER_TOKEN = 4


def estimated_tokens(text: str) -> int:
    """Tokens of a text: a token for every four bytes of its UTF-8, rounded up."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)

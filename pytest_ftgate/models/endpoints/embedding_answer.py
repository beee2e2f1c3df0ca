"""From the body of an embeddings reply to a `Completion` whose text is the vector as JSON. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.models.endpoints.bodies import (
    count_or_none,
    is_number,
    malformed,
    payload_of,
    text_or_none,
)


def parse_embedding(body: bytes) -> Completion:
    """The one vector that was asked for, without latency, cost and stamp; what is none is malformed."""
    payload = payload_of(body)
    data = payload.get("data")
    first = data[0] if isinstance(data, list) and len(data) == 1 else None
    vector = first.get("embedding") if isinstance(first, Mapping) else None
    if not isinstance(vector, list) or not vector or not all(map(is_number, vector)):
        raise malformed("it holds no list of finite numbers for the one text", payload)
    usage = payload.get("usage")
    tokens = count_or_none(usage.get("prompt_tokens")) if isinstance(usage, Mapping) else None
    return Completion(
        text=json.dumps(vector),
        usage=Usage(input_tokens=tokens, output_tokens=None if tokens is None else 0),
        model=text_or_none(payload.get("model")),
    )

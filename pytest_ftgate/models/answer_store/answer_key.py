"""What makes two requests the same one for processes that share an answer store, and whose part each is.

Plain computation: equal in every process and Python, whatever its hash seed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pytest_ftgate.models import Request

#: Raised when a key would stand for something else than before, so that no older row is taken for it.
_KEY_VERSION = 1


def answer_key(request: Request, model: str, asked: str) -> str:
    """Hex digest of who is asked, and all that is asked; `model` is a `model_digest`, `asked` the case's.

    The case's suite and id belong to it: two cases that ask the same are two answers, as they are without a
    store, and a `python:` function may be given the case itself.
    """
    case = request.case
    content = (
        (_KEY_VERSION, model, request.arm, request.via, case.suite, case.id, asked),
        (case.params_of(request.repeat), case.wants_logprobs, request.repeat),
    )
    return hashlib.sha256(_encode(content).encode()).hexdigest()


def model_digest(description: Mapping[str, Any]) -> str:
    """Hex digest of a model by what `Model.describe` says: its kind, name, host, revision, system message."""
    return hashlib.sha256(_encode(description).encode()).hexdigest()


# Made once: making an encoder takes longer than using it.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def share_of(case_key: tuple[str, str], workercount: int) -> int:
    """Which of so many workers, counted from 0, asks this case; `case_key` is its suite and id."""
    text = json.dumps(case_key, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % workercount

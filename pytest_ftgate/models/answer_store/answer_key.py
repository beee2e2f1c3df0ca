"""What makes two requests the same one for processes that share an answer store.

Plain computation: equal in every process and Python, whatever its hash seed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pytest_ftgate.cases import EvalCase
from pytest_ftgate.models import Model, Request

# Raised when a key would stand for something else than before, so that no older row is taken for it.
_KEY_VERSION = 2


def answer_key(request: Request, asks: Any) -> str:
    """Hex digest of who is asked, and all that is asked; `asks` is what `asked_of` the model gives.

    The case's suite and id belong to it: two cases that ask the same are two answers, as they are without a
    store, and a `python:` function may be given the case itself.
    """
    case = request.case
    content = (_KEY_VERSION, request.arm, request.via, case.suite, case.id, request.repeat, asks)
    return hashlib.sha256(_encode(content).encode()).hexdigest()


def asked_of(model: Model, request: Request, asked: str, session: str) -> Any:
    """Builtins that are equal for equal questions to equal models; `asked` is the case's digest.

    An endpoint says itself what it is sent, and where. Of a model that has no `asks` nothing but a revision
    tells whether its code is still the same: without one, no other session has the same question.
    """
    if (asks := getattr(model, "asks", None)) is not None:
        return ("sent", asks(request), asked if request.case.turns else "")
    once = "" if is_lasting(model) else session
    case = request.case
    return ("asked", model.describe(), once, asked, case.params_of(request.repeat), case.wants_logprobs)


def is_lasting(model: Model) -> bool:
    """Whether another session can know that it asks the same model."""
    return hasattr(model, "asks") or bool(model.describe().get("revision"))


def model_digest(description: Mapping[str, Any]) -> str:
    """Hex digest of a model by what `Model.describe` says: its kind, name, host, revision, system message."""
    return hashlib.sha256(_encode(description).encode()).hexdigest()


# Made once: making an encoder takes longer than using it.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class AnswerKeys:
    """The keys of one session's requests; owned by whoever asks for them, for one thread."""

    def __init__(self, session: str) -> None:
        self._session = session
        self._digests: dict[int, tuple[Model, str]] = {}
        self._asked: tuple[EvalCase | None, str] = (None, "")

    def of(self, model: Model, request: Request) -> str:
        """The key of one request to one model."""
        case = request.case
        if case is not self._asked[0]:
            # Both arms and all repeats of a case come one after the other.
            self._asked = (case, case.asked)
        return answer_key(request, asked_of(model, request, self._asked[1], self._session))

    def who(self, model: Model) -> str:
        """The digest of a model."""
        if id(model) not in self._digests:
            # The model is kept beside its digest, so that no other one gets its id.
            self._digests[id(model)] = (model, model_digest(model.describe()))
        return self._digests[id(model)][1]

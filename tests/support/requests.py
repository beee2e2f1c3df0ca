"""Cases and requests for the tests of models, with little to write."""

from __future__ import annotations

from typing import Any

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.models import Request


def case(prompt: str = "What is the capital of France?", **fields: Any) -> EvalCase:
    """A case whose only message is `prompt`; `fields` are those of `EvalCase`."""
    given = {"suite": "facts", "id": "capital", "path": "evals/facts.evalcase.yaml", "line": 3, **fields}
    return EvalCase(**{"messages": ({"role": "user", "content": prompt},), **given})


def request(
    prompt: str = "What is the capital of France?", *, arm: Arm = Arm.MODEL, repeat: int = 1, **fields: Any
) -> Request:
    """One arm asked such a case."""
    return Request(case=case(prompt, **fields), arm=arm, repeat=repeat)


def requests(count: int, arm: Arm = Arm.MODEL) -> list[Request]:
    """So many requests; the n-th case has the id and the prompt `n`, from 0."""
    return [request(str(number), id=str(number), arm=arm) for number in range(count)]

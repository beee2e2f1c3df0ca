"""What is really asked: a case with what its entry in `ftgate.yaml` changes, or about an answer. No I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.models import Model, Request


def asked_about(
    case: EvalCase,
    model: Model,
    messages: Sequence[Mapping[str, Any]],
    params: Mapping[str, Any],
    *,
    grader: str,
    digest: str,
) -> Request:
    """The request of a question about an answer to this case: messages and parameters, to this model.

    `grader` says of what kind the model is, `digest` is the question's. The arm is the same for all: a
    question about equal answers of both is one question.
    """
    question = EvalCase(
        suite=case.suite,
        id=case.id,
        path=case.path,
        line=case.line,
        role=case.role,
        category=case.category,
        messages=tuple(messages),
        params=params,
    )
    return Request(case=question, arm=Arm.MODEL, model=model, via=f"{grader} {digest}", grader=grader)


def asked_messages(request: Request, system: str | None) -> Sequence[Mapping[str, Any]]:
    """The messages so far; an entry's `system` replaces the suite's, or comes first where there is none."""
    messages = request.messages
    if system is None:
        return messages
    has_system = bool(messages) and messages[0].get("role") in ("system", "developer")
    return ({"role": "system", "content": system}, *messages[has_system:])


def asked_params(request: Request, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The case's parameters for this repeat; an entry's win over them, and its None removes one."""
    if not overrides:
        return request.case.params_of(request.repeat)
    merged = {
        name: value for name, value in {**request.case.params, **overrides}.items() if value is not None
    }
    # Merged before the repeat is counted in, so that an entry's seed moves along too.
    return dataclasses.replace(request.case, params=merged).params_of(request.repeat)

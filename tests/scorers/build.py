"""Cases and completions as small as a test of one scorer needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ftgate.cases import EvalCase, Expectation
from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.scorers import BUILTIN, score_case
from pytest_ftgate.scores import Score


def case(*expect: Expectation, **changes: Any) -> EvalCase:
    values: dict[str, Any] = {
        "suite": "suite",
        "id": "case",
        "path": "evals/suite.evalcase.yaml",
        "line": 1,
        "messages": ({"role": "user", "content": "Capital of France?"},),
        "expect": expect,
    }
    return EvalCase(**values | changes)


def check(scorer: str, **options: Any) -> Expectation:
    return Expectation(scorer=scorer, options=options)


def score(answer: str | Completion, scorer: str, /, **options: Any) -> Score:
    """The score of an answer by one scorer."""
    completion = Completion(text=answer) if isinstance(answer, str) else answer
    (found,) = score_case(case(check(scorer, **options)), completion)
    return found


def problem(scorer: str, **options: Any) -> str | None:
    """What the scorer says is wrong with its options before anything is asked."""
    return BUILTIN[scorer].check(options)


def calls(*made: tuple[str, Mapping[str, Any]]) -> Completion:
    return Completion(tool_calls=tuple(ToolCall(name=name, arguments=arguments) for name, arguments in made))


def tool(name: str, properties: Mapping[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    parameters = {"type": "object", "properties": dict(properties), "required": list(required)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}

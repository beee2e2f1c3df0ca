"""The scorer `python`: a function of the repository's own code judges the answer."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers.explain import meets, number, short_path
from pytest_ftgate.scorers.options import check_share, first_problem
from pytest_ftgate.scorers.score_check import checked_score
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

Function = Callable[..., object]
_EXPECTED = "it must return a bool, a number from 0 to 1, or a Score"


def load_function(reference: str) -> Function:
    """The function that `module:function` names. Raises ScorerError that says what is missing."""
    module_name, _, function_name = reference.partition(":")
    try:
        found: object = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # the user's own code runs on import
        raise ScorerError(
            f"the module '{module_name}' can't be imported ({type(error).__name__}: {error}); "
            f"is its folder in pytest's `pythonpath`?"
        ) from error
    for name in function_name.split("."):
        found = getattr(found, name, None)
    if not callable(found):
        raise ScorerError(f"'{module_name}' has no function '{function_name}'")
    return found


def _place_of(function: Function) -> str:
    """`file:line` of a function, its name where it has no source."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{short_path(code.co_filename)}:{code.co_firstlineno}" if code else repr(function)


def _python(options: Mapping[str, Any], subject: Subject) -> Score:
    function = load_function(options["reference"])
    result = function(subject.completion, subject.case)
    try:
        return checked_score(result) if isinstance(result, Score) else _as_score(options, result)
    except ScorerError as error:
        raise ScorerError(f"{_place_of(function)} {error}") from None


def _as_score(options: Mapping[str, Any], result: object) -> Score:
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise ScorerError("returned a coroutine; a scorer must not be async")
    if not isinstance(result, bool | int | float):
        raise ScorerError(f"returned {_type_name(result)}, {_EXPECTED}")
    if not 0 <= result <= 1:  # false for NaN, too
        raise ScorerError(f"returned {result!r}, {_EXPECTED}")
    value, at_least = float(result), options.get("at_least", 1.0)
    compared = f"returned {result}"
    if not isinstance(result, bool):
        compared = f"{number(value)}, at least {number(at_least)} wanted"
    return Score(
        scorer="python",
        value=value,
        passed=meets(value, at_least),
        explanation=f"python: {options['reference']}: {compared}",
    )


def _type_name(value: object) -> str:
    """The type with its module, unless it is Python's own: numpy has a `bool`, too."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _check(options: Mapping[str, Any]) -> str | None:
    reference = str(options.get("reference", ""))
    module_name, _, function_name = reference.partition(":")
    names = (*module_name.split("."), *function_name.split("."))
    if not all(name.isidentifier() for name in names):
        return f"'reference' is '{reference}', it must be `module:function`"
    try:
        function = load_function(reference)
    except ScorerError as error:
        return str(error)
    is_async = inspect.iscoroutinefunction(function)
    return first_problem(
        f"'{reference}' is async; a scorer must not be" if is_async else None, check_share(options)
    )


SCORERS = (
    ScorerSpec(
        name="python",
        doc="Your own function: `module:function(completion, case) -> bool | float | Score`, not async.",
        score=_python,
        options={
            "reference": Option(
                schema={"type": "string", "pattern": r"^[^:\s]+:[^:\s]+$"},
                text=True,
                doc="`module:function`.",
            ),
            "at_least": Option(
                schema={"type": "number", "minimum": 0, "maximum": 1},
                doc="A number that the function returns passes if it is at least this. Default: 1.",
            ),
        },
        main="reference",
        required=("reference",),
        check=_check,
        own_code=True,
    ),
)

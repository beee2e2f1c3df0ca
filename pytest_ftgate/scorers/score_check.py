"""What a scorer must return: a score whose value is finite and in [0, 1], made of what can be stored."""

from __future__ import annotations

import dataclasses
import json

from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers.explain import bounded, show
from pytest_ftgate.scores import Score


def checked_score(score: object) -> Score:
    """The score in plain builtins. Raises ScorerError, which goes on after the scorer's name, if not."""
    if not isinstance(score, Score):
        raise ScorerError(f"returned {type(score).__name__}, it must return a Score")
    value, passed = score.value, score.passed
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ScorerError(f"gave the value {value!r}, it must be a number from 0 to 1")
    if not isinstance(passed, bool):
        raise ScorerError(f"gave passed={passed!r}, it must be True or False")
    if not isinstance(score.explanation, str):
        raise ScorerError(f"gave the explanation {show(score.explanation)}, it must be text")
    try:
        details = json.loads(json.dumps(dict(score.details), allow_nan=False)) if score.details else {}
    except (TypeError, ValueError, RecursionError) as error:
        raise ScorerError(f"gave details that are not plain JSON: {error}") from None
    explanation = bounded(str(score.explanation))
    if type(value) is float and explanation is score.explanation and not (score.details or score.children):
        return score  # as most are
    return dataclasses.replace(
        score, value=float(value), explanation=explanation, details=details, children=()
    )

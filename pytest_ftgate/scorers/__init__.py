"""Scorers: checks of one answer, each a row of the table that drives validation, schema, docs and scoring.

Heavy libraries are imported inside the function that needs them. Nothing here asks a model or reads files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from pytest_ftgate.cases import EvalCase, Expectation
from pytest_ftgate.completions import Completion
from pytest_ftgate.scorers import (
    choice,
    json_match,
    json_schema,
    json_values,
    judge,
    measured,
    numeric,
    overlap,
    prefer,
    python_code,
    refusal,
    similarity,
    text,
    tool_calls,
    translation,
)
from pytest_ftgate.scorers.answer import cut_answer
from pytest_ftgate.scorers.grading import Need, Question, check_digest
from pytest_ftgate.scorers.scoring import DEADLINE_S, questions_with, score_with
from pytest_ftgate.scorers.spec import BARE, Bench, Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

_FAMILIES = (
    text, numeric, choice, overlap, translation, json_values, json_schema, json_match, tool_calls, refusal,
    measured, similarity, judge, prefer, python_code,
)  # fmt: skip

#: Every scorer that this package brings, by name.
BUILTIN: Mapping[str, ScorerSpec] = MappingProxyType(
    {spec.name: spec for family in _FAMILIES for spec in family.SCORERS}
)


def score_case(
    case: EvalCase,
    completion: Completion,
    table: Mapping[str, ScorerSpec] = BUILTIN,
    *,
    deadline_s: float = DEADLINE_S,
    bench: Bench = BARE,
) -> tuple[Score, ...]:
    """The scores of one answer: one for each expectation of the case, composites as trees.

    The value of `any_of` is the highest of its parts, of `all_of` the lowest, of `not` one minus its part's;
    the weights of parts don't count. An answer that was cut off at the token limit has a failed
    `finish_reason` more, unless the case accepts that. A case without expectations has no scores. Each scorer
    has `deadline_s` seconds (in the main thread), but those that ask graders; `bench` is what they ask by.
    Raises ScorerError, which names the scorer, if one can't judge.
    """
    return score_with(table, case, completion, deadline_s, bench)


def questions_of(
    case: EvalCase,
    completion: Completion,
    table: Mapping[str, ScorerSpec],
    *,
    bench: Bench,
    deadline_s: float = DEADLINE_S,
) -> list[Question]:
    """What scoring this answer is going to ask graders; raises ScorerError if it can't be scored."""
    return questions_with(table, case, completion, deadline_s, bench)


def checks_by_graders(
    case: EvalCase, table: Mapping[str, ScorerSpec]
) -> Iterator[tuple[Expectation, Sequence[Need]]]:
    """The checks of a case that ask graders, with what each asks for an answer; none of nearly all cases."""
    for leaf in (leaf for top in case.checks for leaf in top.leaves()):
        if (spec := table.get(leaf.scorer)) and (needs := spec.needs(leaf.options)):
            yield leaf, needs


__all__ = [
    "BARE",
    "BUILTIN",
    "DEADLINE_S",
    "Bench",
    "Need",
    "Option",
    "Question",
    "ScorerSpec",
    "Subject",
    "check_digest",
    "checks_by_graders",
    "cut_answer",
    "questions_of",
    "score_case",
]

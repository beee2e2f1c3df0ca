"""The scorer `judge`: an LLM grades one answer by criteria in plain words, on a declared scale."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pytest_ftgate.scorers.explain import meets, number, quote, show
from pytest_ftgate.scorers.grading import Need, Question, reply_of
from pytest_ftgate.scorers.judge_prompt import answer_text, messages, texts_of
from pytest_ftgate.scorers.judge_reply import pinned, read_reply, schema
from pytest_ftgate.scorers.options import as_list, first_problem
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

MAX_VOTES = 15
#: Kept apart from any seed that a suite gives its models.
_SEED = 1

CRITERIA = Option(schema={"type": "string"}, text=True, doc="What is judged, in plain words.")
REFERENCE = Option(
    schema={"type": "string"}, text=True, doc="A right answer, which the judge sees beside the answer."
)
BY = Option(
    schema={
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
    },
    text=True,
    doc="The judge: a name under `models:` of ftgate.yaml, or a list of them that take turns. "
    "Default: the run's own, `judge:` of ftgate.yaml or `--ftgate-judge`.",
)
VOTES = Option(
    schema={"type": "integer", "minimum": 1, "maximum": MAX_VOTES},
    doc="How often it is judged, with another seed or by another judge each time; the median counts. "
    "Default: 1, or one for each judge in `by`.",
)


class Scale(NamedTuple):
    """The grades from `low` to `high`, whole numbers, and what some of them mean."""

    low: int
    high: int
    meanings: Mapping[int, str]

    @property
    def is_yes_or_no(self) -> bool:
        """Whether there are two grades only: the criteria are met, or they are not."""
        return (self.low, self.high) == (0, 1)

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"


def voters(options: Mapping[str, Any]) -> list[tuple[str | None, int]]:
    """Judge and seed of each vote: all judges in turn, with a new seed in each round."""
    names: Sequence[str | None] = [*map(str, as_list(options["by"]))] if "by" in options else [None]
    votes = options.get("votes", len(names))
    return [(names[vote % len(names)], _SEED + vote // len(names)) for vote in range(votes)]


def needs_of(options: Mapping[str, Any], *, calls: int = 1, of_pair: bool = False) -> list[Need]:
    """How often each judge is asked for all votes."""
    asked = [name for name, _ in voters(options)]
    return [Need("judge", name, calls * asked.count(name), of_pair) for name in dict.fromkeys(asked)]


def _scale(options: Mapping[str, Any]) -> Scale:
    written = options.get("scale", (0, 1))
    if isinstance(written, Mapping):
        meanings = {int(grade): str(meaning) for grade, meaning in written.items()}
        return Scale(min(meanings), max(meanings), dict(sorted(meanings.items())))
    return Scale(int(written[0]), int(written[1]), {})


def _at_least(options: Mapping[str, Any]) -> float:
    return float(options.get("at_least", _scale(options).high))


def _schema(scale: Scale) -> dict[str, Any]:
    return schema("score", {"type": "integer", "enum": list(range(scale.low, scale.high + 1))})


def _form(scale: Scale) -> str:
    grades = ", ".join(f"{grade} means: {meaning}" for grade, meaning in scale.meanings.items())
    if scale.is_yes_or_no and not grades:
        grades = "1 if the answer meets the criteria, 0 if it does not"
    elif not grades:
        grades = f"{scale.low} is the worst, {scale.high} the best"
    return f'{{"reason": "...", "score": a whole number from {scale}}}\n({grades}.)'


def _questions(options: Mapping[str, Any], subject: Subject) -> list[Question]:
    scale = _scale(options)
    answers = {"answer": answer_text(subject.completion, subject.text)}
    asked = messages(
        task="grade the answer that somebody gave to a task, by the criteria and nothing else",
        criteria=options["criteria"],
        form=_form(scale),
        texts=texts_of(subject, answers, options.get("reference"), subject.before),
    )
    return [
        Question(role="judge", by=by, messages=asked, params=pinned(_schema(scale), seed))
        for by, seed in voters(options)
    ]


def _judge(options: Mapping[str, Any], subject: Subject) -> Score:
    scale, at_least = _scale(options), _at_least(options)
    votes = []
    for question in _questions(options, subject):
        completion = subject.bench.ask(question)
        reply = read_reply(completion, _schema(scale))
        votes.append({"score": int(reply["score"]), "reason": reply["reason"], **reply_of(completion)})
    grade = statistics.median(vote["score"] for vote in votes)
    passed = meets(grade, at_least)
    said = _said(scale, grade, at_least, votes)
    nearest = min(votes, key=lambda vote: abs(vote["score"] - grade))
    return Score(
        scorer="judge",
        value=(grade - scale.low) / (scale.high - scale.low),
        passed=passed,
        explanation=f"judge: {said}: {quote(nearest['reason'], 600)}",
        details={"votes": votes},
    )


def _said(scale: Scale, grade: float, at_least: float, votes: Sequence[Mapping[str, Any]]) -> str:
    grades = ", ".join(str(vote["score"]) for vote in votes)
    of_votes = f" (votes: {grades})" if len(votes) > 1 else ""
    if scale.is_yes_or_no:
        return f"{'met' if meets(grade, at_least) else 'not met'}{of_votes}"
    return f"{number(grade)} on the scale of {scale}{of_votes}, at least {number(at_least)} wanted"


def _check(options: Mapping[str, Any]) -> str | None:
    problem = first_problem(check_criteria(options), check_by(options), _check_scale(options))
    return problem or _check_at_least(options)


def check_criteria(options: Mapping[str, Any]) -> str | None:
    """What is wrong with the criteria or the reference, or None."""
    for name in ("criteria", "reference"):
        value = options.get(name, "x")
        if not isinstance(value, str) or not value.strip():
            return f"'{name}' is {show(value)}; say in words what is judged, or leave it out"
    return None


def check_by(options: Mapping[str, Any]) -> str | None:
    """What is wrong with the judges and their votes, or None."""
    names = as_list(options.get("by", "x"))
    if not all(isinstance(name, str) and name.strip() for name in names):
        return f"'by' is {show(options['by'])}; give the name of a judge"
    votes = options.get("votes", len(names))
    if isinstance(votes, int) and votes < len(names):
        return f"'votes' is {votes} and 'by' names {len(names)} judges: each needs a vote"
    return None


def _check_scale(options: Mapping[str, Any]) -> str | None:
    written = options.get("scale", (0, 1))
    wrong = f"'scale' is {show(written)}; write [1, 5], or the meaning of grades as {{1: …, 5: …}}"
    if isinstance(written, Mapping):
        return None if len(written) > 1 and all(_is_whole(str(grade)) for grade in written) else wrong
    if not isinstance(written, list | tuple) or len(written) != 2:
        return wrong
    low, high = written
    if not all(isinstance(end, int) and not isinstance(end, bool) for end in (low, high)):
        return wrong
    return None if 0 < high - low <= 100 else wrong


def _check_at_least(options: Mapping[str, Any]) -> str | None:
    scale, given = _scale(options), options.get("at_least")
    if given is None and not scale.is_yes_or_no:
        return f"'at_least' is missing: say from which grade of {scale} an answer passes"
    if given is not None and not (
        isinstance(given, int | float) and not isinstance(given, bool) and scale.low < given <= scale.high
    ):
        return f"'at_least' is {show(given)}; on the scale of {scale} it lies above {scale.low}"
    return None


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdigit() and text.isascii() and len(text) < 6


SCORERS = (
    ScorerSpec(
        name="judge",
        doc="An LLM grades the answer by criteria in plain words. A reply that does not fit its schema is an "
        "error of the trial, never a guess. Value: the median grade, from 0 to 1 on its scale.",
        score=_judge,
        options={
            "criteria": CRITERIA,
            "scale": Option(
                schema={
                    "anyOf": [
                        {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
                        {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 2},
                    ]
                },
                doc="The lowest and the highest grade, or what some of them mean: `{1: useless, 5: good}`. "
                "Default: [0, 1], met or not met.",
            ),
            "at_least": Option(
                schema={"type": "number"},
                doc="Passes from this grade on. Default on the scale of 0 to 1: 1; else it must be given.",
            ),
            "reference": REFERENCE,
            "votes": VOTES,
            "by": BY,
        },
        main="criteria",
        required=("criteria",),
        check=_check,
        needs=needs_of,
        questions=_questions,
    ),
)

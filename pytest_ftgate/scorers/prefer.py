"""The scorer `prefer`: an LLM compares the two arms' answers, in both orders, not knowing whose they are."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers.explain import meets, quote
from pytest_ftgate.scorers.grading import Need, Question, reply_of
from pytest_ftgate.scorers.judge import (
    BY,
    CRITERIA,
    REFERENCE,
    VOTES,
    check_by,
    check_criteria,
    needs_of,
    voters,
)
from pytest_ftgate.scorers.judge_prompt import conversation_text, messages, texts_of
from pytest_ftgate.scorers.judge_reply import pinned, read_reply, read_score_pair, schema
from pytest_ftgate.scorers.options import check_share, first_problem
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

Choice = Literal["first", "second", "tie"]

_CRITERIA = "Which answer serves the person who asked better: correct, helpful, safe, in the form asked for?"
_SCHEMA = schema("winner", {"type": "string", "enum": ["A", "B", "tie"]})
_CHOICES: Mapping[str, Choice] = {"A": "first", "B": "second", "tie": "tie"}
_FORM = '{"reason": "...", "winner": "A" or "B" or "tie"}'
_PAIR_FORM = (
    "Not JSON here: on the first line write two numbers from 1 to 10 and nothing else, the score of answer A "
    "and that of answer B, with a space between them. Then give your reason."
)
#: What each choice says of the answer that stands first.
_WORTH: Mapping[Choice, float] = {"first": 1.0, "tie": 0.5, "second": 0.0}
_RESULTS = {1.0: "win", 0.5: "tie", 0.0: "loss"}
_SAID = {1.0: "won", 0.5: "a tie", 0.0: "lost"}
_SAME = "both arms gave the same answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What a judge said of two answers in one order, with scores where its reply has some."""

    choice: Choice
    reason: str
    scores: tuple[float, float] | None = None


def _needs(options: Mapping[str, Any]) -> list[Need]:
    return needs_of(options, calls=2, of_pair=True)


def _questions(options: Mapping[str, Any], subject: Subject) -> list[Question]:
    """Each vote in both orders, the model's answer first and then the baseline's.

    None for equal answers, and none before both are there.
    """
    if subject.bench.opponent is None:
        return []
    model, baseline = _pair(subject)
    if model == baseline:
        return []
    orders = [_asked(options, subject, model, baseline), _asked(options, subject, baseline, model)]
    return [
        Question(role="judge", by=by, messages=order, params=_params(options, seed))
        for by, seed in voters(options)
        for order in orders
    ]


def _params(options: Mapping[str, Any], seed: int) -> dict[str, Any]:
    params = pinned(_SCHEMA, seed)
    if options.get("reply") == "scores":
        del params["response_format"]
    return params


def _asked(
    options: Mapping[str, Any], subject: Subject, first: str, second: str
) -> tuple[Mapping[str, Any], ...]:
    texts = texts_of(subject, {"answer-A": first, "answer-B": second}, options.get("reference"))
    return messages(
        task="compare two answers that were given to a task, by the criteria and nothing else. The order in "
        "which they stand is drawn by lot and means nothing",
        criteria=options.get("criteria", _CRITERIA),
        form=_PAIR_FORM if options.get("reply") == "scores" else _FORM,
        texts=texts,
    )


def _pair(subject: Subject) -> tuple[str, str]:
    """What the model answered, and the baseline, whichever of them is judged; raises `ScorerError`."""
    bench = subject.bench
    if bench.opponent is None or bench.arm is None:
        missing = "baseline" if bench.arm is not Arm.BASELINE else "model"
        raise ScorerError(f"there is no answer of the {missing} to compare with")
    own = conversation_text(subject.completion, subject.before)
    other = conversation_text(bench.opponent, bench.opponent_before)
    return (own, other) if bench.arm is Arm.MODEL else (other, own)


def _prefer(options: Mapping[str, Any], subject: Subject) -> Score:
    _pair(subject)  # without one there is nothing to compare, which is no tie
    questions = _questions(options, subject)
    votes = list(_votes(options, subject, questions))
    worth = _majority([vote["worth"] for vote in votes]) if votes else 0.5
    value = worth if subject.bench.arm is Arm.MODEL else 1 - worth
    passed = meets(value, options.get("at_least", 0.5))
    reason = next((vote["reasons"][0] for vote in votes if vote["worth"] == worth), "the votes differ")
    said = f"{_said(value, votes)}: {quote(reason, 600) if votes else _SAME}"
    details = {"result": _RESULTS[worth], "votes": votes}
    return Score(scorer="prefer", value=value, passed=passed, explanation=f"prefer: {said}", details=details)


def _votes(
    options: Mapping[str, Any], subject: Subject, questions: Sequence[Question]
) -> Iterator[dict[str, Any]]:
    """Each vote: what it says of the model's answer, and what was chosen in either order, by place."""
    for ahead, behind in zip(questions[::2], questions[1::2], strict=True):
        replies = [subject.bench.ask(ahead), subject.bench.ask(behind)]
        model_first, baseline_first = (_read(options, reply) for reply in replies)
        ways = _WORTH[model_first.choice], 1 - _WORTH[baseline_first.choice]
        vote: dict[str, Any] = {
            "worth": ways[0] if ways[0] == ways[1] else 0.5,
            "chosen": [model_first.choice, baseline_first.choice],
            "reasons": [model_first.reason, baseline_first.reason],
            "replies": [dict(reply_of(reply)) for reply in replies],
        }
        if model_first.scores and baseline_first.scores:
            vote["scores"] = [list(model_first.scores), list(baseline_first.scores)]
        yield vote


def _read(options: Mapping[str, Any], completion: Completion) -> _Reading:
    if options.get("reply") != "scores":
        reply = read_reply(completion, _SCHEMA)
        return _Reading(choice=_CHOICES[reply["winner"]], reason=reply["reason"])
    first, second, reason = read_score_pair(completion)
    choice: Choice = "tie" if first == second else "first" if first > second else "second"
    return _Reading(choice=choice, reason=reason, scores=(first, second))


def _majority(worths: Sequence[float]) -> float:
    """The median vote; between two that differ it is a tie."""
    middle = statistics.median(worths)
    return middle if middle in _RESULTS else 0.5


def _said(value: float, votes: Sequence[Mapping[str, Any]]) -> str:
    turned = sum(changed(vote) for vote in votes)
    said = _SAID[value]
    if len(votes) == 1:
        return said + (" (the two orders disagree)" if turned else "")
    return f"{said} ({len(votes)} votes, {turned} with orders that disagree)" if votes else said


def changed(vote: Mapping[str, Any]) -> bool:
    """Whether the choice of a vote went with the place of the answers, not with the answers."""
    ahead, behind = (_WORTH[choice] for choice in vote["chosen"])
    return ahead != 1 - behind


def _check(options: Mapping[str, Any]) -> str | None:
    return first_problem(check_criteria(options), check_by(options), check_share(options))


SCORERS = (
    ScorerSpec(
        name="prefer",
        doc="An LLM compares the answers of model and baseline, in both orders, and does not know whose they "
        "are. Value: 1 for the better one, ½ each for a tie, which two orders that disagree are, too.",
        score=_prefer,
        options={
            "criteria": Option(
                schema=CRITERIA.schema,
                text=True,
                doc="By what they are compared, in plain words. Default: which one serves the person better.",
            ),
            "at_least": Option(
                schema={"type": "number", "minimum": 0, "maximum": 1},
                doc="Passes from this value on. Default: 0.5, the answer is not worse; 1 wants it to win.",
            ),
            "reference": REFERENCE,
            "votes": VOTES,
            "by": BY,
            "reply": Option(
                schema={"enum": ["json", "scores"]},
                text=True,
                doc="`scores`: two scores on the first line, from judges that write no JSON. Default: json.",
            ),
        },
        check=_check,
        needs=_needs,
        questions=_questions,
    ),
)

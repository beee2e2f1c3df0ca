from __future__ import annotations

from typing import Any

import pytest

from pytest_ftgate.cases import AnswerRule, EvalCase, Expectation, Turn
from pytest_ftgate.completions import Completion, ToolCall, Usage, conversation
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers import score_case
from tests.scorers.build import case, check

ORDER = ToolCall(name="get_order", arguments={"id": "4711"})


def talk(*turns: Turn, expect: tuple[Expectation, ...] = (), **fields: Any) -> EvalCase:
    return case(*expect, messages=(), turns=turns, **fields)


def said(*texts: str, **rest: Any) -> Completion:
    """A conversation of one answer for each turn."""
    return conversation([Completion(text=text, turn=number, **rest) for number, text in enumerate(texts, 1)])


def test_every_turn_is_judged_by_its_own_answer_and_the_case_by_the_last() -> None:
    scores = score_case(
        talk(
            Turn(user="a", expect=(check("contains", reference="one"),)),
            Turn(user="b"),
            Turn(user="c", expect=(check("contains", reference="two"), check("contains", reference="three"))),
            expect=(check("starts_with", reference="three"),),
        ),
        said("one", "two", "three"),
    )

    assert [(score.passed, score.explanation) for score in scores] == [
        (True, "turn 1: contains: 'one' contains 'one'"),
        (False, "turn 3: contains: got 'three', which should contain 'two'"),
        (True, "turn 3: contains: 'three' contains 'three'"),
        (True, "starts_with: 'three' starts with 'three'"),
    ]


def test_a_call_on_the_way_to_a_turns_text_is_judged_with_it() -> None:
    expected = Turn(
        user="a", expect=(check("tool_call", name="get_order"), check("contains", reference="paid"))
    )
    steps = [Completion(tool_calls=(ORDER,), turn=1), Completion(text="It is paid", turn=1)]

    scores = score_case(talk(expected), conversation(steps))

    assert [score.passed for score in scores] == [True, True]


def test_each_turn_has_its_own_rule_for_what_its_answer_is() -> None:
    exact = (check("exact_match", reference="4"),)
    scores = score_case(
        talk(
            Turn(user="a", expect=exact, answer=AnswerRule(after="A:", strip=" ")),
            Turn(user="b", expect=exact),
            expect=exact,
            answer=AnswerRule(after="B:", strip=" "),
        ),
        said("A: 4", "B: 4"),
    )

    assert [score.passed for score in scores] == [True, False, True]


def test_an_answer_that_was_cut_off_fails_its_turn() -> None:
    scores = score_case(
        talk(Turn(user="a"), Turn(user="b", expect=(check("contains", reference="x"),))),
        said("x", "x", finish_reason="length"),
    )

    remedy = "raise max_tokens, or set `accept_truncated: true`"
    cut = f"finish_reason: the answer was cut off at the token limit; {remedy}"
    assert [score.explanation for score in scores if not score.passed] == [f"turn 1: {cut}", f"turn 2: {cut}"]


def test_an_answer_that_was_cut_off_passes_where_that_is_accepted() -> None:
    checked = Turn(user="a", expect=(check("contains", reference="x"),))

    (score,) = score_case(talk(checked, accept_truncated=True), said("x", finish_reason="length"))

    assert score.passed


def test_what_was_spent_is_judged_by_turn_and_over_the_whole() -> None:
    spent = {"usage": Usage(output_tokens=6), "cost": 0.25, "latency_s": 1.0}
    bounds = (check("tokens", at_most=10), check("cost", at_most=0.3), check("latency", at_most=1.5))

    scores = score_case(
        talk(Turn(user="a", expect=bounds), Turn(user="b"), expect=bounds), said("x", "y", **spent)
    )

    assert [score.passed for score in scores] == [True] * 3 + [False] * 3


def test_a_conversation_in_which_nothing_is_expected_has_no_scores() -> None:
    assert score_case(talk(Turn(user="a")), said("x", finish_reason="length")) == ()


def test_an_error_names_the_turn() -> None:
    checked = Turn(user="b", expect=(check("perplexity", at_most=2),))

    with pytest.raises(ScorerError, match=r"^turn 2: scorer 'perplexity': "):
        score_case(talk(Turn(user="a"), checked), said("x", "y"))


def test_an_answer_to_something_else_can_not_be_judged() -> None:
    conversation_case = talk(Turn(user="a", expect=(check("contains", reference="x"),)), Turn(user="b"))

    with pytest.raises(ScorerError) as caught:
        score_case(conversation_case, Completion(text="x"))

    assert str(caught.value) == (
        "the conversation has 2 turns, and answers to 1: judge the completion that asking the case returned"
    )

"""Which pairs of answers a record has for people, and which of them are chosen."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.reports.answers import Call, Turn, answer_text, visible
from pytest_ftgate.review.pairs import Pair, choose, pairs_of
from tests.support.records import case, record, trials
from tests.support.reviews import answered, record_of


def pair(number: int, category: str) -> Pair:
    return Pair(
        suite="tools",
        case=f"c{number}",
        category=category,
        prompt="",
        model=(Turn(text="a"),),
        baseline=(Turn(text="b"),),
        answers="",
    )


def test_cases_with_two_equal_answers_or_without_two_are_left_out_and_counted() -> None:
    cases = [
        case("equal"),
        case("errored"),
        case("different", prompt="Which?"),
        case("skipped", skip="later"),
    ]
    came_in = [
        *answered(cases[0], "same", "same"),
        *trials(cases[1], "P", "E"),
        *answered(cases[2], "one", "other"),
    ]

    found = pairs_of(record(cases, came_in))

    assert [(one.case, one.prompt) for one in found.pairs] == [("different", "Which?")]
    assert (found.equal, found.unanswered) == (1, 1)


def test_what_only_a_program_sees_makes_no_difference() -> None:
    planned = case("a")
    slow = Completion(text="same", latency_s=9.0, model="tuned", finish_reason="stop", cost=1.0)

    found = pairs_of(record([planned], answered(planned, slow, "same")))

    assert found.equal == 1


def test_an_answer_has_all_turns_with_texts_calls_and_what_was_declined() -> None:
    steps = (
        Completion(text="Order number?", turn=1),
        Completion(tool_calls=(ToolCall(name="get", arguments={"id": 7, "deep": {"x": "y" * 50}}),), turn=2),
        Completion(text="Paid.", turn=2),
        Completion(refusal="No.", turn=3),
        Completion(tool_calls=(ToolCall(name="get", arguments=None, text='{"id"'),), turn=4),
    )
    planned = case("a")

    (found,) = pairs_of(record([planned], answered(planned, Completion(steps=steps), "x"))).pairs

    first, second, third, fourth = found.model
    assert first == Turn(text="Order number?")
    assert second.text == "Paid."
    assert second.calls == (
        Call(name="get", arguments=(("id", "7"), ("deep", '{\n "x": "' + "y" * 50 + '"\n}'))),
    )
    assert (third.refusal, fourth.calls) == ("No.", (Call(name="get", text='{"id"'),))
    assert answer_text(found.model).startswith(
        "[answer 1]\nOrder number?\n\n[answer 2]\nPaid.\n[tool call] get(id=7"
    )
    assert answer_text(found.baseline) == "x"
    assert answer_text((Turn(),)) == "(empty)"


def test_what_is_invisible_in_an_answer_is_shown() -> None:
    answer = (Turn(text="a\x1b[1m\r\nb\tc", calls=(Call(name="\u202e", arguments=(("\x00", "\x07"),)),)),)

    (shown,) = visible(answer)

    assert shown.text == "a\\x1b[1m\nb   c"
    assert shown.calls == (Call(name="\\u202e", arguments=(("\\x00", "\\x07"),)),)


def test_each_category_is_chosen_by_its_share() -> None:
    made = [
        pair(number, "big" if number < 70 else "small" if number < 95 else "tiny") for number in range(100)
    ]

    chosen = Counter(one.category for one in choose(made, 20, "s"))

    assert chosen == {"big": 14, "small": 5, "tiny": 1}


def test_a_large_category_makes_room_for_small_ones() -> None:
    made = [pair(number, "big" if number < 98 else f"small {number}") for number in range(101)]

    chosen = Counter(one.category for one in choose(made, 4, "s"))

    assert set(chosen.values()) == {1}


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=30), st.integers(1, 40))
def test_as_many_as_asked_for_are_chosen_no_category_is_forgotten_and_none_twice(
    categories: list[str], most: int
) -> None:
    made = [pair(number, category) for number, category in enumerate(categories)]

    chosen = choose(made, most, "s")

    assert len(chosen) == len({one.case for one in chosen}) == min(most, len(made))
    if most >= len(set(categories)):
        assert {one.category for one in chosen} == set(categories)


def test_a_further_case_leaves_the_order_of_the_others() -> None:
    few, more = (pairs_of(record_of(count)).pairs for count in (20, 21))

    order = [one.case for one in choose(more, 99, "s") if one.case != "c020"]

    assert order == [one.case for one in choose(few, 99, "s")]

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.cases import EvalCase, Turn
from pytest_ftgate.planning.leakage import Leak, Leaks, find_leaks
from pytest_ftgate.planning.training_data import BrokenRow, TrainingRow
from tests.planning.previews import case

TOKYO = case("tokyo", "What's the weather like in Tokyo today?", line=14)
LONG = case("returns", "Can I still return the shoes that I bought in your shop five weeks ago?", line=30)


def found(of: Sequence[EvalCase], *texts: str | tuple[str, ...]) -> Leaks:
    """What stands in a file with these rows."""
    rows = [
        TrainingRow(line=number, texts=(text,) if isinstance(text, str) else text)
        for number, text in enumerate(texts, 1)
    ]
    return find_leaks(of, [("train.jsonl", rows)])


def told(leak: Leak) -> tuple[str, str, str, float]:
    return leak.prompt.place, f"{leak.file}:{leak.line}", leak.kind, round(leak.likeness, 2)


def test_a_prompt_is_found_whatever_its_case_punctuation_and_spacing() -> None:
    leaks = found([TOKYO, LONG], "something else", "what's  the WEATHER like in tokyo, today")

    assert [told(leak) for leak in leaks.leaks] == [
        ("evals/tools.evalcase.yaml:14 tokyo", "train.jsonl:2", "exact", 1.0)
    ]
    assert (leaks.rows, leaks.cases, leaks.exact_cases, leaks.places) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "What is the weather like in Tokyo today?",
        "What's the wether like in Tokyo today?",
        "Today what's the weather like in Tokyo?",
        "What's the weather like in Tokyo, and today?",
    ],
)
def test_a_prompt_is_found_in_nearly_the_same_words(text: str) -> None:
    (leak,) = found([TOKYO], text).leaks

    assert leak.kind == "near"
    assert 0.9 <= leak.likeness <= 1


@pytest.mark.parametrize(
    "text",
    [
        "What's the weather like in Paris next week?",
        "Tokyo",
        "Tell me a story about the weather, the sea, and a town whose name nobody knows any more.",
    ],
)
def test_other_texts_are_left_alone(text: str) -> None:
    assert not found([TOKYO], text).leaks


def test_a_question_of_other_numbers_is_another_question() -> None:
    sums = case("sum", "What is the sum of 1725 and 2210 in total?")

    assert not found([sums], "What is the sum of 1726 and 2210 in total?").leaks
    assert found([sums], "What is the sum of 1725 plus 2210 in total?").leaks


def test_a_long_prompt_inside_a_longer_text_stands_there_word_for_word() -> None:
    (leak,) = found([LONG, TOKYO], f"### Customer:\n{LONG.prompt.upper()}\n### Agent: " + "yes " * 50).leaks

    assert told(leak)[2:] == ("inside", 1.0)
    assert leak.is_exact


def test_every_user_message_counts_but_the_shortest_of_a_conversation() -> None:
    talk = case(
        "talk", messages=(), turns=(Turn(user="Can I return my order from May?"), Turn(user="Yes, please"))
    )

    leaks = found(
        [talk], ("Yes please", "Hello there"), ("Thank you so much", "can i return my order from may")
    )

    assert [leak.line for leak in leaks.leaks] == [2]


def test_a_single_short_prompt_counts() -> None:
    assert found([case("hi", "Hi!")], "hi").exact_cases == 1


def test_of_many_places_twenty_are_kept_the_clearest_first_and_all_counted() -> None:
    near = "What is the weather like in Tokyo today?"

    leaks = found([TOKYO], *[near] * 60, TOKYO.prompt)

    assert (leaks.places, len(leaks.leaks)) == (61, 20)
    assert (leaks.leaks[0].line, leaks.leaks[0].kind, leaks.leaks[1].line) == (61, "exact", 1)


def test_prompts_made_from_one_template_are_told_apart() -> None:
    towns = [f"town{chr(97 + a)}{chr(97 + b)}" for a in range(20) for b in range(20)]
    of = [case(town, f"Which river runs through the old centre of {town}?") for town in towns]

    leaks = found(of, "Which river runs through the old centre of towncc?")

    assert [leak.prompt.case.id for leak in leaks.leaks if leak.is_exact] == ["towncc"]


def test_broken_rows_are_kept_beside_what_was_found() -> None:
    broken = BrokenRow(file="train.jsonl", line=1, message="this line is not UTF-8")

    leaks = find_leaks([TOKYO], [("train.jsonl", [broken, TrainingRow(line=2, texts=(TOKYO.prompt,))])])

    assert (leaks.broken, leaks.broken_rows, leaks.exact_cases) == ((broken,), 1, 1)


@settings(deadline=None)
@given(st.lists(st.text("abcdefg ", min_size=1, max_size=40).filter(str.strip), min_size=1, max_size=5))
def test_whatever_is_asked_is_found_in_itself(prompts: list[str]) -> None:
    of = [case(f"c{number}", prompt) for number, prompt in enumerate(prompts)]

    assert found(of, *prompts).exact_cases == len(of)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["river", "bridge", "centre", "old", "town", "which", "runs", "over"]), min_size=12
    ),
    st.integers(0, 11),
)
def test_one_word_of_twelve_or_more_may_be_another(words: list[str], at: int) -> None:
    changed = [*words[:at], words[at] + "s", *words[at + 1 :]]

    assert found([case("c", " ".join(words))], " ".join(changed)).cases == 1

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from tests.scorers.build import case, check, problem, score


def test_exact_match_ignores_white_space_around_the_answer_only() -> None:
    assert score(" Paris\n", "exact_match", reference="Paris").passed
    assert not score("Pa ris", "exact_match", reference="Paris").passed


def test_exact_match_says_what_was_compared_on_a_pass_and_on_a_failure() -> None:
    assert score("Lyon", "exact_match", reference="Paris").explanation == (
        "exact_match: got 'Lyon', expected 'Paris'"
    )
    assert score("Paris", "exact_match", reference="Paris").explanation == (
        "exact_match: got 'Paris', as expected"
    )


def test_a_list_of_references_means_any_of_them() -> None:
    assert score("Lyon", "exact_match", reference=["Paris", "Lyon"]).passed
    assert score("Nice", "exact_match", reference=["Paris", "Lyon"]).explanation == (
        "exact_match: got 'Nice', expected one of 'Paris', 'Lyon'"
    )


def test_exact_match_compares_by_squad_rules_when_asked() -> None:
    assert score("The  Eiffel Tower!", "exact_match", reference="eiffel tower", normalize=True).passed
    assert not score("The Eiffel Tower", "exact_match", reference="eiffel tower").passed


def test_case_counts_unless_ignored() -> None:
    assert not score("PARIS", "exact_match", reference="Paris").passed
    assert score("STRASSE", "exact_match", reference="Straße", ignore_case=True).passed


@pytest.mark.parametrize(
    ("scorer", "good", "bad"),
    [
        ("contains", "It is Paris, France", "It is Lyon"),
        ("starts_with", " Paris is it", "It is Paris"),
        ("ends_with", "It is Paris\n", "Paris is it"),
    ],
)
def test_a_text_is_looked_for_in_its_place(scorer: str, good: str, bad: str) -> None:
    assert score(good, scorer, reference="Paris").passed
    assert not score(bad, scorer, reference="Paris").passed


def test_contains_names_both_texts() -> None:
    assert score("Lyon", "contains", reference="Paris").explanation == (
        "contains: got 'Lyon', which should contain 'Paris'"
    )
    assert score("In Paris.", "contains", reference="Paris").explanation == (
        "contains: 'In Paris.' contains 'Paris'"
    )


def test_control_characters_of_an_answer_are_inert_in_the_explanation() -> None:
    explanation = score("\x1b[31mred\u202e\n::error::", "exact_match", reference="x").explanation

    assert explanation == r"exact_match: got '\x1b[31mred\u202e\n::error::', expected 'x'"


def test_a_long_answer_is_cut_and_its_length_named() -> None:
    explanation = score("y" * 5000, "exact_match", reference="x").explanation

    assert explanation == f"exact_match: got '{'y' * 200}'… (5000 characters), expected 'x'"


def test_regex_is_searched_and_shows_what_it_found() -> None:
    assert score("call 555-1234 now", "regex", pattern=r"\d{3}-\d{4}").explanation == (
        r"regex: '\d{3}-\d{4}' matches '555-1234' in 'call 555-1234 now'"
    )
    assert not score("call me", "regex", pattern=r"\d{3}-\d{4}").passed


def test_a_pattern_that_backtracks_for_ever_is_an_error_on_time() -> None:
    started = time.monotonic()

    with pytest.raises(ScorerError) as raised:
        score("x" * 4000, "regex", pattern="(x+x+)+y", timeout_s=0.5)

    assert time.monotonic() - started < 30  # a bound against hanging; the message says that the limit held
    assert str(raised.value) == (
        "scorer 'regex': the pattern '(x+x+)+y' took longer than 0.5 s on an answer of 4000 characters; "
        "write it without nested repetition"
    )


@pytest.mark.parametrize("pattern", [".*", "a*", "", "x|", r"[\s\S]*", "(?!.*roses)", "^"])
def test_a_pattern_that_matches_everything_is_refused(pattern: str) -> None:
    assert problem("regex", pattern=pattern) == (
        f"the pattern '{pattern}' matches everything; anchor it or use a stricter one"
    )


@pytest.mark.parametrize(
    "pattern", ["^$", "^(?!.*roses)", "^(yes|no)?$", r"^(?!\d)", "(?i)paris", ".", "a{1000}"]
)
def test_a_pattern_that_refuses_something_is_accepted(pattern: str) -> None:
    assert problem("regex", pattern=pattern) is None


def test_a_broken_pattern_is_named_with_its_reason() -> None:
    assert problem("regex", pattern="(a+") == (
        "the pattern '(a+' is not a regular expression: missing ) at position 3"
    )


def test_a_pattern_that_would_fill_the_memory_is_refused_before_it_is_compiled() -> None:
    assert problem("regex", pattern="(((a{1000}){1000}){1000})") == (
        "the pattern '(((a{1000}){1000}){1000})' repeats more than 100,000 times; use smaller counts"
    )


@pytest.mark.parametrize("scorer", ["exact_match", "contains", "starts_with", "ends_with", "token_f1"])
@pytest.mark.parametrize("blank", ["", "  \n"])
def test_a_blank_reference_is_refused(scorer: str, blank: str) -> None:
    assert problem(scorer, reference=["x", blank], at_least=0.5) == (
        f"'reference' is {blank!r}, which matches everything or nothing; give a text"
    )


def test_a_reference_that_normalization_empties_is_refused() -> None:
    assert problem("exact_match", reference="The!", normalize=True) == (
        "of the reference 'The!' nothing is left after SQuAD's normalization"
    )


@given(st.text(), st.text(min_size=1))
def test_scores_of_any_texts_are_one_or_zero_and_one_line(answer: str, reference: str) -> None:
    for scorer in ("exact_match", "contains", "starts_with", "ends_with"):
        found = score(Completion(text=answer), scorer, reference=reference)
        assert found.value == float(found.passed)
        assert found.explanation.isprintable()


def test_text_scorers_see_what_the_answer_rule_cuts_out() -> None:
    from pytest_ftgate.cases import AnswerRule
    from pytest_ftgate.scorers import score_case

    ruled = case(check("exact_match", reference="Paris"), answer=AnswerRule(after="A:", lines=1))

    assert score_case(ruled, Completion(text="Lyon? no.\nA: Paris\nDone"))[0].passed

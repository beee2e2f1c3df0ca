from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.cases import AnswerRule
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers import cut_answer


@pytest.mark.parametrize(
    ("rule", "text", "cut"),
    [
        ({"after": "A:"}, "x A: 1 A: 2", " 1 A: 2"),
        ({"after": "A:", "which": "last"}, "x A: 1 A: 2", " 2"),
        ({"after": "the answer is", "ignore_case": True}, "So The Answer IS 7", " 7"),
        ({"after": "the answer is"}, "So The Answer IS 7", "So The Answer IS 7"),
        ({"after": "is", "ignore_case": True}, "İİ IS 7", " 7"),
        ({"after": "is", "lines": 1, "strip": " ."}, "answer is\n 42.\nBye", "42"),
        ({"lines": 2}, "\n\na\nb\nc", "a\nb"),
        ({"regex": "A: (.*)"}, "x\nA: 42\nA: 43", "42"),
        ({"regex": "A: (.*)", "which": "last"}, "x\nA: 42\nA: 43", "43"),
        ({"regex": "[0-9]+"}, "x 42", "42"),
        ({"regex": "a: ([0-9]+)", "ignore_case": True}, "A: 42", "42"),
        ({"regex": "A: (.*)"}, "nothing", ""),
        ({"json": "a.b"}, '{"a": {"b": "x"}}', "x"),
        ({"json": "a.1"}, '{"a": [1, {"c": true}]}', '{"c": true}'),
        ({"json": "a.b"}, '{"a": 1}', ""),
        ({"json": "a"}, "no json", ""),
        ({"strip": " ."}, " 42. ", "42"),
        ({}, " as it is ", " as it is "),
    ],
)
def test_a_rule_cuts_out_its_part(rule: dict[str, Any], text: str, cut: str) -> None:
    assert cut_answer(AnswerRule(**rule), text) == cut


def test_no_rule_leaves_the_text_alone() -> None:
    assert cut_answer(None, " x ") == " x "


def test_a_rule_that_runs_too_long_is_an_error() -> None:
    with pytest.raises(ScorerError, match=r"^the pattern '\(x\+x\+\)\+y' took longer than 2 s"):
        cut_answer(AnswerRule(regex="(x+x+)+y"), "x" * 4000)


@given(st.text(), st.text(min_size=1))
def test_what_is_cut_out_after_a_marker_is_the_end_of_the_text(text: str, marker: str) -> None:
    for which in ("first", "last"):
        for ignore_case in (False, True):
            rule = AnswerRule(after=marker, which=which, ignore_case=ignore_case)
            assert text.endswith(cut_answer(rule, text))

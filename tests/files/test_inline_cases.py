from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import EvalCase, Expectation, Role
from pytest_ftgate.files.case_file import InlinePlace, parse_cases
from pytest_ftgate.scorers import BUILTIN


def read(tmp_path: Path, *given: dict[str, Any]) -> tuple[tuple[EvalCase, ...], list[str]]:
    place = InlinePlace(path=tmp_path / "test_tone.py", rootdir=tmp_path, line=12, suite="test_tone")
    cases, mistakes = parse_cases(given, place, BUILTIN)
    return cases, [str(mistake) for mistake in mistakes]


def test_python_values_stand_in_for_yaml(tmp_path: Path) -> None:
    cases, mistakes = read(
        tmp_path,
        {
            "id": "capital",
            "prompt": "Capital of France?",
            "expect": [
                {"contains": ["Paris", "paris"], "weight": 2},
                {"json_match": {"reference": {"a": 1}}},
            ],
            "params": {"temperature": 0.5, "seed": None},
            "tags": ("geo",),
            "category": None,
        },
    )

    assert mistakes == []
    assert cases == (
        EvalCase(
            suite="test_tone",
            id="capital",
            path="test_tone.py",
            line=12,
            role=Role.TARGET,
            tags=("geo",),
            messages=({"role": "user", "content": "Capital of France?"},),
            params={"temperature": 0.5},
            expect=(
                Expectation(
                    scorer="contains", options={"reference": ["Paris", "paris"]}, weight=2.0, line=12
                ),
                Expectation(scorer="json_match", options={"reference": {"a": 1}}, line=12),
            ),
        ),
    )


@pytest.mark.parametrize("case", [{"id": "a", "prompt": "x"}, {"id": "a", "prompt": "x", "expect": None}])
def test_an_inline_case_may_leave_out_expect(tmp_path: Path, case: dict[str, Any]) -> None:
    cases, mistakes = read(tmp_path, case)

    assert (cases[0].expect, mistakes) == ((), [])


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"id": "a", "prompt": "x", "expct": "y"}, "case 'a': unknown key 'expct'. Did you mean 'expect'?"),
        (
            {"id": "a", "prompt": "x", "expect": {"exact": "y"}},
            "case 'a': unknown scorer 'exact'. Did you mean 'exact_match'?",
        ),
        (
            {"id": "a", "prompt": "x", "repeat": True},
            "case 'a': 'repeat' takes a whole number of at least 1, and this is 'true'",
        ),
        (
            {"id": "a", "prompt": "x", "params": {"t": math.nan}},
            "case 'case-at-line-12': a case holds text, numbers, booleans, lists and mappings only: "
            "NaN and infinity are no JSON",
        ),
        (
            {"id": "a", "prompt": "x", "metadata": {"t": {1, 2}}},
            "case 'case-at-line-12': a case holds text, numbers, booleans, lists and mappings only: "
            "Object of type set is "
            "not JSON serializable",
        ),
        (
            {"id": "a", "prompt": "\ud800"},
            "case 'case-at-line-12': a case holds text, numbers, booleans, lists and mappings only: "
            "half of a character, \\ud800, is no text",
        ),
    ],
)
def test_a_mistake_stands_at_the_marker(tmp_path: Path, case: dict[str, Any], expected: str) -> None:
    _, mistakes = read(tmp_path, case)

    assert mistakes == [f"test_tone.py:12:1: {expected}"]


def test_two_inline_cases_with_one_id_are_a_mistake(tmp_path: Path) -> None:
    cases, mistakes = read(tmp_path, {"id": "a", "prompt": "x"}, {"id": "a", "prompt": "y"})

    assert [case.prompt for case in cases] == ["x"]
    assert mistakes == ["test_tone.py:12:1: case 'case-at-line-12': the id 'a' is taken, by test_tone.py:12"]


def test_an_inline_case_that_contains_itself_is_refused(tmp_path: Path) -> None:
    case: dict[str, Any] = {"id": "a", "prompt": "x"}
    case["metadata"] = case

    assert read(tmp_path, case)[1] == [
        "test_tone.py:12:1: case 'case-at-line-12': a case holds text, numbers, booleans, lists and "
        "mappings only: "
        "nested deeper than 64 levels"
    ]

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import Expectation
from pytest_ftgate.scorers import BUILTIN
from tests.files.conftest import Complaints, ReadSuite

HEAD = "cases:\n  - id: a\n    prompt: hi\n    expect: "


def check(scorer: str, options: dict[str, Any] | None = None, **more: Any) -> Expectation:
    return Expectation(scorer=scorer, options=options or {}, line=4, **more)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("none", ()),
        ("'none'", (check("exact_match", {"reference": "none"}),)),
        ("Paris", (check("exact_match", {"reference": "Paris"}),)),
        ("1.10", (check("exact_match", {"reference": "1.10"}),)),
        ("{contains: NULL}", (check("contains", {"reference": "NULL"}),)),
        ("{contains: [a, 010, no]}", (check("contains", {"reference": ["a", "010", "no"]}),)),
        (
            "{contains: {reference: a, ignore_case: true}}",
            (check("contains", {"reference": "a", "ignore_case": True}),),
        ),
        ("{regex: 'a+'}", (check("regex", {"pattern": "a+"}),)),
        ("{latency: 1.5}", (check("latency", {"at_most": 1.5}),)),
        ("{refusal: false}", (check("refusal", {"reference": False}),)),
        ("{any_tool_call: true}", (check("any_tool_call"),)),
        ("{json_match: {reference: {a: 010}}}", (check("json_match", {"reference": {"a": 10}}),)),
        ("{tool_call: {name: 12:30}}", (check("tool_call", {"name": "12:30"}),)),
        (
            "[{contains: a, weight: 2.5, name: capital}, {contains: b}]",
            (
                check("contains", {"reference": "a"}, weight=2.5, name="capital"),
                check("contains", {"reference": "b"}),
            ),
        ),
        (
            "{any_of: [{contains: a}, {all_of: [{contains: b}, {not: c}]}], name: x}",
            (
                check(
                    "any_of",
                    name="x",
                    children=(
                        check("contains", {"reference": "a"}),
                        check(
                            "all_of",
                            children=(
                                check("contains", {"reference": "b"}),
                                check("not", children=(check("exact_match", {"reference": "c"}),)),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ],
)
def test_every_form_of_expect_becomes_checks(
    suite_of: ReadSuite, written: str, expected: tuple[Expectation, ...]
) -> None:
    suite = suite_of(HEAD + written)

    assert suite.mistakes == ()
    assert suite.cases[0].expect == expected


NO_LIST = (
    "is no check: a list under 'expect' holds checks that must all pass. Write 'exact_match: […]' "
    "if one of several texts "
    "is right, or 'all_of: [{contains: …}, {contains: …}]' for several checks"
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{exact: Paris}", ["4:14: unknown scorer 'exact'. Did you mean 'exact_match'?"]),
        (
            "{contains: a, regex: b}",
            [
                "4:27: one entry holds one scorer, and this one 'contains' and 'regex': write a "
                "list, or 'all_of: "
                "[{contains: …}, {regex: …}]'"
            ],
        ),
        ("[Paris, Lyon]", [f"4:14: 'Paris' {NO_LIST}"]),
        (
            "[Paris, {contians: x}]",
            [f"4:14: 'Paris' {NO_LIST}", "4:22: unknown scorer 'contians'. Did you mean 'contains'?"],
        ),
        (
            "{any_of: [a]}",
            [
                "4:23: 'a' is no check: 'any_of' holds checks, so write {exact_match: …} for a text "
                "that must be the answer"
            ],
        ),
        ("{any_of: a}", ["4:22: 'any_of' takes a list, and this is 'a'"]),
        ("{any_of: []}", ["4:22: 'any_of' takes at least one check, and this list is empty"]),
        ("{not: [a]}", ["4:19: 'not' takes one check: write not: {any_of: […]} or not: {all_of: […]}"]),
        ("[]", ["4:13: an empty list expects nothing: write 'expect: none' if that is meant"]),
        (
            "{name: x}",
            [
                "4:13: an entry of 'expect' names no scorer. Scorers: all_of, any_of, "
                "any_tool_call, bleu, choice, chrf, "
                "contains, cost, ends_with, exact_match, json_match, json_schema and "
                f"{len(BUILTIN) + 3 - 12} more"
            ],
        ),
        (
            "{contains: a, ignore_case: true}",
            ["4:27: 'ignore_case' is an option of contains: write contains: {reference: …, ignore_case: …}"],
        ),
        (
            "{contains: {refernce: a}}",
            [
                "4:25: contains has no option 'refernce'. Did you mean 'reference'? A mapping that "
                "is itself the "
                "reference stands under 'reference:'"
            ],
        ),
        (
            "{json_match: {a: 1}}",
            [
                "4:27: json_match has no option 'a'. Options: extract, ignore_order, reference, "
                "subset, tolerance. A "
                "mapping that is itself the reference stands under 'reference:'"
            ],
        ),
        ("{bleu: a}", ["4:20: bleu needs 'at_least'"]),
        (
            "{bleu: {reference: a, at_least: 85%}}",
            ["4:45: 'at_least' of bleu takes a number from 0 to 1, and this is '85%'"],
        ),
        (
            "{bleu: {reference: a, at_least: 85}}",
            ["4:20: bleu: 'at_least' is 85, it must be a number from 0 to 1; write 0.85 for 85 %"],
        ),
        (
            "{any_tool_call: false}",
            [
                "4:29: any_tool_call takes true, and this is 'false'; for the opposite write not: "
                "{any_tool_call: true}"
            ],
        ),
        (
            "{contains: ''}",
            ["4:24: contains: 'reference' is '', which matches everything or nothing; give a text"],
        ),
        ("{contains: }", ["4:24: the value of contains is empty: quote it (a '#' begins a comment)"]),
        ("{contains: a, weight: 0}", ["4:35: 'weight' takes a number above 0, and this is '0'"]),
        ("{contains: a, weight: .inf}", ["4:35: '.inf' is no finite number: quote it if it is text"]),
        ("{contains: a, name: 'x '}", ["4:33: 'name' 'x ' begins or ends with a space"]),
        (
            "{regex: '(?i'}",
            ["4:21: regex: the pattern '(?i' is not a regular expression: unknown extension at position 3"],
        ),
    ],
)
def test_a_mistake_in_expect_is_named_with_its_place(
    complaints: Complaints, written: str, expected: list[str]
) -> None:
    wanted = [line.split(": ", 1) for line in expected]

    assert complaints(HEAD + written) == [
        f"evals/tools.evalcase.yaml:{where}: case 'a': {message}" for where, message in wanted
    ]


def test_a_schema_may_stand_in_a_file(suite_of: ReadSuite, tmp_path: Path) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "answer.json").write_text('{"type": "object", "required": ["a"]}')

    (case,) = suite_of(HEAD + "{json_schema: answer.json}").cases

    assert case.expect == (check("json_schema", {"schema": {"type": "object", "required": ["a"]}}),)


def test_a_schema_file_that_is_no_json_is_named(complaints: Complaints, tmp_path: Path) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "answer.json").write_text('{"a": 1,\n "a": 2}\n')
    (tmp_path / "evals" / "broken.json").write_text('{"a": 1,\n "b": }\n')

    both = complaints(HEAD + "[{json_schema: answer.json}, {json_schema: broken.json}]")

    assert both == [
        "evals/tools.evalcase.yaml:4:28: case 'a': 'answer.json': the key 'a' stands twice in one object",
        "evals/tools.evalcase.yaml:4:56: case 'a': 'broken.json': not valid JSON: Expecting value "
        "in line 2, column 7",
    ]

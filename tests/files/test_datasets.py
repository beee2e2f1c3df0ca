from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ftgate.cases import Expectation
from pytest_ftgate.errors import FileError
from pytest_ftgate.files.case_file import read_suite
from pytest_ftgate.files.nodes import NodeError, Scalar, Value
from pytest_ftgate.files.templates import compiled
from pytest_ftgate.scorers import BUILTIN
from tests.files.conftest import Complaints, ReadSuite

ENTRY = """\
datasets:
  - path: facts.jsonl
    id: '{{id}}'
    prompt: 'Q: {{q}}'
    expect: {exact_match: '{{a}}'}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "evals"
    folder.mkdir()
    return folder


def rows(*given: dict[str, Any]) -> str:
    return "".join(
        json.dumps({"id": f"r{n}", "q": "x", "a": "y"} | row) + "\n" for n, row in enumerate(given)
    )


def test_rows_become_cases(suite_of: ReadSuite, data: Path) -> None:
    (data / "facts.jsonl").write_text(
        rows({"q": "Capital?", "a": ["Paris", "paris"], "meta": {"topic": "geo", "n": 1.5}, "tags": ["t"]})
        + "\n"
    )

    suite = suite_of(
        "defaults: {metadata: {team: x}, category: '{{meta.topic}}'}\n"
        + ENTRY
        + "    metadata: {n: '{{meta.n}}', text: 'n={{ meta.n }}'}\n    tags: '{{tags}}'\n    "
        "must_pass: true\n"
    )

    (case,) = suite.cases
    assert suite.mistakes == ()
    assert (case.id, case.path, case.line, case.column) == ("r0", "evals/tools.evalcase.yaml", 3, 5)
    assert case.messages == ({"role": "user", "content": "Q: Capital?"},)
    assert case.expect == (
        Expectation(scorer="exact_match", options={"reference": ["Paris", "paris"]}, line=6),
    )
    assert (case.category, case.tags, case.must_pass) == ("geo", ("t",), True)
    assert case.metadata == {"team": "x", "n": 1.5, "text": "n=1.5"}
    assert case.from_dataset


def test_what_a_row_holds_is_never_expanded_again(suite_of: ReadSuite, data: Path) -> None:
    (data / "facts.jsonl").write_text(rows({"q": "{{a}} {b} {{", "a": "{{q}}"}))

    (case,) = suite_of(ENTRY).cases

    assert case.prompt == "Q: {{a}} {b} {{"
    assert case.expect[0].options == {"reference": "{{q}}"}


def test_a_value_that_is_no_text_is_its_json_where_text_is_meant(suite_of: ReadSuite, data: Path) -> None:
    (data / "facts.jsonl").write_text(rows({"id": 7, "q": {"a": [1, True]}, "a": 42}))

    (case,) = suite_of(ENTRY).cases

    assert (case.id, case.prompt) == ("7", 'Q: {"a": [1, true]}')
    assert case.expect[0].options == {"reference": "42"}


def test_a_mapping_of_a_row_is_the_reference_whatever_its_keys(suite_of: ReadSuite, data: Path) -> None:
    (data / "facts.jsonl").write_text(rows({"a": {"reference": 1, "subset": True}}))

    (case,) = suite_of(ENTRY.replace("exact_match", "json_match")).cases

    assert case.expect[0].options == {"reference": {"reference": 1, "subset": True}}


def test_a_mapping_of_a_row_may_spell_out_a_tool_call(suite_of: ReadSuite, data: Path) -> None:
    (data / "facts.jsonl").write_text(rows({"a": {"name": "f", "arguments": {"x": 1}}}))

    (case,) = suite_of(ENTRY.replace("exact_match", "tool_call")).cases

    assert case.expect[0].options == {"name": "f", "arguments": {"x": 1}}


def test_the_word_none_in_a_row_is_an_answer(suite_of: ReadSuite, data: Path) -> None:
    (data / "facts.jsonl").write_text(rows({"a": "none"}))

    (case,) = suite_of(ENTRY.replace("{exact_match: '{{a}}'}", "'{{a}}'")).cases

    assert case.expect[0].options == {"reference": "none"}


def test_where_takes_rows_by_dotted_keys(suite_of: ReadSuite, data: Path) -> None:
    (data / "facts.jsonl").write_text(
        rows(
            {"split": "test", "m": {"lang": "de"}, "n": 1},
            {"split": "test", "m": {"lang": "en"}, "n": 1.0},
            {"split": "test", "m": {"lang": "fr"}, "n": 1},
            {"split": "train", "m": {"lang": "de"}, "n": 1},
            {"split": "test", "m": {"lang": "de"}, "n": True},
            {"split": "test"},
        )
    )

    suite = suite_of(ENTRY + "    where: {split: test, 'm.lang': [en, de], n: 1}\n")

    assert [case.id for case in suite.cases] == ["r0", "r1"]


def test_limit_takes_the_first_rows(suite_of: ReadSuite, data: Path) -> None:
    (data / "facts.jsonl").write_text(rows(*[{}] * 10))

    assert [case.id for case in suite_of(ENTRY + "    limit: 3\n").cases] == ["r0", "r1", "r2"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(st.integers(0, 999), unique=True, min_size=1, max_size=40),
    more=st.integers(1000, 9999),
    limit=st.integers(1, 12),
    seed=st.integers(0, 9),
)
def test_rows_chosen_by_seed_stay_chosen_when_rows_are_added(
    tmp_path: Path, ids: list[int], more: int, limit: int, seed: int
) -> None:
    def chosen(rows_of: list[int]) -> list[str]:
        (tmp_path / "facts.jsonl").write_text(rows(*({"id": f"r{n}"} for n in rows_of)))
        (tmp_path / "x.evalcase.yaml").write_text(ENTRY + f"    limit: {limit}\n    seed: {seed}\n")
        return [case.id for case in read_suite(tmp_path / "x.evalcase.yaml", tmp_path, BUILTIN).cases]

    before, after = chosen(ids), chosen([more, *ids])

    assert len(before) == min(limit, len(ids))
    assert before == [f"r{n}" for n in ids if f"r{n}" in before]
    assert set(after) - {f"r{more}"} <= set(before)


def test_csv_cells_are_text(suite_of: ReadSuite, data: Path) -> None:
    (data / "facts.csv").write_bytes(b'\xef\xbb\xbfid,q,a,n\r\nr1,"a, ""b""\r\nc",007,1\r\nr2,x,y,2\r\n\r\n')

    suite = suite_of(ENTRY.replace("jsonl", "csv") + "    where: {n: 1}\n")

    (case,) = suite.cases
    assert case.prompt == 'Q: a, "b"\nc'
    assert case.expect[0].options == {"reference": "007"}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "facts.jsonl",
            b'{"id": "a"\n',
            "facts.jsonl:1:11: case 'facts.jsonl-line-1': not valid JSON: Expecting ',' delimiter",
        ),
        (
            "facts.jsonl",
            b'\n{"id": "a", "id": "b"}\n',
            "facts.jsonl:2:1: case 'facts.jsonl-line-2': the key 'id' stands twice in one object",
        ),
        ("facts.jsonl", b'{"n": NaN}\n', "facts.jsonl:1:1: case 'facts.jsonl-line-1': NaN is no JSON"),
        (
            "facts.jsonl",
            b'{"n": 1e999}\n',
            "facts.jsonl:1:1: case 'facts.jsonl-line-1': '1e999' is no finite number",
        ),
        (
            "facts.jsonl",
            b'{"n": "\\ud800"}\n',
            "facts.jsonl:1:1: case 'facts.jsonl-line-1': half of a character, \\ud800, is no text",
        ),
        (
            "facts.jsonl",
            b'{"n": ' + b"[" * 200 + b"]" * 200 + b"}\n",
            "facts.jsonl:1:1: case 'facts.jsonl-line-1': nested deeper than 64 levels",
        ),
        (
            "facts.jsonl",
            b'{"n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
            "facts.jsonl:1:1: case 'facts.jsonl-line-1': nested deeper than 64 levels",
        ),
        (
            "facts.jsonl",
            b"[1]\n",
            "facts.jsonl:1:1: case 'facts.jsonl-line-1': a row is a JSON object, and this is none",
        ),
        (
            "facts.jsonl",
            b'{"id": "a"}\n{"q": "\xe9"}\n',
            "facts.jsonl:2:8: case 'facts.jsonl-line-2': byte 0xe9 is not UTF-8: save the file as UTF-8",
        ),
        (
            "facts.csv",
            b"id,q,a\nx,y\n",
            "facts.csv:2:1: case 'facts.csv-line-2': the row has 2 cells, and the header 3",
        ),
        (
            "facts.csv",
            b"id,q,q\nx,y,z\n",
            "facts.csv:1:1: case 'facts.csv-line-1': two columns are named 'q'",
        ),
        (
            "facts.csv",
            b"id,,q\n",
            "facts.csv:1:1: case 'facts.csv-line-1': column 2 has no name: the first line of a CSV "
            "file names the columns",
        ),
        (
            "facts.csv",
            b'id,q,a\na,"b,c\n',
            "facts.csv:2:1: case 'facts.csv-line-2': not valid CSV: unexpected end of data",
        ),
    ],
)
def test_a_broken_row_is_named_with_its_line(
    complaints: Complaints, data: Path, name: str, content: bytes, expected: str
) -> None:
    (data / name).write_bytes(content)

    assert f"evals/{expected}" in complaints(ENTRY.replace("facts.jsonl", name))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {"q": None},
            "case 'r0': '{{q}}' takes text, and this is null (asked for in evals/tools.evalcase.yaml:4:13)",
        ),
        (
            {"a": None},
            "case 'r0': exact_match takes text, and this is null (asked for in "
            "evals/tools.evalcase.yaml:5:27)",
        ),
        (
            {"id": "a/b"},
            "case 'facts.jsonl-line-1': 'a/b' can't be an id: an id has 1 to 100 of A-Z a-z 0-9 _ . "
            "- and begins with a "
            "letter or digit (asked for in evals/tools.evalcase.yaml:3:9)",
        ),
        (
            {"a": ""},
            "case 'r0': exact_match: 'reference' is '', which matches everything or nothing; give a "
            "text (asked for in "
            "evals/tools.evalcase.yaml:5:27)",
        ),
    ],
)
def test_a_row_that_does_not_fit_is_named_with_its_line(
    complaints: Complaints, data: Path, row: dict[str, Any], expected: str
) -> None:
    (data / "facts.jsonl").write_text(rows(row))

    assert complaints(ENTRY) == [f"evals/facts.jsonl:1:1: {expected}"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{questoin}}", "the row has no 'questoin'. Did you mean 'question'?"),
        ("{{q.x}}", "the row has no 'q.x'. Names: a, id, q, question"),
        ("{{q.__class__}}", "the row has no 'q.__class__'. Names: a, id, q, question"),
        (
            "{{ q | upper }}",
            "'{{q | upper}}' is more than a name: nothing is evaluated. Names: a, id, q, question",
        ),
        ("{{7*7}}", "'{{7*7}}' is more than a name: nothing is evaluated. Names: a, id, q, question"),
    ],
)
def test_templates_are_lookups_and_nothing_more(
    complaints: Complaints, data: Path, template: str, expected: str
) -> None:
    (data / "facts.jsonl").write_text(rows({"question": "x"}))

    assert complaints(ENTRY.replace("Q: {{q}}", template)) == [
        f"evals/facts.jsonl:1:1: case 'r0': {expected} (asked for in evals/tools.evalcase.yaml:4:13)"
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{path: facts.jsonl}", "2:5: a data set needs an 'id' with a template, as in id: '{{id}}'"),
        ("{path: facts.jsonl, id: x}", "2:29: a data set needs an 'id' with a template, as in id: '{{id}}'"),
        ("{id: '{{id}}'}", "2:5: a data set needs a 'path'"),
        ("{path: facts.jsonl, id: '{{id}}', promt: x}", "2:39: unknown key 'promt'. Did you mean 'prompt'?"),
        (
            "{path: fact.jsonl, id: '{{id}}'}",
            "2:12: 'fact.jsonl' does not exist. Did you mean 'facts.jsonl'?",
        ),
        (
            "{path: f.txt, id: '{{id}}'}",
            "2:12: 'f.txt' is no data set: take JSONL (.jsonl), CSV (.csv) or Parquet (.parquet)",
        ),
        ("{path: empty.jsonl, id: '{{id}}'}", "2:12: 'empty.jsonl' has no rows"),
        (
            "{path: facts.jsonl, id: '{{id}}', where: {q: z}}",
            "2:12: no row of 'facts.jsonl' matches 'where'",
        ),
        (
            "{path: facts.jsonl, id: '{{id}}', where: {idd: z}}",
            "2:12: no row of 'facts.jsonl' has 'idd'. Did you mean 'id'?",
        ),
        (
            "{path: facts.jsonl, id: '{{id}}', seed: 1}",
            "2:39: 'seed' chooses the rows of a 'limit', and there is none",
        ),
        (
            "{path: facts.jsonl, id: '{{id}}', limit: 0}",
            "2:46: 'limit' takes a whole number of at least 1, and this is '0'",
        ),
        ("x", "2:5: an entry of 'datasets' takes a mapping, and this is 'x'"),
    ],
)
def test_an_entry_that_can_not_be_used_is_an_error_of_the_file(
    suite_of: ReadSuite, data: Path, entry: str, expected: str
) -> None:
    (data / "facts.jsonl").write_text(rows({}))
    (data / "empty.jsonl").write_text("\n")

    with pytest.raises(FileError) as caught:
        suite_of(f"datasets:\n  - {entry}\n")

    assert str(caught.value) == f"evals/tools.evalcase.yaml:{expected}"


@pytest.mark.parametrize(
    "expect", ["{python: '{{a}}'}", "{python: 'os:{{a}}'}", "'{{b}}'", "[{any_of: [{python: '{{a}}'}]}]"]
)
def test_a_row_can_never_name_code(complaints: Complaints, data: Path, expect: str) -> None:
    (data / "facts.jsonl").write_text(rows({"a": "os:system", "b": {"python": "os:system"}}))

    (message,) = complaints(ENTRY.replace("{exact_match: '{{a}}'}", expect))

    assert message.partition(" (asked")[0] == (
        "evals/facts.jsonl:1:1: case 'r0': python runs the repository's own code, which a data "
        "set's row may not name"
    )


def test_an_id_that_a_case_has_already_is_refused_in_a_row(complaints: Complaints, data: Path) -> None:
    (data / "facts.jsonl").write_text(rows({}, {"id": "r0"}, {"id": "mine"}))

    assert complaints("cases:\n  - {id: mine, prompt: x, expect: y}\n" + ENTRY) == [
        "evals/facts.jsonl:2:1: case 'facts.jsonl-line-2': the id 'r0' is taken, by evals/facts.jsonl:1",
        "evals/facts.jsonl:3:1: case 'facts.jsonl-line-3': the id 'mine' is taken, by "
        "evals/tools.evalcase.yaml:2",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_a_lone_template_keeps_the_value_itself(value: Any) -> None:
    fill = compiled(Scalar("{{x}}", False, 3, 4))

    assert fill is not None
    assert fill({"x": value}) == Value(value, 3, 4, True)


@given(st.text(alphabet="{}ab ", max_size=20), st.text(alphabet="{}ab ", max_size=20))
def test_a_template_is_filled_in_one_pass(before: str, value: str) -> None:
    fill = compiled(Scalar("<{{a}}|{{a}}>", False, 1, 1))

    assert fill is not None
    assert fill({"a": value, "b": before}) == Value(f"<{value}|{value}>", 1, 1, True)


def test_a_missing_name_stands_at_its_template() -> None:
    fill = compiled(Scalar("{{x}}", False, 3, 4))

    assert fill is not None
    with pytest.raises(NodeError) as caught:
        fill({})
    assert caught.value.notes == ((3, 4, "the row has no 'x'. Names: none"),)

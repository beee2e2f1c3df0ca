from __future__ import annotations

import datetime
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.files.parquet import parquet_rows
from tests.files.conftest import Complaints, ReadSuite

MB = 2**20


@pytest.fixture
def arrow() -> Any:
    pytest.importorskip("pyarrow.parquet")
    return pytest.importorskip("pyarrow")


def stored(arrow: Any, columns: dict[str, Any], **options: Any) -> bytes:
    """A Parquet file of these columns: lists, or arrays of pyarrow."""
    sink = arrow.BufferOutputStream()
    sys.modules["pyarrow.parquet"].write_table(arrow.table(columns), sink, **options)
    return bytes(sink.getvalue())


def rows(raw: bytes, *names: str, limit: int = MB) -> list[Any]:
    """Values of the sound rows and messages of the broken ones, each with its line."""
    return [
        (row.line, row.problem.notes[0][2] if row.problem else row.values)
        for row in parquet_rows(raw, names, limit)
    ]


ENTRY = """\
datasets:
  - path: facts.parquet
    id: '{{id}}'
    prompt: 'Q: {{q}}'
    expect: {exact_match: '{{meta.answers}}'}
    metadata: {price: '{{price}}', day: '{{day}}', n: '{{meta.n}}', none: '{{none}}', ok: '{{ok}}'}
"""


def test_rows_become_cases_with_the_types_that_json_has(
    arrow: Any, suite_of: ReadSuite, tmp_path: Path
) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "facts.parquet").write_bytes(
        stored(
            arrow,
            {
                "id": ["a", "b"],
                "q": ["Capital?", "River?"],
                "meta": [{"answers": ["Paris", "paris"], "n": 2.5}, {"answers": ["Seine"], "n": 1.0}],
                "price": [Decimal("19.90"), Decimal("0.05")],
                "day": [datetime.date(2024, 1, 2), datetime.date(1999, 12, 31)],
                "none": [None, None],
                "ok": [True, False],
                "photo": [b"\xff", b"\x00"],
            },
        )
    )

    suite = suite_of(ENTRY)

    assert suite.mistakes == ()
    assert [case.prompt for case in suite.cases] == ["Q: Capital?", "Q: River?"]
    assert suite.cases[0].expect[0].options == {"reference": ["Paris", "paris"]}
    # As in a row of JSONL, null takes a key of `metadata` away.
    assert suite.cases[0].metadata == {"price": "19.90", "day": "2024-01-02", "n": 2.5, "ok": True}


def test_where_and_limit_see_typed_values(arrow: Any, suite_of: ReadSuite, tmp_path: Path) -> None:
    (tmp_path / "evals").mkdir()
    raw = stored(
        arrow,
        {
            "id": [f"r{number}" for number in range(3000)],
            "n": list(range(3000)),
            "meta": [{"lang": "en" if number % 2 else "de"} for number in range(3000)],
        },
    )
    (tmp_path / "evals" / "facts.parquet").write_bytes(raw)
    entry = "{path: facts.parquet, id: '{{id}}', prompt: 'x', expect: 'none', where: %s}"

    picked = suite_of("datasets: [" + entry % "{n: [1, 2, 2999], 'meta.lang': en}" + "]").cases

    assert [case.id for case in picked] == ["r1", "r2999"]


@pytest.mark.parametrize(
    ("values", "of", "expected"),
    [
        ([1, None, -(2**62)], "int64", [1, None, -(2**62)]),
        ([2**64 - 1], "uint64", [2**64 - 1]),
        ([1.5], "float32", [1.5]),
        (["x", None], "large_string", ["x", None]),
        ([[1.5, None], None, []], ("list_", "float64"), [[1.5, None], None, []]),
        ([[("a", 1.5), ("b", None)], None], ("map_", "string", "float64"), [{"a": 1.5, "b": None}, None]),
        ([datetime.time(1, 2, 3)], ("time32", "s"), ["01:02:03"]),
        ([datetime.datetime(2024, 1, 2, 3, 4, 5)], ("timestamp", "us"), ["2024-01-02T03:04:05"]),
        (["x", "y", "x"], ("dictionary", "int8", "string"), ["x", "y", "x"]),
        ([Decimal("1.10"), Decimal("1E+2")], ("decimal128", 10, 2), ["1.10", "100.00"]),
    ],
    ids=str,
)
def test_values_keep_their_meaning(arrow: Any, values: list[Any], of: Any, expected: list[Any]) -> None:
    name, *arguments = (of,) if isinstance(of, str) else of
    inner = [
        getattr(arrow, part)() if isinstance(part, str) and hasattr(arrow, part) else part
        for part in arguments
    ]

    raw = stored(arrow, {"v": arrow.array(values, getattr(arrow, name)(*inner))})

    assert [row for _, row in rows(raw, "v")] == [{"v": value} for value in expected]


def test_only_the_columns_that_are_looked_up_are_read(arrow: Any) -> None:
    raw = stored(arrow, {"a": [1], "meta": [{"x": 1, "y": [2]}], "dotted.name": ["d"], "b": [b"\xff"]})

    assert rows(raw, "meta.y.0", "dotted.name") == [(1, {"meta": {"x": 1, "y": [2]}, "dotted.name": "d"})]


def test_all_columns_are_read_for_the_message_about_a_name_that_there_is_not(
    arrow: Any, complaints: Complaints, tmp_path: Path
) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "facts.parquet").write_bytes(
        stored(arrow, {"id": ["a"], "question": ["x"], "photo": [b"\xff"]})
    )

    assert complaints(
        "datasets: [{path: facts.parquet, id: '{{id}}', prompt: '{{qestion}}', expect: none}]"
    ) == [
        "evals/facts.parquet:1:1: case 'a': the row has no 'qestion'. Did you mean 'question'? "
        "(asked for in evals/tools.evalcase.yaml:1:56)"
    ]


def test_a_row_that_json_can_not_hold_is_broken_and_the_others_are_not(arrow: Any) -> None:
    raw = stored(arrow, {"v": [{"n": 1.0}, {"n": float("nan")}, {"n": 2.0}, {"n": float("-inf")}]})

    assert rows(raw, "v.n") == [
        (1, {"v": {"n": 1.0}}),
        (2, "column 'v': column 'n': nan is no JSON: store null where there is no number"),
        (3, {"v": {"n": 2.0}}),
        (4, "column 'v': column 'n': -inf is no JSON: store null where there is no number"),
    ]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([b"\xff"], "column 'v': it holds binary, which is nothing that JSON has: store it as text"),
        (
            [datetime.timedelta(seconds=1)],
            "column 'v': it holds duration[us], which is nothing that JSON has: store it as text",
        ),
    ],
    ids=["bytes", "duration"],
)
def test_a_column_that_json_can_not_hold_is_named(arrow: Any, column: list[Any], expected: str) -> None:
    assert rows(stored(arrow, {"v": column}), "v") == [(1, expected)]


def test_a_map_whose_keys_are_no_text_is_named(arrow: Any) -> None:
    raw = stored(arrow, {"v": arrow.array([[(1, 2)]], arrow.map_(arrow.int8(), arrow.int8()))})

    assert rows(raw, "v") == [
        (1, "column 'v': it holds a map whose keys are no text: store it as a list or as text")
    ]


def test_a_file_that_is_no_parquet_is_a_mistake_of_the_data_file(
    arrow: Any, complaints: Complaints, tmp_path: Path
) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "facts.parquet").write_bytes(b"id,q\n1,x\n")

    (message,) = complaints("datasets: [{path: facts.parquet, id: '{{id}}', prompt: x, expect: none}]")

    assert message.startswith("evals/facts.parquet:1:1: case 'facts.parquet-row-1': not valid Parquet: ")


def test_a_file_that_is_cut_off_is_a_mistake(arrow: Any) -> None:
    raw = stored(arrow, {"v": list(range(5000))})

    ((line, message),) = rows(raw[:-100] + raw[-8:], "v")

    assert line == 1
    assert "\n" not in message


def test_two_columns_of_one_name_are_a_mistake(arrow: Any) -> None:
    table = arrow.table([arrow.array([1]), arrow.array([2])], names=["v", "v"])
    sink = arrow.BufferOutputStream()
    sys.modules["pyarrow.parquet"].write_table(table, sink)

    assert rows(bytes(sink.getvalue()), "v") == [(1, "two columns are named 'v'")]


def test_what_grows_beyond_the_limit_once_unpacked_is_refused(arrow: Any) -> None:
    raw = stored(arrow, {"v": ["x" * 1000] * 5000})

    found = rows(raw, "v", limit=2 * MB)

    assert len(raw) < MB / 100
    assert found[-1] == (len(found), "more than 2 MB once unpacked: split the file")


def test_without_pyarrow_the_mistake_says_what_to_install(
    complaints: Complaints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "facts.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    assert complaints("datasets: [{path: facts.parquet, id: '{{id}}', prompt: x, expect: none}]") == [
        "evals/tools.evalcase.yaml:1:19: 'facts.parquet': reading Parquet needs pyarrow: "
        "pip install 'pytest-ftgate[parquet]'"
    ]

"""The endurance runs' own eyes: whose traceback it is, and that each part of the table is there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from benchmarks.endurance.__main__ import PARTS
from benchmarks.endurance.result import Result
from benchmarks.endurance.runs import own_traceback, verdict_of
from benchmarks.endurance.store_rows import committed, damage

PASSED_THROUGH = """\
INTERNALERROR> Traceback (most recent call last):
INTERNALERROR>   File "/x/_pytest/main.py", line 3, in wrap_session
INTERNALERROR>     config.hook.pytest_sessionfinish(session=session)
INTERNALERROR>   File "/x/pytest_ftgate/plugin/decide_hooks.py", line 4, in pytest_sessionfinish
INTERNALERROR>     result = yield
INTERNALERROR>   File "/x/_pytest/junitxml.py", line 5, in pytest_sessionfinish
INTERNALERROR>     open(self.logfile)
INTERNALERROR> OSError: [Errno 28] No space left on device
"""
OURS = PASSED_THROUGH.replace("/x/_pytest/junitxml.py", "/x/pytest_ftgate/reports/atomic.py")
IN_A_TEST = """\
_____ test_it _____
/x/_pytest/runner.py:3: in call
    item.runtest()
pytest_ftgate/plugin/handles.py:7: in check
    open(path)
/usr/lib/python3.11/pathlib.py:9: OSError
===== short test summary info =====
"""


@pytest.mark.parametrize("output", [OURS, IN_A_TEST])
def test_a_traceback_of_ours_is_seen(output: str) -> None:
    assert own_traceback(output) is not None


@pytest.mark.parametrize(
    "output",
    [
        PASSED_THROUGH,
        'Fatal Python error: Segmentation fault\n  File "/x/pytest_ftgate/a.py", line 3 in f\n',
        "pytest_ftgate is not a traceback\n",
    ],
)
def test_what_only_passes_through_our_hooks_is_not_ours(output: str) -> None:
    assert own_traceback(output) is None


def test_a_torn_verdict_file_is_no_verdict(tmp_path: Path) -> None:
    (tmp_path / ".ftgate").mkdir()
    (tmp_path / ".ftgate/verdict.json").write_text('{"verdict": "SH')

    with pytest.raises(ValueError, match="Unterminated"):
        verdict_of(tmp_path)


def test_a_damaged_store_is_seen_and_a_missing_one_has_no_answers(tmp_path: Path) -> None:
    assert (committed(tmp_path), damage(tmp_path)) == ({}, None)
    (tmp_path / ".ftgate").mkdir()
    (tmp_path / ".ftgate/answers.sqlite").write_bytes(b"no database" * 100)

    assert damage(tmp_path) == "file is not a database"


@pytest.mark.parametrize("name", ["kills", "sweep", "faults", "deaths", "load"])
def test_parts_of_the_table_are_modules(name: str) -> None:
    assert name in PARTS
    assert importlib.util.find_spec(f"benchmarks.endurance.{name}")


def test_a_part_that_missed_an_aim_has_not_passed() -> None:
    assert Result(name="x", figures={}).passed
    assert not Result(name="x", figures={}, missed=["one"]).passed

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_ftgate.errors import ConfigError
from pytest_ftgate.reports.markdown import render_markdown
from pytest_ftgate.reports.step_summary import MAX_BYTES, add_to_summary
from tests.reports.samples import tuned_suite

REPORT = render_markdown(tuned_suite())


@pytest.fixture
def summary(tmp_path: Path) -> Path:
    return tmp_path / "summary.md"


def test_the_report_stands_behind_what_other_steps_wrote(summary: Path) -> None:
    summary.write_text("built", encoding="utf-8")

    add_to_summary(summary, tuned_suite())

    assert summary.read_text(encoding="utf-8") == f"built\n{REPORT}\n"


def test_a_summary_that_is_almost_full_gets_the_verdict_and_a_pointer(summary: Path) -> None:
    summary.write_bytes(b"x" * (MAX_BYTES - 400))

    add_to_summary(summary, tuned_suite())

    written = summary.read_text(encoding="utf-8")
    assert len(written.encode()) <= MAX_BYTES
    assert written.lstrip("x").startswith("\n## ❌ ITERATE\n\n`general_regression is NO-GO")
    assert written.endswith("\n(cut: this step's summary is full; the other reports have all)\n\n")


def test_a_summary_that_is_full_is_left_as_it_is(summary: Path) -> None:
    summary.write_bytes(b"x" * MAX_BYTES)

    with pytest.raises(ConfigError) as caught:
        add_to_summary(summary, tuned_suite())

    assert str(caught.value) == (
        f"can't add to the step summary {summary}: there is no room left in its 900,000 bytes"
    )
    assert summary.stat().st_size == MAX_BYTES


def test_what_is_no_file_is_named(summary: Path) -> None:
    """A pipe that nobody reads would else hold the run for ever."""
    os.mkfifo(summary)

    with pytest.raises(ConfigError) as caught:
        add_to_summary(summary, tuned_suite())

    assert str(caught.value) == f"can't add to the step summary {summary}: it is not a file"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "summary.md"

    with pytest.raises(ConfigError) as caught:
        add_to_summary(path, tuned_suite())

    assert str(caught.value) == f"can't add to the step summary {path}: No such file or directory"

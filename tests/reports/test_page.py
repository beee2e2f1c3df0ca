"""Messages outside of reports: how they are broken into lines, and what they may hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.reports.lines import cells
from pytest_ftgate.reports.page import sentence_rows


def test_a_sentence_is_broken_at_spaces() -> None:
    text = "this shard's record is ftgate-shard-1-of-2.jsonl; once those of all 2 are in one place:"

    assert sentence_rows(text, 80) == [
        "ftgate: this shard's record is ftgate-shard-1-of-2.jsonl; once those of all 2",
        "  are in one place:",
    ]


def test_commands_in_backticks_and_long_paths_stay_whole() -> None:
    path = "a/" * 30 + "b.jsonl"

    assert sentence_rows(f"see {path}, then call `ftgate batch status --wait` again", 40, first="") == [
        "see",
        f"  {path},",
        "  then call `ftgate batch status --wait`",
        "  again",
    ]


def test_no_row_begins_with_what_a_ci_service_obeys() -> None:
    assert sentence_rows(f"{'x' * 38} ::error::no\x1b[2J", 40, first="") == [
        "x" * 38,
        r"  \x3a:error::no\x1b[2J",
    ]


@given(st.text(st.sampled_from("ab `é漢 "), max_size=300), st.integers(-5, 300))
def test_nothing_is_lost_and_only_words_are_too_wide(text: str, width: int) -> None:
    rows = sentence_rows(text, width)

    assert rows[0].startswith("ftgate: ")
    assert " ".join(rows).removeprefix("ftgate: ").split() == text.split()
    wide = [row for row in rows if cells(row) > min(max(width, 40), 160)]
    assert all("`" in row or " " not in row.strip().removeprefix("ftgate: ") for row in wide)

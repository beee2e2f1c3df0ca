"""Parts of a limit for all processes: together they are the limit, never more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.models.place import Place


@given(limit=st.integers(1, 1024), count=st.integers(1, 64))
def test_the_parts_of_all_processes_are_the_limit(limit: int, count: int) -> None:
    parts = [Place(number=number, count=count).part_of(limit) for number in range(count)]

    if limit < count:
        assert parts == [None] * count
    else:
        assert sum(part or 0 for part in parts) == limit
        assert max(part or 0 for part in parts) - min(part or 0 for part in parts) <= 1

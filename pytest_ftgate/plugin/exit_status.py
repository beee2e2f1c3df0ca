"""The exit status: what pytest counted, what the gate may excuse, and what it must add."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ftgate.gates import Verdict

OK, TESTS_FAILED, NOTHING_RAN = 0, 1, 5


def exit_status(
    status: int, verdict: Verdict, *, failures: int, excusable: int, must_decide: bool, gated: bool
) -> int:
    """The status of pytest as the gate leaves it; only 0 is ever raised, and only 1 is ever lowered.

    But a whole shard in which nothing ran had no case to run, which is no fault of its CI job: 5 becomes 0.

    `failures` is what pytest counted, `excusable` the misses and errored trials among them. `must_decide`: a
    narrowed run fails too. `gated`: a model was named, so that anything but SHIP has to show.
    """
    if status == NOTHING_RAN and verdict.whole_shard:
        return OK
    is_excused = verdict.word == "SHIP" or verdict.whole_shard
    if status == TESTS_FAILED and is_excused and 0 < failures == excusable:
        return OK
    if status != OK or is_excused or not gated:
        return status
    return TESTS_FAILED if must_decide or not verdict.narrowed else OK

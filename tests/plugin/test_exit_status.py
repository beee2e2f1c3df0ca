"""The exit status as a table."""

from __future__ import annotations

import pytest

from pytest_ftgate.gates import Verdict, Word
from pytest_ftgate.plugin.exit_status import exit_status


def verdict(word: Word, *, narrowed: bool = False, whole_shard: bool = False) -> Verdict:
    return Verdict(
        word=word,
        sentence="",
        reasons=(),
        criteria=(),
        complete=word is not Word.INCOMPLETE,
        narrowed=narrowed,
        whole_shard=whole_shard,
    )


def status(status: int, judged: Verdict, *, failures: int = 0, excusable: int = 0, **given: bool) -> int:
    flags = {"must_decide": False, "gated": True} | given
    return exit_status(status, judged, failures=failures, excusable=excusable, **flags)


def test_a_ship_excuses_failures_that_are_all_misses() -> None:
    assert status(1, verdict(Word.SHIP), failures=3, excusable=3) == 0


def test_a_ship_excuses_a_single_miss_and_no_status_that_nothing_explains() -> None:
    assert status(1, verdict(Word.SHIP), failures=1, excusable=1) == 0
    assert status(1, verdict(Word.SHIP), failures=0, excusable=0) == 1


def test_a_ship_beside_an_ordinary_failure_stays_1() -> None:
    assert status(1, verdict(Word.SHIP), failures=3, excusable=2) == 1


@pytest.mark.parametrize("word", [Word.ITERATE, Word.INCONCLUSIVE, Word.INCOMPLETE])
def test_anything_but_ship_is_at_least_1(word: Word) -> None:
    assert status(0, verdict(word)) == 1


@pytest.mark.parametrize("word", list(Word))
@pytest.mark.parametrize("before", [2, 3, 4, 5])
def test_other_statuses_stay(word: Word, before: int) -> None:
    assert status(before, verdict(word), failures=1, excusable=1) == before


@pytest.mark.parametrize("word", [Word.ITERATE, Word.INCONCLUSIVE, Word.INCOMPLETE])
def test_only_ship_lowers_a_1(word: Word) -> None:
    assert status(1, verdict(word), failures=1, excusable=1) == 1


def test_a_narrowed_run_is_left_to_pytest() -> None:
    narrowed = verdict(Word.INCOMPLETE, narrowed=True)

    assert status(0, narrowed) == 0
    assert status(1, narrowed, failures=1, excusable=0) == 1


def test_a_narrowed_run_fails_where_a_verdict_is_required() -> None:
    assert status(0, verdict(Word.INCOMPLETE, narrowed=True), must_decide=True) == 1


def test_a_whole_shard_excuses_its_misses_and_is_not_raised() -> None:
    shard = verdict(Word.INCOMPLETE, whole_shard=True)

    assert status(1, shard, failures=2, excusable=2) == 0
    assert status(0, shard) == 0


def test_a_run_without_a_model_is_left_to_pytest() -> None:
    assert status(0, verdict(Word.INCOMPLETE), gated=False) == 0


def test_a_whole_shard_in_which_nothing_ran_had_nothing_to_run() -> None:
    whole, cut = verdict(Word.INCOMPLETE, whole_shard=True), verdict(Word.INCOMPLETE)

    assert status(5, whole) == 0
    assert status(5, whole, must_decide=True) == 0
    assert status(5, cut) == 5


@pytest.mark.parametrize("before", [2, 3, 4, 6])
def test_a_whole_shard_excuses_nothing_else(before: int) -> None:
    assert status(before, verdict(Word.INCOMPLETE, whole_shard=True)) == before


def test_a_whole_shard_excuses_misses_and_no_other_failure() -> None:
    whole = verdict(Word.INCOMPLETE, whole_shard=True)

    assert status(0, whole) == 0
    assert status(1, whole, failures=2, excusable=2) == 0
    assert status(1, whole, failures=2, excusable=1) == 1

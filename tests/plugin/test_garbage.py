from __future__ import annotations

import gc

import pytest

from pytest_ftgate.plugin.garbage import kept_objects, nothing_to_collect


def test_the_collector_rests_within_the_block_and_is_on_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="broken"), nothing_to_collect():
        assert not gc.isenabled()
        raise ValueError("broken")

    assert gc.isenabled()


def test_a_collector_that_somebody_switched_off_stays_off() -> None:
    gc.disable()
    try:
        with nothing_to_collect():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_is_there_is_out_of_the_collectors_sight_until_the_block_ends() -> None:
    with kept_objects():
        assert gc.get_freeze_count() > 0

    assert gc.get_freeze_count() == 0


def test_what_somebody_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        with kept_objects():
            pass
        assert gc.get_freeze_count() >= before - 1000
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()

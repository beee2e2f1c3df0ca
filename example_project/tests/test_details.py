"""The assistant's own unit tests: evals run beside them, in the same stage."""

from assistant import details


def test_parcel_numbers_are_read_however_they_are_typed():
    assert details.parcel_numbers("px 10-42-33 and PX771902, not PX12") == ["PX104233", "PX771902"]


def test_grams_are_kilograms():
    assert details.weight_kg("a box of 750 g") == 0.75

"""Holm's correction."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.stats.multiplicity import holm

P_VALUES = st.lists(st.floats(0, 1), max_size=20)


def test_holm_steps_down_from_the_smallest() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_nothing_tested_is_nothing_adjusted() -> None:
    assert holm([]) == []


@settings(deadline=None)
@given(P_VALUES)
def test_adjusted_values_keep_the_order_and_lie_between_plain_and_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(p_values)

    assert [adjusted[i] for i in sorted(range(len(adjusted)), key=lambda i: p_values[i])] == sorted(adjusted)
    for plain, after in zip(p_values, adjusted, strict=True):
        assert plain <= after <= 1
    if p_values:
        assert min(adjusted) == min(1, min(p_values) * len(p_values))


@settings(deadline=None)
@given(P_VALUES, st.floats(0.001, 0.2))
def test_what_is_significant_is_what_holms_procedure_rejects(p_values: list[float], alpha: float) -> None:
    rejected = 0
    for place, p in enumerate(sorted(p_values)):
        if p * (len(p_values) - place) > alpha:
            break
        rejected += 1

    assert sum(p <= alpha for p in holm(p_values)) == rejected

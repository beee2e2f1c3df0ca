from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.calibration import agreed
from pytest_ftgate.stats.agreement import band

PASS, FAIL = "pass", "fail"


def pairs(both: int, people_alone: int, judge_alone: int, neither: int) -> list[tuple[str, str]]:
    return [
        *[(PASS, PASS)] * both,
        *[(PASS, FAIL)] * people_alone,
        *[(FAIL, PASS)] * judge_alone,
        *[(FAIL, FAIL)] * neither,
    ]


def test_a_textbook_table_of_two_raters() -> None:
    """Fifty grant proposals, 20 accepted and 15 refused by both: the usual worked example, kappa 0.40."""
    found = agreed(pairs(20, 5, 10, 15), errors=0)

    assert found.accuracy == Fraction(35, 50)
    assert found.kappa == pytest.approx(0.40)
    assert found.kappa_bounds is not None
    # Fleiss, Cohen and Everitt 1969: a standard error of 0.128 or so.
    assert found.kappa_bounds == pytest.approx((0.40 - 1.96 * 0.128, 0.40 + 1.96 * 0.128), abs=0.05)
    assert (found.lenient, found.strict) == (10, 5)
    assert found.leaning_p == pytest.approx(0.3018, abs=1e-4)


def test_complete_agreement_on_one_label_is_undefined_and_not_one() -> None:
    found = agreed(pairs(30, 0, 0, 0), errors=0)

    assert found.accuracy == 1
    assert (found.kappa, found.kappa_bounds, found.alpha, found.alpha_bounds) == (None, None, None, None)
    assert band(found.kappa) == "undefined: only one label was given"


def test_nothing_labelled_is_nothing_measured() -> None:
    found = agreed([], errors=3)

    assert (found.n, found.errors, found.accuracy, found.kappa, found.leaning_p) == (0, 3, None, None, None)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([(a, b) for a in (PASS, FAIL) for b in (PASS, FAIL)]), max_size=40))
def test_agreement_is_the_same_whoever_is_called_the_judge(labels: list[tuple[str, str]]) -> None:
    there, back = agreed(labels, 0), agreed([(b, a) for a, b in labels], 0)

    assert there.accuracy == back.accuracy
    assert there.alpha == back.alpha
    assert there.kappa == pytest.approx(back.kappa)
    assert (there.lenient, there.strict) == (back.strict, back.lenient)
    if there.kappa is not None:
        assert -1 <= there.kappa <= 1

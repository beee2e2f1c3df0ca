"""Agreement beyond chance: published examples, and what is undefined."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.stats.agreement import cohen_kappa, krippendorff_alpha
from tests.data import data_folder

LABELS = st.sampled_from("abc")


def columns(*rows: str) -> list[list[str | None]]:
    """One unit for each column of raters' rows; a dot is a missing label."""
    return [[None if label == "." else label for label in unit] for unit in zip(*rows, strict=True)]


def test_kappa_is_that_of_cohen_1960_table_1() -> None:
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    pairs = [
        (first, second)
        for first, row in enumerate(table)
        for second, count in enumerate(row)
        for _ in range(count)
    ]

    assert cohen_kappa(pairs) == pytest.approx(0.492, abs=5e-4)


def test_alpha_is_that_of_krippendorff_2011_for_two_observers_of_binary_data() -> None:
    assert krippendorff_alpha(columns("0100000010", "1110010000")) == pytest.approx(0.095, abs=5e-4)


def test_alpha_is_that_of_krippendorff_2011_for_two_observers_of_nominal_data() -> None:
    assert krippendorff_alpha(columns("aabbdcccedda", "babbbccceddd")) == pytest.approx(0.692, abs=5e-4)


def test_alpha_is_that_of_krippendorff_2011_for_many_observers_with_missing_data() -> None:
    ratings = columns(
        "123321412...", "1233224125.3", ".333234225 1.".replace(" ", ""), "1233244125 1.".replace(" ", "")
    )

    assert krippendorff_alpha(ratings) == pytest.approx(0.743, abs=5e-4)


def test_what_chance_alone_explains_or_nobody_rated_is_undefined() -> None:
    assert cohen_kappa([]) is None
    assert cohen_kappa([("a", "a")] * 5) is None
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([["a", None], [None, "b"]]) is None
    assert krippendorff_alpha([["a", "a"], ["a", "a"]]) is None


@settings(deadline=None)
@given(st.lists(st.tuples(LABELS, LABELS), max_size=30))
def test_both_measures_are_one_for_full_agreement_and_symmetric(pairs: list[tuple[str, str]]) -> None:
    swapped = [(second, first) for first, second in pairs]
    same = [(first, first) for first, _ in pairs]

    assert cohen_kappa(pairs) == cohen_kappa(swapped)
    assert krippendorff_alpha(pairs) == krippendorff_alpha(swapped)
    assert cohen_kappa(same) in (None, 1)
    assert krippendorff_alpha(same) in (None, 1)
    for measured in (cohen_kappa(pairs), krippendorff_alpha(pairs)):
        assert measured is None or -1 <= measured <= 1


def test_annotators_of_real_answers_agree_as_published() -> None:
    lines = (data_folder("human_preference") / "preferences.jsonl").read_text(encoding="utf-8").splitlines()
    votes = [json.loads(line)["annotators"] for line in lines]

    # Published for all 999 pairs: 0.8520, 0.8789, 0.8617; these are a tenth of them.
    for first, second in ((0, 1), (0, 2), (1, 2)):
        kappa = cohen_kappa((vote[first], vote[second]) for vote in votes)
        assert kappa == pytest.approx(0.86, abs=0.1)
    assert krippendorff_alpha(votes) == pytest.approx(0.86, abs=0.1)

"""The p-values of criteria that compare two arms: which test it is, and that only differences have one."""

from __future__ import annotations

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.scores import Score
from tests.gates.test_evidence import paired, rated
from tests.support.records import case, entry, gate_of, judged, result, trial


def test_a_difference_of_passes_has_the_p_value_of_mcnemar() -> None:
    found = paired(10, 2, 6, 0, at_least="-5%")

    assert found.p_value == pytest.approx(74 / 256)
    assert rated(12, 18, at_least="50%").p_value is None


def test_a_difference_of_graded_scores_has_the_p_value_of_flipped_signs() -> None:
    cases = [case(f"c{number:03}") for number in range(10)]
    came_in = [
        trial(key, scores=[Score(scorer="exact_match", value=value, passed=True, explanation="")])
        for planned in cases
        for key in planned.trial_keys()
        for value in [0.75 if key.arm is Arm.MODEL else 0.5]
    ]

    found = result(judged(cases, came_in, gate_of(metric="mean:exact_match", compare="delta", at_least="0%")))

    assert found.p_value == 2 / 2**10


def corpus_p(differing: int, n: int = 12) -> float | None:
    """The p-value of BLEU where the model has more matches in some cases, and as many in the others."""
    cases = [case(f"c{number:03}", expect=[entry("bleu")]) for number in range(n)]
    came_in = []
    for number, planned in enumerate(cases):
        for key in planned.trial_keys():
            worse = 3 if key.arm is Arm.BASELINE and number < differing else 0
            counts = [9 - worse, 8 - worse, 7 - worse, 6 - worse]
            details = {"counts": counts, "totals": [9, 8, 7, 6], "sys_len": 9, "ref_len": 9}
            score = Score(scorer="bleu", value=0.9, passed=True, explanation="", details=details)
            came_in.append(trial(key, scores=[score]))
    return result(judged(cases, came_in, gate_of(metric="bleu", compare="delta", at_least="0%"))).p_value


def test_a_difference_of_corpus_scores_has_the_p_value_of_approximate_randomization() -> None:
    # Of twelve exchanges all or none set the arms as far apart: 2 of 4096. One case alone always does.
    assert corpus_p(12) == pytest.approx(2 / 4096, abs=0.003)
    assert corpus_p(1) == 1

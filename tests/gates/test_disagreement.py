"""Two metrics of one case set that moved apart are named beside the verdict."""

from __future__ import annotations

from pytest_ftgate.gates import Assessment
from pytest_ftgate.record import Outcome, Trial
from pytest_ftgate.scores import Score
from tests.support.records import case, entry, gate_of, judged, trial


def moved(passes: tuple[int, int], values: tuple[float, float], n: int = 40) -> Assessment:
    """Passes of model and baseline, and the value of an entry `tone` for each, a little spread."""
    cases = [case(f"c{number:02}", expect=[entry("rouge_l", "tone")]) for number in range(n)]
    came_in: list[Trial] = []
    for number, planned in enumerate(cases):
        for arm, key in enumerate(planned.trial_keys()):
            passed = number < passes[arm]
            value = values[arm] + number % 5 / 100
            scores = [Score(scorer="rouge_l", name="tone", value=value, passed=passed, explanation="")]
            came_in.append(trial(key, "P" if passed else "F", scores=scores))
    return judged(cases, came_in, gate_of(at_least="0%"))


def test_a_pass_rate_that_rises_while_an_entry_falls_is_named() -> None:
    assert moved((35, 10), (0.4, 0.6)).verdict.warnings == (
        "metrics disagree: on 40 cases the pass rate moved by +62.5 points and mean:tone by -20; "
        "one of them may have been gamed",
    )


def test_the_other_way_round_as_well() -> None:
    (warning,) = moved((10, 35), (0.6, 0.4)).verdict.warnings

    assert "the pass rate moved by -62.5 points and mean:tone by +20" in warning


def test_metrics_that_agree_or_differ_by_noise_are_not_named() -> None:
    assert moved((35, 10), (0.6, 0.4)).verdict.warnings == ()
    assert moved((21, 20), (0.4, 0.6)).verdict.warnings == ()
    assert moved((35, 10), (0.5, 0.5)).verdict.warnings == ()


def test_what_errored_says_nothing() -> None:
    made = moved((35, 10), (0.4, 0.6), n=40)

    assert all(one.outcome is not Outcome.ERRORED for one in made.record.trials)
    assert judged([case("a")], [], gate_of(at_least="0%")).verdict.warnings == ()

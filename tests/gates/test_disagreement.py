"""Two metrics of one case set that moved apart are named beside the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_ftgate.cases import Arm, Expectation
from pytest_ftgate.completions import Completion
from pytest_ftgate.gates import Assessment
from pytest_ftgate.record import Outcome, Trial
from pytest_ftgate.scores import Score
from tests.support.records import case, entry, gate_of, judged, trial, trials


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


def apart(expect: Sequence[Expectation], *, errored: int = 0, n: int = 40) -> tuple[str, ...]:
    """The model passes more often, and an entry `tone` of several falls; some first answers error."""
    cases = [case(f"c{number:02}", expect=expect, repeat=2) for number in range(n)]
    came_in: list[Trial] = []
    for number, planned in enumerate(cases):
        for key in planned.trial_keys():
            arm = list(Arm).index(key.arm)
            passed = number < (35, 10)[arm]
            value = (0.4, 0.6)[arm] + number % 5 / 100
            tone = Score(scorer="rouge_l", name="tone", value=value, passed=passed, explanation="")
            other = Score(scorer="contains", value=float(passed), passed=passed, explanation="")
            if number < errored and key.repeat == 1:
                # What was scored before the error would say the contrary.
                broken = replace(tone, value=1.0 - value)
                came_in.append(replace(trial(key, "E", completion=Completion()), scores=(broken,)))
            else:
                came_in.append(trial(key, "P" if passed else "F", scores=[other, tone]))
    gate = gate_of(at_least="0%") | {"max_errors": 2 * n}
    return judged(cases, came_in, gate).verdict.warnings


TWO = (entry("contains"), entry("rouge_l", "tone"))


def test_one_entry_of_several_is_named_by_its_own_values() -> None:
    assert apart(TWO) == (
        "metrics disagree: on 40 cases the pass rate moved by +62.5 points and mean:tone by -20; "
        "one of them may have been gamed",
    )


def test_an_entry_inside_another_is_named_too() -> None:
    inner = (entry("all_of", None, entry("rouge_l", "tone")),)
    cases = [case(f"c{number:02}", expect=inner) for number in range(40)]
    came_in = []
    for number, planned in enumerate(cases):
        for arm, key in enumerate(planned.trial_keys()):
            passed = number < (35, 10)[arm]
            tone = Score(scorer="rouge_l", name="tone", value=(0.4, 0.6)[arm], passed=passed, explanation="")
            whole = Score(
                scorer="all_of", value=float(passed), passed=passed, explanation="", children=(tone,)
            )
            came_in.append(trial(key, "P" if passed else "F", scores=[whole]))

    (warning,) = judged(cases, came_in, gate_of(at_least="0%")).verdict.warnings

    assert "by +62.5 points and mean:tone by -20;" in warning


def test_what_was_scored_before_an_error_does_not_count() -> None:
    first, second = apart(TWO, errored=8)

    assert first.startswith("16 errored trials within max_errors")
    assert second == apart(TWO)[0]


def test_cases_that_are_not_compared_do_not_count() -> None:
    alone = case("alone", expect=TWO, arms=[Arm.MODEL])
    skipped = case("skipped", expect=TWO, skip="later")

    assert judged([alone, skipped], trials(alone), gate_of(at_least="0%")).verdict.warnings == ()

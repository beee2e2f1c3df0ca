"""Two runs as one record: what is paired with what, and what is named because it can't be."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from pytest_ftgate.cases import Arm, Role
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import RecordError
from pytest_ftgate.gates import assess, unjudged
from pytest_ftgate.record import (
    Choice,
    Named,
    Outcome,
    PlannedCase,
    PlannedItem,
    Record,
    Vote,
    VoteKey,
    compared,
)
from pytest_ftgate.summary import Flip, summarize
from tests.support.records import case, entry, gate_of, python_item, record, trials

TUNED = {"model": {"name": "tuned"}}


def run_of(cases: list[PlannedCase], letters: str, run_id: str, **rest: Any) -> Record:
    """A run in which the model passed (P) or failed (F) case by case, and the baseline always failed."""
    told = [
        one for planned, letter in zip(cases, letters, strict=True) for one in trials(planned, letter, "F")
    ]
    models = {"model": {"name": f"tuned {run_id}"}, "baseline": {"name": "prod"}}
    made = record(cases, told, **{"models": models} | rest)
    return replace(made, run=replace(made.run, run_id=run_id))


def asked(case_id: str, prompt: str = "1", **rest: Any) -> PlannedCase:
    return case(case_id, asked=prompt, digest=rest.pop("digest", prompt), **rest)


def pair(earlier: Record, later: Record) -> Record:
    return compared(Named(name="a.jsonl", record=earlier), Named(name="b.jsonl", record=later))


def flips(found: Record) -> dict[str, Flip]:
    return {one.planned.id: one.flip for one in summarize(found).cases}


CASES = [asked("x"), asked("y"), asked("z")]


def test_the_earlier_model_becomes_the_baseline_of_the_later_one() -> None:
    later = run_of(CASES, "PFP", "r-2", models={"model": {"name": "newer"}, "judge": {"name": "j"}})

    found = pair(run_of(CASES, "FPP", "r-1"), later)

    assert found.run.run_id == "r-1..r-2"
    assert found.run.models == {
        "model": {"name": "newer", "run": "r-2 of "},
        "baseline": {"name": "tuned r-1", "run": "r-1 of "},
        "judge": {"name": "j"},
    }
    assert found.run.warnings == ()
    assert found.run.cut_short is None
    assert flips(found) == {"x": Flip.FIXED, "y": Flip.REGRESSION, "z": Flip.BOTH_PASSED}
    assert summarize(found).missing == ()


def test_a_comparison_with_itself_has_only_ties() -> None:
    run = run_of(CASES, "PFP", "r-1")

    everything = summarize(pair(run, run)).groups[0]

    assert (everything.paired, everything.wins, everything.losses) == (3, 0, 0)
    assert everything.delta == 0


def test_only_the_same_run_is_told_to_be_the_same_model() -> None:
    run, other = run_of(CASES, "PFP", "r-1", models=TUNED), run_of(CASES, "PFP", "r-2", models=TUNED)

    told = [unjudged(pair(run, one)).verdict.warnings for one in (run, other)]

    assert told == [
        (
            "a.jsonl and b.jsonl hold the same run, r-1",
            "model and baseline are both 'tuned': an A/A run, which compares a model with itself",
        ),
        (
            "both runs asked for 'tuned': if these are the same weights, every difference is noise of this "
            "suite",
        ),
    ]


def test_turned_around_the_signs_turn() -> None:
    a, b = run_of(CASES, "PPP", "r-1"), run_of(CASES, "PFF", "r-2")

    one, other = (summarize(pair(*two)).groups[0] for two in ((a, b), (b, a)))

    assert one.delta is not None
    assert other.delta == -one.delta
    assert (one.wins, one.losses) == (other.losses, other.wins) == (0, 2)


def test_cases_of_one_run_and_cases_asked_otherwise_are_named_and_not_paired() -> None:
    earlier = run_of([asked("gone"), asked("x"), asked("y", "old")], "PPP", "r-1")
    later = run_of([asked("new"), asked("x"), asked("y", "new")], "PPP", "r-2")

    found = pair(earlier, later)

    assert [one.id for one in found.plan.cases] == ["x"]
    assert found.run.warnings == (
        "1 case is answered only in a.jsonl, and not compared: tools::gone",
        "1 case is answered only in b.jsonl, and not compared: tools::new",
        "1 case is asked otherwise in the two runs, and not compared: tools::y",
    )
    assert found.run.cut_short == (
        "2 of 3 cases of b.jsonl are not compared: tools::new, tools::y; "
        "2 of 3 cases of a.jsonl are not compared: tools::gone, tools::y"
    )


def test_a_gate_ships_no_part_of_a_run() -> None:
    gate = gate_of(at_least="50%")
    earlier = run_of([asked("x")], "P", "r-1")

    word = assess(pair(earlier, run_of(CASES, "PPP", "r-2", gate=gate))).verdict.word
    whole = assess(pair(run_of(CASES, "PPP", "r-1"), run_of(CASES, "PPP", "r-2", gate=gate))).verdict.word

    assert (word, whole) == ("INCOMPLETE", "SHIP")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([*CASES, asked("dropped")], CASES),
        ([*CASES[:2], asked("z", digest="strict")], [*CASES[:2], asked("z", digest="weaker")]),
        ([*CASES[:2], asked("z", "")], [*CASES[:2], asked("z", "")]),
        ([*CASES[:2], asked("z", must_pass=True)], CASES),
        ([*CASES[:2], asked("z", role=Role.GENERAL)], CASES),
        ([*CASES[:2], asked("z", category="other")], CASES),
        ([*CASES[:2], asked("z", tags=("vip",))], CASES),
        (CASES, [*CASES[:2], asked("z", repeat=3)]),
        ([*CASES[:2], asked("z", repeat=3)], CASES),
    ],
    ids=[
        "fewer cases",
        "other expectations",
        "unknown prompts",
        "need not pass any more",
        "another role",
        "another category",
        "other tags",
        "more repeats",
        "fewer repeats",
    ],
)
def test_a_gate_ships_nothing_that_was_not_asked_and_judged_alike(
    before: list[PlannedCase], after: list[PlannedCase]
) -> None:
    earlier = run_of(before, "F" * len(before), "r-1")
    later = run_of(after, "PPP", "r-2", gate=gate_of(at_least="50%"))

    assert assess(pair(earlier, later)).verdict.word == "INCOMPLETE"


def test_a_case_that_the_earlier_run_planned_and_did_not_finish_can_not_be_dropped() -> None:
    earlier = run_of([*CASES, asked("hard")], "PPPF", "r-1")
    earlier = replace(earlier, trials=tuple(one for one in earlier.trials if one.key.case != "hard"))
    later = run_of(CASES, "PPP", "r-2", gate=gate_of(at_least="50%"))

    assert assess(pair(earlier, later)).verdict.word == "INCOMPLETE"


def test_a_test_that_was_deleted_can_not_hide_what_failed_in_it() -> None:
    tests = [PlannedItem(nodeid=f"evals/test_{name}.py::test_{name}", arms=tuple(Arm)) for name in "ab"]
    before, after = [asked("x", items=tests)], [asked("x", items=tests[:1])]
    later = run_of(after, "P", "r-2", gate=gate_of(at_least="50%"))

    found = pair(run_of(before, "F", "r-1"), later)

    assert assess(found).verdict.word == "INCOMPLETE"
    assert "judged for the earlier run by a test that the later one has not" in (found.run.cut_short or "")


def test_times_of_two_runs_are_a_warning_where_both_measured_some() -> None:
    def timed(run: Record, source: str) -> Record:
        answers = [
            replace(one, completion=Completion(text="x", latency_s=0.5, source=source))  # type: ignore[arg-type]  # parametrized
            for one in run.trials
        ]
        return replace(run, trials=tuple(answers))

    one, other = run_of(CASES, "PPP", "r-1"), run_of(CASES, "PPP", "r-2")
    sources = (("live", "live"), ("recorded", "live"), ("live", "recorded"))
    told = [pair(timed(one, before), timed(other, after)).run.warnings for before, after in sources]

    assert told == [
        ("times were measured in two runs: a difference may be the day's or the machine's",),
        (),
        (),
    ]


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        ("2026-03-02T10:00:00+00:00", "2026-03-01T10:00:00+00:00", True),
        ("2026-03-01T10:00:00+00:00", "2026-03-01T10:30:00+01:00", True),
        ("2026-03-01T10:00:00+00:00", "2026-03-02T10:00:00+00:00", False),
        ("", "2026-03-02T10:00:00+00:00", False),
    ],
)
def test_files_the_wrong_way_round_are_noticed(before: str, after: str, is_told: bool) -> None:
    earlier, later = run_of(CASES, "PPP", "r-1", started=before), run_of(CASES, "PPP", "r-2", started=after)

    told = " ".join(pair(earlier, later).run.warnings)

    assert ("b.jsonl was begun before a.jsonl" in told) is is_told


@pytest.mark.parametrize("lost", range(3))
def test_a_later_run_that_lacks_a_trial_never_ships(lost: int) -> None:
    later = run_of(CASES, "PPP", "r-2", gate=gate_of(at_least="50%"))
    own = [one for one in later.trials if one.key.arm is Arm.MODEL]
    later = replace(later, trials=tuple(one for one in later.trials if one is not own[lost]))

    assert assess(pair(run_of(CASES, "PPP", "r-1"), later)).verdict.word == "INCOMPLETE"


def test_other_expectations_and_unknown_prompts_are_named_and_paired() -> None:
    earlier = run_of([asked("x", digest="old"), asked("y", "")], "PP", "r-1")
    later = run_of([asked("x", digest="new"), asked("y", "")], "PP", "r-2")

    found = pair(earlier, later)

    assert found.run.warnings == (
        "1 case is asked the same, and judged by other expectations: tools::x",
        "1 case is paired by name alone, since a record does not say what was asked or expected: tools::y",
    )
    assert len(found.plan.cases) == 2


def test_what_is_not_whole_is_named() -> None:
    earlier = run_of(CASES, "PPP", "r-1", shard=(1, 1))
    later = run_of(CASES, "PPP", "r-2", cut_short="Ctrl-C", left_out=["evals/other.evalcase.yaml"])

    found = pair(earlier, later)

    assert found.run.warnings == (
        "a.jsonl is shard 1 of 1 alone",
        "b.jsonl was cut short: Ctrl-C",
        "b.jsonl was narrowed to a part of its cases",
    )
    assert found.run.cut_short == (
        "a.jsonl is shard 1 of 1 alone; "
        "b.jsonl was narrowed to a part of its cases; b.jsonl was cut short: Ctrl-C"
    )
    assert found.run.shard is None


def test_only_the_repeats_of_both_runs_are_compared() -> None:
    earlier = run_of([asked("x", repeat=5)], "P", "r-1")
    later = run_of([asked("x", repeat=2)], "F", "r-2")

    found = pair(earlier, later)

    assert len(found.trials) == 4
    assert found.run.warnings == (
        "1 case is answered more often in one run, and only the repeats of both count: tools::x",
    )
    assert summarize(found).missing == ()


def test_items_are_paired_wherever_their_files_have_moved() -> None:
    old = PlannedItem(nodeid="old/tools.evalcase.yaml::x", arms=(Arm.MODEL, Arm.BASELINE))
    earlier = run_of([asked("x", items=[old, python_item("x", Arm.MODEL)])], "P", "r-1")
    later = run_of([asked("x")], "F", "r-2")

    (result,) = summarize(pair(earlier, later)).cases

    assert result.pair == (Fraction(0), Fraction(1))
    assert [(item.nodeid, item.arms) for item in result.planned.items] == [
        ("evals/tools.evalcase.yaml::x", (Arm.MODEL, Arm.BASELINE)),
        ("tests/test_tone.py::test_tone[x]", (Arm.BASELINE,)),
    ]
    assert result.outcome == {Arm.MODEL: Outcome.FAILED, Arm.BASELINE: Outcome.PASSED}


def test_an_arm_that_was_never_the_model_is_not_compared() -> None:
    earlier = run_of([asked("x"), asked("y", arms=(Arm.BASELINE,))], "PP", "r-1")

    found = pair(earlier, run_of([asked("x"), asked("y")], "PP", "r-2"))

    assert [one.id for one in found.plan.cases] == ["x"]


def test_scores_of_pairs_say_nothing_beside_another_answer() -> None:
    cases = [asked("x"), asked("y", expect=(entry("any_of", None, entry("prefer")),))]

    found = pair(run_of(cases, "PP", "r-1"), run_of(cases, "PP", "r-2"))

    assert [one.id for one in found.plan.cases] == ["x"]
    assert found.run.warnings == (
        "1 case is judged by `prefer`, which compared it with another answer, and not compared: tools::y",
    )


def test_conflicts_of_both_runs_stay_conflicts() -> None:
    earlier, later = run_of(CASES, "PPP", "r-1"), run_of(CASES, "PPP", "r-2")
    own = [one.key for one in earlier.trials if one.key.arm is Arm.MODEL]

    found = pair(replace(earlier, conflicts=(own[0],)), replace(later, conflicts=(own[1],)))

    assert [(key.case, key.arm) for key in found.conflicts] == [("x", Arm.BASELINE), ("y", Arm.MODEL)]


def test_votes_do_not_travel_to_another_pair_of_answers() -> None:
    later = run_of(CASES, "PPP", "r-2")
    key = VoteKey(suite="tools", case="x", batch="b-1", reviewer="ada")
    vote = Vote(key=key, answers="0", overall=Choice.MODEL)

    found = pair(run_of(CASES, "PPP", "r-1"), replace(later, votes=(vote,)))

    assert found.votes == ()
    assert found.run.warnings == ("votes of people were given on other pairs of answers, and do not count",)


def test_nothing_to_compare_is_an_error_that_says_why() -> None:
    with pytest.raises(RecordError) as error:
        pair(run_of([asked("x")], "P", "r-1"), run_of([asked("y")], "P", "r-2"))

    assert str(error.value) == (
        "a.jsonl and b.jsonl have no case to compare"
        "; 1 case is answered only in a.jsonl, and not compared: tools::x"
        "; 1 case is answered only in b.jsonl, and not compared: tools::y"
    )


def test_a_comparison_without_a_gate_is_no_verdict() -> None:
    later = run_of(CASES, "PPP", "r-2", gate={"confidence": "0.9"})

    found = unjudged(pair(run_of(CASES, "PPP", "r-1"), later))

    assert not found.verdict.judged
    assert found.verdict.word == "INCOMPLETE"
    assert found.verdict.sentence == "two runs are compared, and no gate judged them"
    assert float(found.gate.confidence) == 0.9


BRIEF = {
    name: PlannedItem(nodeid=f"{name}/test_{name}.py::test_brief[x]", arms=(Arm.MODEL, Arm.BASELINE))
    for name in "ab"
}


def test_tests_of_one_name_in_several_files_are_not_mixed_up() -> None:
    """Else one of them would be the baseline of the other, and an unchanged model would seem better."""
    both = asked("x", items=(BRIEF["a"], BRIEF["b"]))
    one = asked("x", items=(BRIEF["a"],))
    earlier, later = run_of([both], "P", "r-1"), run_of([one], "P", "r-2")
    failed = tuple(
        replace(each, outcome=Outcome.FAILED) if each.key.item.startswith("b/") else each
        for each in earlier.trials
    )

    found = pair(replace(earlier, trials=failed), later)

    keys = [each.key for each in found.trials]
    assert len(keys) == len(set(keys)) == 3
    paired = {each.key.arm: each.outcome for each in found.trials if each.key.item.startswith("a/")}
    assert paired == {Arm.MODEL: Outcome.PASSED, Arm.BASELINE: Outcome.PASSED}
    assert summarize(found).missing == ()
    assert "judged for the earlier run by a test that the later one has not" in str(found.run.warnings)


def test_both_of_one_name_are_paired_where_both_runs_have_them() -> None:
    both = asked("x", items=(BRIEF["a"], BRIEF["b"]))

    found = pair(run_of([both], "P", "r-1"), run_of([both], "P", "r-2"))

    assert len({each.key for each in found.trials}) == 4
    assert summarize(found).missing == ()


def test_other_graders_are_named_and_nothing_ships() -> None:
    gate = gate_of(at_least="50%")
    earlier, later = (
        run_of(CASES, "PPP", run_id, models={"model": {"name": run_id}, "judge": {"name": name}}, gate=gate)
        for run_id, name in (("r-1", "judge-one"), ("r-2", "judge-two"))
    )

    found = pair(earlier, later)

    told = "not graded alike: the judge was judge-one in a.jsonl, and judge-two in b.jsonl"
    assert told in found.run.warnings
    assert assess(found).verdict.word == "INCOMPLETE"


def test_runs_of_one_fixed_id_are_the_same_only_if_they_began_together() -> None:
    run = run_of(CASES, "PFP", "nightly")
    other = replace(run, run=replace(run.run, started="2026-03-02T10:00:00+00:00"))

    assert "A/A run" in str(unjudged(pair(run, run)).verdict.warnings)
    assert "A/A run" not in str(unjudged(pair(run, other)).verdict.warnings)

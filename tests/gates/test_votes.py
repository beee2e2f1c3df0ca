"""Criteria on what people said: preference, agreement, and that no vote counts that should not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from pytest_ftgate.gates import Assessment, Status, Word, assess
from pytest_ftgate.record import Choice, Outcome, Record, TrialError, Vote, merge, merged_votes
from pytest_ftgate.reports.json_report import json_text, report_json, verdict_json
from pytest_ftgate.reports.lines import plain_text
from pytest_ftgate.reports.markdown import render_markdown
from pytest_ftgate.reports.terminal import render_terminal
from tests.support.records import gate_of, result
from tests.support.reviews import record_of, vote

M, B, T, X = Choice.MODEL, Choice.BASELINE, Choice.TIE, Choice.BOTH_BAD
REVIEWERS = ("ada", "ben", "cleo")
LETTERS = {"m": M, "b": B, "t": T, "x": X}


def votes_for(made: Record, rows: Sequence[str]) -> tuple[Vote, ...]:
    """A row for each case, a letter for each reviewer; a dot for no vote."""
    return merged_votes(
        vote(made, f"c{number:03}", reviewer, LETTERS[letter])
        for number, row in enumerate(rows)
        for reviewer, letter in zip(REVIEWERS, row, strict=False)
        if letter != "."
    )


def judged_by(rows: Sequence[str], *, more: Mapping[str, Any] = {}, **criterion: Any) -> Assessment:
    made = record_of(max(len(rows), 1), gate={**gate_of(**criterion), **more})
    return assess(replace(made, votes=votes_for(made, rows)))


def preference(rows: Sequence[str], **criterion: Any) -> Any:
    return result(judged_by(rows, **({"metric": "human_preference", "at_least": "60%"} | criterion)))


def agreement(rows: Sequence[str], **criterion: Any) -> Any:
    return result(judged_by(rows, **({"metric": "agreement", "at_least": "0.6"} | criterion)))


def test_preference_is_wins_of_decided_cases_by_majority() -> None:
    found = preference(["mmb", "mmm", "bbt", "mbt", "xxm", "mxt"])

    assert (found.status, found.observed, found.n) == (Status.GO, Fraction(2, 3), 6)
    assert found.reason == (
        "66.7% on 6 reviewed cases (2 won, 1 lost, 3 tied, 1 of them both bad), ≥ 60% is needed; "
        "noise could explain it"
    )
    assert found.interval == pytest.approx(tuple(binomtest(2, 3).proportion_ci(method="wilson")))


def test_a_preference_for_the_baseline_is_no_go() -> None:
    found = preference(["bbb", "bbm", "mmm"])

    assert (found.status, found.observed) == (Status.NO_GO, Fraction(1, 3))


def test_exactly_at_the_threshold_is_go() -> None:
    assert preference(["m", "m", "m", "b", "b"]).status is Status.GO


@pytest.mark.parametrize(("rows", "status"), [(["m"] * 9, Status.INCONCLUSIVE), (["m"] * 10, Status.GO)])
def test_min_cases_counts_cases_with_votes(rows: Sequence[str], status: Status) -> None:
    found = preference(rows, more={"min_cases": 10})

    assert found.status is status
    if status is Status.INCONCLUSIVE:
        assert found.reason == (
            "100% on 9 reviewed cases (9 won, 0 lost, 0 tied); 10 reviewed cases are the least that decide "
            "(min_cases)"
        )


def test_one_win_beside_many_ties_decides_nothing() -> None:
    found = preference([*["m"] * 4, *["t"] * 26], more={"min_cases": 10})

    assert (found.status, found.reason) == (
        Status.INCONCLUSIVE,
        "100% on 30 reviewed cases (4 won, 0 lost, 26 tied); 4 were won or lost, and 10 are the least that "
        "decide (min_cases)",
    )


def test_ties_alone_are_no_preference_and_decide_against_shipping() -> None:
    made = judged_by(["ttt", "xxx", "mbt"], metric="human_preference", at_least="60%")

    found = result(made)
    assert (found.status, found.observed) == (Status.INCONCLUSIVE, None)
    assert found.reason == "n/a on 3 reviewed cases: all of them are ties"
    assert made.verdict.word is Word.INCONCLUSIVE


@pytest.mark.parametrize(
    ("rows", "decides", "word"),
    [
        ([], False, Word.SHIP),
        (["bbb"] * 2, False, Word.SHIP),
        (["bbb"] * 3, True, Word.ITERATE),
        (["ttt"] * 3, True, Word.INCONCLUSIVE),
        (["mmm"] * 3, True, Word.SHIP),
    ],
)
def test_an_optional_preference_decides_once_enough_cases_have_votes(
    rows: Sequence[str], decides: bool, word: Word
) -> None:
    gate = {
        "min_cases": 1,
        "criteria": {
            "rate": {"metric": "pass_rate", "at_least": "50%"},
            "people": {
                "metric": "human_preference", "at_least": "60%", "min_cases": 3, "optional": True
            },
        },
    }  # fmt: skip
    made = record_of(max(len(rows), 1), gate=gate)

    judged = assess(replace(made, votes=votes_for(made, rows)))

    assert (result(judged, "people").decides, judged.verdict.word) == (decides, word)


@pytest.mark.parametrize("metric", ["human_preference", "agreement"])
def test_a_criterion_on_people_who_were_not_asked_blocks(metric: str) -> None:
    made = judged_by([], metric=metric, at_least="60%")

    assert (result(made).status, result(made).reason) == (Status.NOT_MEASURED, "no votes were given")
    assert made.verdict.word is Word.INCONCLUSIVE


def test_strict_preference_wants_wilsons_bound() -> None:
    few = preference(["m"] * 7 + ["b"] * 3, more={"evidence": "strict"})
    many = preference(["m"] * 80 + ["b"] * 24 + ["t"] * 6, more={"evidence": "strict"})

    assert few.status is Status.INCONCLUSIVE
    assert few.reason.startswith(
        "70% on 10 reviewed cases (7 won, 3 lost, 0 tied), at least 44.2% with 95% confidence; "
        "≥ 60% is needed; "
    )
    assert few.reason.endswith(" more reviewed cases would decide")
    assert many.status is Status.GO
    lower = binomtest(80, 104).proportion_ci(confidence_level=0.9, method="wilson").low
    assert many.reason == (
        "76.9% on 110 reviewed cases (80 won, 24 lost, 6 tied), "
        f"at least {lower * 100:.1f}% with 95% confidence; ≥ 60% is needed"
    )


def test_agreement_is_krippendorffs_alpha_of_cases_with_several_votes() -> None:
    # The binary example of Krippendorff 2011, section A: 0.095.
    rows = ["".join("mb"[int(one)] for one in unit) for unit in zip("0100000010", "1110010000", strict=True)]

    found = agreement([*rows, "m"])

    assert (found.status, found.n) == (Status.NO_GO, 10)
    assert float(found.observed) == pytest.approx(0.095, abs=5e-4)
    assert found.reason == "0.095 on 10 reviewed cases, ≥ 0.6 is needed; noise could explain it"


@pytest.mark.parametrize("rows", [["mmm"] * 12, ["ttt"] * 12])
def test_undefined_agreement_is_not_available_and_never_one(rows: Sequence[str]) -> None:
    found = agreement(rows)

    assert (found.status, found.observed) == (Status.INCONCLUSIVE, None)
    assert found.reason == (
        "n/a on 12 reviewed cases: only one label was ever given, so that chance alone would agree"
    )


def test_one_vote_a_case_agrees_with_nobody() -> None:
    found = agreement(["m", "b", "t"])

    assert (found.status, found.reason) == (Status.NOT_MEASURED, "no case has votes of two reviewers")


def test_strict_agreement_wants_the_bound_of_the_bootstrap() -> None:
    rows = ["mmm"] * 20 + ["bbb"] * 15 + ["mmb"] * 3 + ["ttm"] * 2
    strict = {"evidence": "strict"}

    clear, near = agreement(rows, at_least="0.6", more=strict), agreement(rows, at_least="0.8", more=strict)

    assert clear.status is Status.GO
    assert near.status is Status.INCONCLUSIVE
    assert clear.interval[0] < float(clear.observed) < clear.interval[1] <= 1
    assert clear.reason.startswith("0.84 on 40 reviewed cases, at least 0.7")


def test_full_agreement_of_few_cases_is_not_sure_of_itself() -> None:
    found = agreement(["mmm"] * 6 + ["bbb"] * 6, more={"evidence": "strict"})

    assert (found.status, found.observed) == (Status.INCONCLUSIVE, 1)
    assert found.interval[0] < 0.6


def test_votes_on_other_answers_do_not_count_and_are_named() -> None:
    made = record_of(3, gate=gate_of(metric="human_preference", at_least="60%"))
    votes = votes_for(made, ["mmm", "mmm", "mmm"])
    others = [replace(one, answers="another") if one.key.case == "c001" else one for one in votes]
    gone = replace(votes[0], key=votes[0].key._replace(case="gone"))

    judged = assess(replace(made, votes=merged_votes([*others, gone])))

    assert result(judged).n == 2
    assert judged.verdict.warnings == (
        "3 votes are on other answers than this run's and do not count: tools::c001",
        "1 vote is on cases that are not in this run and does not count: tools::gone",
    )


def test_votes_on_an_answer_that_was_lost_to_an_error_leave_the_criterion_open() -> None:
    """Else an error on a case that people found worse would help to ship."""
    made = record_of(3, gate=gate_of(metric="human_preference", at_least="60%") | {"max_errors": 1})
    votes = votes_for(made, ["mmm", "mmm", "bbb"])
    error = TrialError(kind="timeout", message="no answer")
    trials = tuple(
        replace(one, outcome=Outcome.ERRORED, completion=None, scores=(), error=error)
        if one.key.case == "c002" and one.key.arm == "model"
        else one
        for one in made.trials
    )

    judged = assess(replace(made, trials=trials, votes=votes))

    assert (result(judged).status, result(judged).reason) == (
        Status.INCONCLUSIVE,
        "1 value was lost to errors",
    )


def test_reports_show_the_votes_in_a_line() -> None:
    judged = judged_by(["mmb", "bbb", "xxm", "mmm"], metric="human_preference", at_least="60%")
    line = (
        "12 votes of 3 reviewers on 4 cases: 2 won, 1 lost, 1 tied (1 both bad); 66.7% preferred; alpha 0.50"
    )

    assert line in render_markdown(judged)
    shown = plain_text(render_terminal(judged, width=120))
    assert line in shown
    assert report_json(judged)["votes"] == {
        "votes": 12,
        "reviewers": 3,
        "cases": 4,
        "wins": 2,
        "losses": 1,
        "ties": 1,
        "both_bad": 1,
        "preference": pytest.approx(2 / 3),
        "alpha": pytest.approx(0.5),  # 1 - 11 * 4 / 88
        "not_counted": 0,
    }


def test_reports_of_votes_that_all_are_on_other_answers_say_only_that() -> None:
    made = record_of(1, gate=gate_of(at_least="50%"))
    votes = tuple(replace(one, answers="another") for one in votes_for(made, ["mm"]))

    judged = assess(replace(made, votes=votes))

    text = render_markdown(judged)
    assert "\n0 votes of 0 reviewers on 0 cases\n" in text
    assert "- warning: `2 votes are on other answers than this run's and do not count: tools::c000`" in text


def test_votes_on_cases_of_other_shards_are_nothing_strange() -> None:
    made = record_of(6)
    run = replace(made.run, shard=(1, 2))
    theirs = next(one for one in made.plan.cases if not run.has(one.key))
    own = tuple(one for one in made.trials if run.has(one.key[:2]))
    votes = (vote(made, theirs.id, "ada", M),)

    judged = assess(replace(made, run=run, trials=own, votes=votes))

    assert judged.summary.votes is None
    assert judged.verdict.warnings == ()


def test_reports_without_votes_say_nothing_of_them() -> None:
    judged = assess(record_of(2, gate=gate_of(at_least="50%")))

    assert "votes" not in report_json(judged)
    assert "votes of" not in plain_text(render_terminal(judged, width=120)) + render_markdown(judged)


ROWS = st.lists(st.text("mbtx.", min_size=3, max_size=3), min_size=1, max_size=8)
CRITERIA = st.fixed_dictionaries(
    {
        "metric": st.sampled_from(["human_preference", "agreement"]),
        "at_least": st.sampled_from(["0.5", "0.9"]),
    },
    optional={"optional": st.just(True), "evidence": st.sampled_from(["point", "strict"])},
)


@settings(max_examples=40, deadline=None)
@given(ROWS, CRITERIA, st.integers(2, 4))
def test_order_and_shards_of_votes_make_no_difference(
    rows: list[str], criterion: dict[str, Any], of: int
) -> None:
    made = record_of(len(rows), gate=gate_of(**criterion))
    whole = replace(made, votes=votes_for(made, rows))
    shards = []
    for number in range(1, of + 1):
        run = replace(made.run, shard=(number, of))
        trials = tuple(one for one in made.trials if run.has(one.key[:2]))
        shards.append(replace(made, run=run, trials=trials, votes=whole.votes))

    merged = merge(shards[::-1])

    assert json_text(verdict_json(assess(merged))) == json_text(verdict_json(assess(whole)))


@settings(max_examples=60, deadline=None)
@given(ROWS, CRITERIA, st.integers(0))
def test_one_more_vote_for_the_model_never_harms_its_preference(
    rows: list[str], criterion: dict[str, Any], pick: int
) -> None:
    criterion = criterion | {"metric": "human_preference"}
    cells = [(row, column) for row, text in enumerate(rows) for column, one in enumerate(text) if one == "b"]
    if not cells:
        return
    row, column = cells[pick % len(cells)]
    turned = [*rows]
    turned[row] = rows[row][:column] + "m" + rows[row][column + 1 :]

    before, after = (result(judged_by(one, **criterion)).observed for one in (rows, turned))

    assert before is None or after is None or after >= before


@settings(max_examples=150, deadline=None)
@given(ROWS, CRITERIA, st.integers(0), st.integers(1, 4), st.booleans())
def test_an_error_never_makes_a_run_ship_that_people_were_asked_about(
    rows: list[str], criterion: dict[str, Any], pick: int, min_cases: int, answered: bool
) -> None:
    gate = {**gate_of("people", **criterion), "max_errors": 1, "min_cases": min_cases}
    gate["criteria"]["rate"] = {"metric": "pass_rate", "at_least": "0%"}
    made = record_of(len(rows), gate=gate)
    whole = replace(made, votes=votes_for(made, rows))
    at = pick % len(made.trials)
    error = TrialError(kind="timeout", message="no answer")
    one = made.trials[at]
    completion = one.completion if answered else None
    errored = replace(one, outcome=Outcome.ERRORED, completion=completion, scores=(), error=error)
    trials = (*made.trials[:at], errored, *made.trials[at + 1 :])

    before, after = assess(whole).verdict.word, assess(replace(whole, trials=trials)).verdict.word

    assert before is Word.SHIP or after is not Word.SHIP


@settings(max_examples=60, deadline=None)
@given(ROWS, CRITERIA)
def test_nothing_ships_by_votes_that_nobody_gave(rows: list[str], criterion: dict[str, Any]) -> None:
    judged = judged_by(rows, **criterion)

    found = result(judged)
    measured = found.status is Status.GO and found.n > 0 and found.observed is not None
    assert judged.verdict.word is not Word.SHIP or measured or not found.decides

"""The report at the end of a session, as a whole against golden files and piece by piece.

To accept a changed look: FTGATE_UPDATE_GOLDEN=1 pytest tests/reports, then read the diff.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from pytest_ftgate.gates import Assessment, Status, Word
from pytest_ftgate.record import Outcome, Record, RunInfo
from pytest_ftgate.reports.lines import Line, ansi_text, cells, plain_text
from pytest_ftgate.reports.terminal import render_terminal
from tests.reports.samples import (
    BASELINE,
    CRITERIA,
    MODEL,
    SUITE,
    Category,
    assessment,
    criterion,
    errored,
    record,
    score,
    tuned_suite,
)

GOLDEN = Path(__file__).parent / "golden"
BFCL = (
    *("live_irrelevance", "live_multiple", "live_parallel", "live_parallel_multiple", "live_relevance"),
    *("multiple", "parallel", "parallel_multiple", "simple_python"),
)


def nine_categories() -> Assessment:
    categories = [
        Category(name, both=10 + at, regressed=at % 4, fixed=at * 3 % 5, neither=at % 3, suite="bfcl")
        for at, name in enumerate(BFCL)
    ]
    criteria = [
        criterion(
            f"drop[{name}]",
            Status.GO if at % 3 else Status.NO_GO,
            compare="delta",
            observed=Fraction(-at, 40),
            threshold="≥ -5%",
            n=20 + at,
            reason=f"the pass rate fell by {at * 2.5} points",
        )
        for at, name in enumerate(BFCL)
    ]
    sentence = "drop[live_irrelevance], drop[live_parallel_multiple] and drop[parallel] are NO-GO"
    warnings = ("model and baseline are both llama-3.1-8b: this compares a model with itself",)
    return assessment(record(categories), Word.ITERATE, sentence, criteria=criteria, warnings=warnings)


def without_baseline() -> Assessment:
    sentence = "target_task_improvement is NOT MEASURED: there is no baseline; name one with --baseline=NAME"
    return assessment(record(SUITE, arms=[MODEL]), Word.INCONCLUSIVE, sentence, criteria=CRITERIA[2:])


def with_repeats() -> Assessment:
    return assessment(record(SUITE, repeats=3), Word.SHIP, "the one criterion is met", criteria=CRITERIA[:1])


def narrowed() -> Assessment:
    sentence = "narrowed, so there is no release decision: 1 of 31 cases was left out"
    left_out = ("evals/tools.evalcase.yaml::tokyo",)
    made = assessment(
        record(SUITE, left_out=left_out), Word.INCOMPLETE, sentence, reasons=left_out, narrowed=True
    )
    return replace(made, verdict=replace(made.verdict, criteria=CRITERIA))


def not_gated() -> Assessment:
    bare = record(SUITE, arms=[])
    run = RunInfo(run_id="r-1", no_model=True)
    sentence = "not gated: no model was named"
    return assessment(replace(bare, run=run), Word.INCOMPLETE, sentence, reasons=[sentence])


def marked(lines: Sequence[Line]) -> str:
    """Styles in view: `{red:NO-GO}`."""
    rows = (
        "".join(part.text if part.style == "plain" else f"{{{part.style}:{part.text}}}" for part in row)
        for row in lines
    )
    return "".join(f"{row}\n" for row in rows)


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("FTGATE_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("made", [tuned_suite, nine_categories, without_baseline, with_repeats])
def test_the_report_looks_as_it_did(made: Callable[[], Assessment], width: int) -> None:
    lines = render_terminal(made(), width=width)

    check_golden(f"{made.__name__}_{width}.txt", marked(lines))


@pytest.mark.parametrize(
    ("made", "verbosity"), [(narrowed, 0), (narrowed, 1), (not_gated, 0), (tuned_suite, -1)]
)
def test_short_reports_look_as_they_did(made: Callable[[], Assessment], verbosity: int) -> None:
    lines = render_terminal(made(), width=80, verbosity=verbosity)

    check_golden(f"{made.__name__}_verbosity_{verbosity}.txt", marked(lines))


@pytest.mark.parametrize("width", [20, 72, 80, 100, 160, 400])
@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("made", [tuned_suite, nine_categories, without_baseline, with_repeats])
def test_no_line_is_wider_than_the_terminal(
    made: Callable[[], Assessment], width: int, ascii_only: bool
) -> None:
    text = plain_text(render_terminal(made(), width=width, verbosity=1, ascii_only=ascii_only))

    assert max(cells(row) for row in text.splitlines()) <= min(max(width, 72), 160)


def test_ascii_only_writes_nothing_but_ascii() -> None:
    made = tuned_suite(warnings=["das Modell heißt „größer“ ≥ 大きい"])

    text = plain_text(render_terminal(made, width=80, ascii_only=True))

    assert text.isascii()
    assert "  >= 5%  n=25" in text


def test_colour_is_the_only_difference_between_ansi_and_plain_text() -> None:
    lines = render_terminal(tuned_suite(), width=80)
    coloured = ansi_text(lines)

    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"):
        coloured = coloured.replace(code, "")

    assert coloured == plain_text(lines)


def test_quiet_shows_failed_criteria_and_the_verdict_only() -> None:
    text = plain_text(render_terminal(tuned_suite(), width=160, verbosity=-1))

    assert [row.split()[0] for row in text.splitlines()] == ["NO-GO", "INCONCLUSIVE", "ITERATE:"]


def test_a_hundred_categories_are_bounded_and_a_flagged_one_is_never_hidden() -> None:
    many = [Category(f"c{number:03}", both=3) for number in range(99)]
    many.append(Category("zz_dropped", both=2, regressed=1))

    text = plain_text(render_terminal(assessment(record(many)), width=80))

    assert "zz_dropped" in text
    assert "c048" in text
    assert "c049" not in text
    assert "50 more categories, none flagged; -v shows all\n" in text


def test_verbose_shows_every_category() -> None:
    many = [Category(f"c{number:03}", both=1) for number in range(60)]

    text = plain_text(render_terminal(assessment(record(many)), width=80, verbosity=1))

    assert "c059" in text
    assert "more categories" not in text


def test_a_category_of_both_roles_is_said_to_be_of_both() -> None:
    general = replace(SUITE[3], name="simple")

    text = plain_text(render_terminal(assessment(record([SUITE[0], general])), width=80))

    assert "simple    both" in text


def test_a_single_category_is_not_shown_twice() -> None:
    text = plain_text(render_terminal(assessment(record([SUITE[0]])), width=80))

    assert "simple" not in text
    assert "all       10  100.0%     90.0%  +10.0  [-23, +42]     1       0     9\n" in text


def test_the_interval_of_the_difference_stands_beside_it() -> None:
    rows = table_rows(assessment(record([Category("simple", both=90, regressed=1, fixed=9)])), width=80)

    # Tango's score interval with the n - 1 variance of 9 wins and 1 loss in 100 cases.
    assert rows["all"] == ["100", "99.0%", "91.0%", "+8.0", "[+2,", "+15]", "9", "1", "90"]


def test_without_a_baseline_the_interval_is_that_of_the_rate() -> None:
    rows = table_rows(assessment(record([Category("simple", both=81, neither=182)], arms=[MODEL])), width=80)

    # Wilson 1927 for 81 of 263, as in Newcombe 1998, table 1: 0.2553 to 0.3662.
    assert rows["category"] == ["n", "model", "95%", "CI"]
    assert rows["all"] == ["263", "30.8%", "[26%,", "37%]"]


def test_the_interval_has_the_confidence_of_the_gate() -> None:
    made = assessment(record([Category("simple", both=81, neither=182)], arms=[MODEL]))
    made = replace(made, gate=replace(made.gate, confidence=Fraction(80, 100)))

    rows = table_rows(made, width=80)

    assert rows["category"] == ["n", "model", "80%", "CI"]
    assert rows["all"] == ["263", "30.8%", "[27.3%,", "34.6%]"]


def table_rows(made: Assessment, *, width: int) -> dict[str, list[str]]:
    """The words of every line, by its first one."""
    lines = plain_text(render_terminal(made, width=width)).splitlines()
    return {words[0]: words[1:] for words in map(str.split, lines) if words}


def test_where_three_columns_do_not_fit_wins_losses_and_ties_share_one() -> None:
    made = nine_categories()

    narrow, wide = table_rows(made, width=80), table_rows(made, width=100)

    assert narrow["category"][-2:] == ["CI", "w/l/t"]
    assert narrow["all"][-1] == "18/12/135"
    assert wide["category"][-3:] == ["wins", "losses", "ties"]
    assert wide["all"][-3:] == ["18", "12", "135"]


def test_names_too_long_for_the_page_keep_both_ends() -> None:
    names = [f"a_category_with_a_very_long_name_number_{number}" for number in (1, 2)]

    rows = table_rows(assessment(record([Category(name, both=3) for name in names])), width=80)

    assert [name for name in rows if name.startswith("a_")] == [
        "a_category_with…ong_name_number_1",
        "a_category_with…ong_name_number_2",
    ]


def test_errors_are_counted_by_kind_below_the_table() -> None:
    made = with_errors(record(SUITE))

    text = plain_text(render_terminal(assessment(made), width=80))

    assert "n counts planned cases; delta, wins, losses and ties are of 29 on both arms\n" in text
    assert "1 trial errored (1 timeout): in no rate above\n" in text


def with_errors(whole: Record) -> Record:
    first, *rest = whole.trials
    error = errored(BASELINE).error
    return replace(whole, trials=(replace(first, outcome=Outcome.ERRORED, scores=(), error=error), *rest))


def test_a_category_that_only_one_arm_has_is_not_compared() -> None:
    whole = record(SUITE[:2])
    trials = [one for one in whole.trials if "edge" not in one.key.case or one.key.arm is MODEL]

    rows = table_rows(assessment(replace(whole, trials=tuple(trials))), width=80)

    assert rows["edge_case"] == ["9", "88.9%", "-", "-", "-", "-", "-", "-"]


def test_must_pass_regressions_come_first() -> None:
    whole = record([Category("simple", both=1, regressed=3)])
    cases = [replace(case, must_pass=case.id == "simple-04") for case in whole.plan.cases]
    made = assessment(replace(whole, plan=replace(whole.plan, cases=tuple(cases))))

    text = plain_text(render_terminal(made, width=80))

    assert text.index("simple-04") < text.index("simple-02")


def test_regressions_beyond_five_are_counted_and_shown_with_v() -> None:
    made = assessment(record([Category("simple", regressed=7)]))

    short = plain_text(render_terminal(made, width=80))
    full = plain_text(render_terminal(made, width=80, verbosity=1))

    assert "7 cases regressed (the baseline passed), 5 shown; -v shows all\n" in short
    assert short.count("::simple-") == 5
    assert "7 cases regressed (the baseline passed)\n" in full
    assert full.count("::simple-") == 7


def test_a_criterion_that_does_not_decide_is_dim_and_says_so() -> None:
    rows = render_terminal(tuned_suite(), width=160)
    (latency,) = [row for row in rows if "latency_p99" in "".join(part.text for part in row)]

    assert {part.style for part in latency} == {"dim"}
    assert "(shown only)" in "".join(part.text for part in latency)


def test_reasons_of_an_incomplete_run_are_bounded() -> None:
    reasons = [f"trial {number} is missing" for number in range(30)]
    made = assessment(record(SUITE), Word.INCOMPLETE, "30 planned trials are missing", reasons=reasons)

    text = plain_text(render_terminal(made, width=80))

    assert text.endswith("  - trial 9 is missing\n  (20 more; -v shows more)\n")


def test_long_wide_names_are_shortened_to_the_page() -> None:
    name = "関西弁の丁寧な断り方と謝り方" * 4
    made = assessment(record([Category(name, both=3), Category("b", both=2)]))

    text = plain_text(render_terminal(made, width=80))

    assert "…" in text
    assert max(map(cells, text.splitlines())) <= 80


def test_a_failed_test_without_a_failed_check_has_a_reason_too() -> None:
    whole = record([Category("simple", regressed=1)])
    trials = [replace(one, scores=(score(True),)) for one in whole.trials]

    text = plain_text(render_terminal(assessment(replace(whole, trials=tuple(trials))), width=80))

    assert "    the test failed outside the case's own checks\n" in text


def test_a_run_that_was_cut_short_before_its_first_trial_shows_the_verdict_alone() -> None:
    nothing = replace(record(SUITE), trials=())
    reasons = ["cut short: 2 collection errors", "10 of 10 planned trials are missing: a::b"]
    made = assessment(nothing, Word.INCOMPLETE, "2 collection errors", criteria=CRITERIA, reasons=reasons)

    assert plain_text(render_terminal(made, width=80)).splitlines() == [
        "INCOMPLETE: 2 collection errors",
        "  - 10 of 10 planned trials are missing: a::b",
    ]


def test_of_very_many_fixed_cases_it_is_said_how_many_are_shown() -> None:
    made = assessment(record([Category("simple", fixed=501)]))

    text = plain_text(render_terminal(made, width=80, verbosity=1))

    assert "501 cases fixed (the model passed, the baseline did not), 500 shown\n" in text

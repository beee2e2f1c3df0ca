"""The plan as people see it, as a whole against golden files and piece by piece.

To accept a changed look: FTGATE_UPDATE_GOLDEN=1 pytest tests/planning, then read the diff.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import Arm, Turn
from pytest_ftgate.planning import Answerer, Assumptions, RunPlan, plan_run
from pytest_ftgate.planning.leakage import Leaks, find_leaks
from pytest_ftgate.planning.training_data import TrainingRow
from pytest_ftgate.reports.lines import cells, plain_text
from pytest_ftgate.reports.plan_json import plan_json
from pytest_ftgate.reports.plan_report import render_plan
from tests.planning.previews import case, cases, one_criterion, preview

GOLDEN = Path(__file__).parent / "golden"
LIMIT: dict[str, Any] = {"params": {"max_tokens": 200}}
TUNED = Answerer(name="tuned", kind="openai", price=(0.4, 1.6))
PROD = Answerer(name="prod", kind="recorded")
SUITES = [
    *cases(60, suite="support_tools", category="simple", **LIMIT),
    *cases(22, suite="support_tools", category="adversarial", **LIMIT),
    *cases(40, suite="general", role="general", category="facts", **LIMIT),
]


def two_suites() -> RunPlan:
    return plan_run(preview(SUITES, {"min_cases": 10}, answerers={Arm.MODEL: TUNED}))


def no_model() -> RunPlan:
    talk = case("refund", suite="talk", category="dialogue", messages=(), turns=(Turn(user="Hello?"),) * 2)
    skipped = case("broken", suite="talk", category="dialogue", skip="the shop is closed")
    of = preview([*SUITES, talk, skipped], {"min_cases": 10}, assumed=frozenset(Arm))
    return plan_run(of, Assumptions(baseline=0.97, discordance=0.1))


def leaking() -> RunPlan:
    tokyo = case("tokyo", "What's the weather like in Tokyo today?", category="simple", line=14)
    paris = case("paris", "Which train goes from Berlin to Paris at noon?", category="simple", line=19)
    of = preview([tokyo, paris], one_criterion(at_least="50%"), warnings=("suites differ by little",))
    return plan_run(
        of, leaks=leaks_of(tokyo.prompt, tokyo.prompt, "Which train goes from Bern to Paris at noon?")
    )


def leaks_of(*texts: str) -> Leaks:
    rows = [TrainingRow(line=number, texts=(text,)) for number, text in enumerate(texts, 812)]
    tokyo = case("tokyo", "What's the weather like in Tokyo today?", line=14)
    paris = case("paris", "Which train goes from Berlin to Paris at noon?", line=19)
    return find_leaks([tokyo, paris], [("train.jsonl", rows)])


@pytest.mark.parametrize(("width", "verbosity"), [(80, 0), (80, 1), (160, 0)])
@pytest.mark.parametrize("made", [two_suites, no_model, leaking])
def test_the_plan_as_a_whole(made: Callable[[], RunPlan], width: int, verbosity: int) -> None:
    golden = GOLDEN / f"{made.__name__}-{width}{'-v' * verbosity}.txt"

    text = plain_text(render_plan(made(), width=width, verbosity=verbosity))

    if os.environ.get("FTGATE_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 72, 80, 100, 160, 300])
@pytest.mark.parametrize("made", [two_suites, no_model, leaking])
def test_no_line_is_wider_than_the_page(made: Callable[[], RunPlan], width: int) -> None:
    lines = render_plan(made(), width=width, verbosity=1)

    assert max(sum(cells(segment.text) for segment in row) for row in lines) <= min(max(width, 72), 160)


def test_words_have_their_colours_and_what_does_not_decide_is_dim() -> None:
    lines = [row for row in render_plan(two_suites(), width=80) if row]

    styles = {row[0].text.split("  ")[0]: row[0].style for row in lines}
    assert (styles["DECIDABLE"], styles["NO CASES"]) == ("green", "dim")


def test_what_does_not_decide_says_so_in_place_of_its_number() -> None:
    gate = one_criterion(at_least="50%", advisory=True)

    text = plain_text(render_plan(plan_run(preview(cases(20), gate)), width=80))

    assert "\nDECIDABLE  rate         ≥ 50%   n=20  shown only\n" in text


def test_ascii_has_no_signs_of_ours() -> None:
    assert plain_text(render_plan(two_suites(), width=80, ascii_only=True)).isascii()


def test_hostile_texts_are_shown_and_not_obeyed() -> None:
    of = preview(
        [case("c", category="a", suite="\x1b[2J")], one_criterion(at_least="50%"), warnings=("::error::",)
    )

    text = plain_text(render_plan(plan_run(of), width=80))

    assert "\x1b" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_many_categories_and_leaks_are_cut_and_verbosity_shows_them() -> None:
    of = [made for number in range(60) for made in cases(1, category=f"c{number:02}")]
    plan = plan_run(preview(of, one_criterion(at_least="50%")))

    short, whole = (plain_text(render_plan(plan, width=80, verbosity=verbosity)) for verbosity in (0, 1))

    assert "20 more categories; -v shows all\n" in short
    assert "c59" in whole
    assert "c59" not in short


def test_what_was_just_said_is_not_said_again() -> None:
    of = [*cases(10, category="a"), *cases(10, category="b")]
    plan = plan_run(preview(of, one_criterion(per="category", compare="delta", at_least="-5%")))

    text = plain_text(render_plan(plan, width=80))

    assert (
        "TOO FEW    rate[a]  ≥ -5%  n=10  sees ≥ +6.3 points\n"
        "           if the model is truly no different and the two models disagree on 20%\n"
        "           of cases: GO in 65% of runs; add about 50 cases of category a\n"
        "TOO FEW    rate[b]  ≥ -5%  n=10  sees ≥ +6.3 points\n"
        "           likewise; add about 50 cases of category b\n"
    ) in text


def test_a_gate_in_which_nothing_decides_says_so() -> None:
    gate = one_criterion(at_most="2", advisory=True, metric="latency_p50")
    expectless = [case(f"c{number}", expect=()) for number in range(3)]

    text = plain_text(render_plan(plan_run(preview(expectless, gate)), width=80))

    assert text.endswith("\nNo criterion decides: such a run never ends in SHIP.\n")


def test_a_narrowed_selection_says_that_it_decides_nothing() -> None:
    of = preview(cases(2), one_criterion(at_least="50%"), left_out=("a", "b"))

    assert (
        "narrowed (2 items left out): such a run decides nothing. Requests are those of\n"
        "what is selected, criteria those of a whole run.\n"
    ) in plain_text(render_plan(plan_run(of), width=80))


def test_the_json_has_all_of_it_and_its_version() -> None:
    content = plan_json(leaking())

    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert list(content) == [
        "schema", "plan", "gate", "warnings", "groups", "requests", "graders", "assumptions", "criteria",
        "leakage",
    ]  # fmt: skip
    assert content["schema"] == "ftgate.plan/1"
    assert content["groups"] == [{"suite": "tools", "role": "target", "category": "simple", "n": 2}]
    assert content["requests"][0] == {
        "arm": "model",
        "answered_by": "gpt",
        "kind": "openai",
        "cases": 2,
        "requests": 2,
        "tokens_in": 30,
        "tokens_out": None,
        "observed": 0,
        "unlimited": 2,
        "cost": None,
        "price": None,
    }
    (criterion,) = content["criteria"]
    assert (criterion["name"], criterion["prospect"], criterion["n"], criterion["threshold"]) == (
        "rate",
        "DECIDABLE",
        2,
        "≥ 50%",
    )
    assert criterion["outlooks"]["strict"]["remedy"] == "add at least 1 case (about 23 for GO in 4 of 5 runs)"
    assert [
        (leak["path"], leak["line"], leak["row"], leak["kind"]) for leak in content["leakage"]["leaks"]
    ] == [
        ("evals/tools.evalcase.yaml", 19, 814, "near"),
        ("evals/tools.evalcase.yaml", 14, 812, "exact"),
        ("evals/tools.evalcase.yaml", 14, 813, "exact"),
    ]

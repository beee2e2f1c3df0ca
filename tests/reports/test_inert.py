from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.gates import Status, Word
from pytest_ftgate.record import Outcome, Trial, TrialError
from pytest_ftgate.reports.case_text import render_case
from pytest_ftgate.reports.inert import folded, inert_block, inert_json, inert_line, inert_lines
from pytest_ftgate.reports.json_report import json_text, report_json
from pytest_ftgate.reports.junit import criterion_text, verdict_text
from pytest_ftgate.reports.lines import plain_text
from pytest_ftgate.reports.terminal import render_terminal
from tests.reports.samples import (
    BASELINE,
    Category,
    against_itself,
    assessment,
    criterion,
    errored,
    eval_case,
    record,
    score,
    timed,
    trial,
)
from tests.support.hostile import assert_inert, hostile_texts, unescaped

# An emoji of two, and Persian: here the joiners belong to the text.
JOINED = "\U0001f468\u200d\U0001f469 \u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Paris", "Paris"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202egnp", "\\u202egnp"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("Par\u200dis", "Par\\u200dis"),
        (JOINED, JOINED),
        ("30\u00a0€ – naïve 大", "30\u00a0€ – naïve 大"),  # noqa: RUF001
        ("##[error]x", "\\x23#[error]x"),
        ("## Heading [link](x)", "## Heading [link](x)"),
        ("std::string ::error::", "std::string ::error::"),
    ],
)
def test_what_is_harmful_is_shown_and_what_is_not_stays(text: str, shown: str) -> None:
    assert inert_line(text) == shown


@given(hostile_texts.filter(lambda text: "\\" not in text))
@settings(deadline=None)
def test_a_line_gives_its_text_back(text: str) -> None:
    shown = inert_line(text, limit=len(text))

    assert "\n" not in shown
    assert unescaped(shown) == text


@given(hostile_texts)
@settings(deadline=None)
def test_lines_keep_their_number(text: str) -> None:
    shown = inert_lines(text)

    assert_inert(shown)
    assert shown.count("\n") == text.count("\n")


def test_a_long_line_says_how_much_was_cut() -> None:
    assert inert_line("x" * 1310, limit=10) == "xxxxxxxxxx… (1,300 more characters)"


def test_a_block_stands_behind_bars_and_says_what_was_cut() -> None:
    rows = list(inert_block("one\r\n\ttwo\n" + "x" * 3000, limit=100, max_lines=3))

    assert rows == [
        "  | one",
        "  |     two",
        f"  | {'x' * 74}",
        f"  : {'x' * 17}",
        "  (2,909 more characters)",
    ]


def test_a_block_of_many_lines_is_cut_by_lines_too() -> None:
    rows = list(inert_block("a\n" * 1000, max_lines=2))

    assert rows == ["  | a", "  | a", "  (1,997 more characters)"]


@given(st.text(st.characters(exclude_characters="\n"), max_size=400))
@settings(deadline=None)
def test_folding_loses_nothing(text: str) -> None:
    assert "".join(folded(text)) == text
    assert max(map(len, folded(text))) <= 74


@given(hostile_texts)
@settings(deadline=None)
def test_lines_and_blocks_of_hostile_text_are_inert(text: str) -> None:
    assert_inert("x" + inert_line(text))
    assert_inert("\n".join(inert_block(text)))


@given(hostile_texts)
@settings(deadline=None)
def test_json_keeps_its_meaning_and_is_harmless_to_print(text: str) -> None:
    shown = inert_json(json.dumps({"text": text}, ensure_ascii=False))

    assert_inert(shown)
    assert json.loads(shown) == {"text": text}


def hostile_trial(text: str, **key: Any) -> Trial:
    completion = Completion(
        text=text,
        refusal=text,
        finish_reason=text,
        tool_calls=(
            ToolCall(name=text, arguments={text: [text]}),
            ToolCall(name=text, arguments=None, text=text),
        ),
    )
    said = (
        score(False, text, scorer="contains", children=(score(True, text), score(False, text, name=text))),
        score(False, "", scorer=text),
    )
    return replace(trial(passed=False, scores=said, **key), completion=completion)


@given(hostile_texts)
@settings(deadline=None)
def test_a_failed_case_with_hostile_texts_is_inert(text: str) -> None:
    case = eval_case(messages=({"role": "user", "content": text},))
    broken = replace(hostile_trial(text, repeat=2), outcome=Outcome.ERRORED)
    broken = replace(broken, error=TrialError(kind=text, message=text))

    shown = render_case(case, [hostile_trial(text), broken, hostile_trial(text, arm=BASELINE)])

    assert_inert(shown)
    ours = (
        "  ",
        "regression: ",
        "shared failure: ",
        "error: ",
        "evals/",
        "prompt",
        "expected",
        "model",
        "baseline",
    )
    assert all(row.startswith(ours) for row in shown.splitlines() if row)


@given(hostile_texts)
@settings(deadline=None)
def test_terminal_junit_and_json_with_hostile_texts_are_inert(text: str) -> None:
    # Few enough cases that nothing is resampled, a hundred times over.
    categories = [Category(text or "empty", both=1, neither=1), Category("b", regressed=1, fixed=1)]
    whole = against_itself(timed(record(categories, repeats=2)))
    trials = [
        replace(one, scores=(score(False, text, name=text),)) if one.outcome is Outcome.FAILED else one
        for one in whole.trials
    ]
    trials[0] = replace(trials[0], outcome=Outcome.ERRORED, error=errored(message=text).error)
    results = [criterion(f"c{text}", Status.NO_GO, reason=text, threshold="≥ 1%")]
    made = assessment(
        replace(whole, trials=tuple(trials)),
        Word.INCOMPLETE,
        text,
        criteria=results,
        reasons=[text, "two"],
        warnings=[text],
    )

    assert_inert(plain_text(render_terminal(made, width=80, verbosity=1)))
    assert_inert(plain_text(render_terminal(made, width=80, verbosity=1, ascii_only=True)))
    assert_inert(criterion_text(results[0]))
    assert_inert(verdict_text(made.verdict))
    assert_inert(json_text(report_json(made)))

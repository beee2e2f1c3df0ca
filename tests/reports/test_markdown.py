from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pytest_ftgate.cases import Role
from pytest_ftgate.gates import Assessment, Status, Word
from pytest_ftgate.record import Outcome, RunInfo
from pytest_ftgate.reports.markdown import code, code_text, render_markdown
from tests.reports.samples import Category, assessment, criterion, record, score, tuned_suite
from tests.support.hostile import HOSTILE, assert_inert, hostile_texts, unescaped

#: HTML is on, so that any that a text could smuggle in would be seen.
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def structure(text: str) -> Iterator[tuple[str, str]]:
    """Kinds of tokens, and the contents of all but code spans: those are what may differ."""
    for token in PARSER.parse(text):
        yield token.type, "" if token.children else token.content
        for child in token.children or ():
            yield child.type, "" if child.type == "code_inline" else child.content


def code_spans(text: str) -> list[str]:
    spans: list[Token] = [child for token in PARSER.parse(text) for child in token.children or ()]
    return [span.content for span in spans if span.type == "code_inline"]


def everywhere(text: str) -> Assessment:
    """A suite in which every text that comes from outside is this one."""
    run = RunInfo(run_id=text, mode=text, models={arm: {"name": text} for arm in ("model", "baseline")})
    whole = record([Category(text, both=1, neither=1), Category(f"b{text}", regressed=1, fixed=1)], run=run)
    trials = [
        replace(one, scores=(score(False, text, name=text),)) if one.outcome is Outcome.FAILED else one
        for one in whole.trials
    ]
    criteria: list[Any] = [
        criterion(f"{number}{text}", status, threshold=text, reason=text)
        for number, status in enumerate(Status)
    ]
    return assessment(
        replace(whole, trials=tuple(trials)),
        Word.INCOMPLETE,
        text,
        criteria=criteria,
        reasons=[f"lacking {text}"] * 9,
        warnings=[text] * 9,
    )


@given(hostile_texts)
@settings(deadline=None, max_examples=60)
def test_a_hostile_text_changes_nothing_but_the_content_of_code_spans(text: str) -> None:
    shown = render_markdown(everywhere(f"x{text}"))

    assert list(structure(shown)) == list(structure(render_markdown(everywhere("x"))))
    assert_inert(shown)
    assert len(shown.splitlines()) <= 60


@pytest.mark.parametrize("text", ["x" * 2_000_000, "\x1b" * 2_000_000, "\U000e0041" * 2_000_000])
def test_texts_of_any_length_leave_it_small(text: str) -> None:
    """A step summary takes 1024 KiB in all, and is read by people."""
    shown = render_markdown(everywhere(text))

    assert len(shown.encode()) < 300_000
    assert len(shown.splitlines()) <= 60


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_comes_back_from_its_code_span(text: str) -> None:
    span = code(text, limit=1000)

    assert code_spans(f"- before: {span}: after") == [code_text(text, limit=1000)]
    assert code_spans(f"| a | b |\n| --- | --- |\n| {span} | x |\n") == [code_text(text, limit=1000)]
    if "\\" not in text and len(text) <= 1000:
        assert unescaped(code_text(text, limit=1000)) == text


@given(hostile_texts)
@settings(deadline=None)
def test_any_text_comes_back_from_its_code_span(text: str) -> None:
    shown = code_text(text)

    assert code_spans(code(text)) == ([shown] if shown.strip(" ") else [])


def test_an_empty_text_is_said_to_be_empty() -> None:
    assert code("") == code("   ") == "(empty)"


def test_a_run_of_backticks_stays_shorter_than_githubs_parser_can_take() -> None:
    assert code("`" * 80) == "`" + r"\x60" * 80 + "`"
    assert code("a``b") == "```a``b```"


def test_a_report_begins_with_the_verdict_and_ends_with_the_flips() -> None:
    assert render_markdown(tuned_suite()) == (
        "## ❌ ITERATE\n"
        "\n"
        "`general_regression is NO-GO: -20.0 points, needed ≥ -5%; capitals dropped from 80.0% to 60.0%`\n"
        "\n"
        "model `acme/support-8b-lora` · baseline `llama-3.1-8b` · run `r-1`\n"
        "\n"
        "| criterion | status | observed | needed | n |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| `target_task_improvement` | ✅ GO | +16.0 points | `≥ 5%` | 25 |\n"
        "| `general_regression` | ❌ NO-GO | -20.0 points | `≥ -5%` | 5 |\n"
        "| `adversarial_robustness` | ❔ INCONCLUSIVE | 83.3% | `≥ 90%` | 6 |\n"
        "| `latency_p99` | ➖ NOT MEASURED (shown only) | - | `≤ 2` | 0 |\n"  # noqa: RUF001
        "\n"
        "| category | n | model | baseline | delta | 95% CI | w/l/t |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| `adversarial` | 6 | 83.3% | 50.0% | +33.3 | [-25, +72] | 2/0/4 |\n"
        "| `capitals` | 5 | 60.0% | 80.0% | -20.0 ❗ | [-66, +39] | 0/1/4 |\n"
        "| `edge_case` | 9 | 88.9% | 77.8% | +11.1 | [-25, +46] | 1/0/8 |\n"
        "| `simple` | 10 | 100.0% | 90.0% | +10.0 | [-23, +42] | 1/0/9 |\n"
        "| **general** | 5 | 60.0% | 80.0% | -20.0 | [-66, +39] | 0/1/4 |\n"
        "| **target** | 25 | 92.0% | 76.0% | +16.0 | [-0, +35] | 4/0/21 |\n"
        "| **all** | 30 | 86.7% | 76.7% | +10.0 | [-6, +28] | 4/1/25 |\n"
        "\n"
        "<details>\n"
        "<summary>1 regressed, 4 fixed</summary>\n"
        "\n"
        "- regression: `evals/facts.evalcase.yaml::capitals-04`: "
        "`exact_match: got 'Lyon', expected 'Paris'`\n"
        + "".join(
            f"- fixed: `evals/tools.evalcase.yaml::{name}`: the baseline's "
            "`exact_match: got 'Lyon', expected 'Paris'`\n"
            for name in ("adversarial-04", "edge_case-08", "simple-10", "adversarial-05")
        )
        + "\n</details>\n"
    )


def test_a_huge_suite_stays_within_sixty_lines_and_shows_what_blocks() -> None:
    categories = [Category(f"c{number:03}", both=1) for number in range(99)]
    categories += [Category("worst", regressed=20), Category("old", both=1, role=Role.GENERAL, suite="facts")]
    criteria = [criterion(f"k{number:03}", Status.GO) for number in range(99)]
    criteria.append(criterion("blocks", Status.NO_GO))

    shown = render_markdown(assessment(record(categories), Word.ITERATE, "blocks", criteria=criteria))

    assert len(shown.splitlines()) <= 60
    assert "| `blocks` | ❌ NO-GO" in shown
    assert "| `worst` | 20 |" in shown
    assert "| 84 more |" in shown
    assert "| 87 more |" in shown
    assert "| **general** | 1 |" in shown
    assert "<summary>20 regressed, 0 fixed; 5 of them here</summary>" in shown

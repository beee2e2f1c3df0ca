"""What docs/plan.md shows is what `ftgate plan` prints."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_ftgate.cases import Arm
from pytest_ftgate.planning import RunPlan, plan_run
from pytest_ftgate.planning.leakage import find_leaks
from pytest_ftgate.planning.training_data import TrainingRow
from pytest_ftgate.reports.lines import plain_text
from pytest_ftgate.reports.plan_report import render_plan
from tests.planning.previews import case, cases, one_criterion, preview
from tests.planning.test_earlier import PRICED, both, earlier

PAGE = Path(__file__).parents[2] / "docs" / "plan.md"


def block(start: str) -> str:
    """The fenced block that begins so."""
    blocks: list[str] = re.findall(
        r"^```\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return next(text for text in blocks if text.startswith(start))


def shown(plan: RunPlan) -> str:
    return plain_text(render_plan(plan, width=80))


def without_padding(text: str) -> str:
    """Columns are as wide as the widest criterion of the gate."""
    return re.sub(r"(?<=\S) {2,}", "  ", text)


def test_the_example_of_too_few_cases() -> None:
    gate = {"criteria": {"general_regression": {"metric": "pass_rate", "role": "general"}}}
    gate["criteria"]["general_regression"] |= {"compare": "delta", "at_least": "-5%"}

    text = shown(plan_run(preview(cases(50, role="general"), gate)))

    assert block("TOO FEW    general") in without_padding(text).replace("TOO FEW  ", "TOO FEW    ")


def test_the_example_of_an_earlier_run() -> None:
    of = cases(40)
    gate = one_criterion("reply_length", metric="tokens", at_most="105", evidence="strict")
    seen = earlier(of, both(tokens=80), both(tokens=120))

    text = shown(plan_run(preview(of, gate, answerers={Arm.MODEL: PRICED}), observed=seen))

    assert block("TOO FEW    reply") in without_padding(text).replace("TOO FEW  ", "TOO FEW    ")


def test_the_example_of_leaks() -> None:
    tokyo = case("tokyo", "What's the weather like in Tokyo today?", line=14)
    paris = case("paris", "Which train goes from Berlin to Paris at noon?", line=19)
    texts = {812: tokyo.prompt, 2044: "Which train goes from Bern to Paris at noon?"}
    rows = [
        TrainingRow(line=number, texts=(texts.get(number, f"Filler {number}"),)) for number in range(1, 12001)
    ]
    made = preview([tokyo, paris], one_criterion(at_least="50%"))

    text = shown(plan_run(made, leaks=find_leaks([tokyo, paris], [("train.jsonl", rows)])))

    assert block("Training data").replace("\n", " ").strip() in text.replace("\n", " ")

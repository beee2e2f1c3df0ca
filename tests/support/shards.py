"""A project whose saved answers show all that a verdict may hold, to be run at once and in shards."""

from __future__ import annotations

import json
import re
from pathlib import Path

GATE = """
gate:
  min_cases: 1
  max_errors: 2
  criteria:
    right: {metric: pass_rate, role: target, at_least: 60%}
    no_worse: {metric: pass_rate, role: general, compare: delta, at_least: -50%}
"""

TARGET = """
suite: capitals
defaults: {category: simple}
cases:
  - {id: france, prompt: Capital of France?, expect: Paris, tags: [west]}
  - {id: italy, prompt: Capital of Italy?, expect: Rome, repeat: 3}
  - {id: spain, prompt: Capital of Spain?, expect: Madrid, xfail: it says Barcelona}
  - {id: japan, prompt: Capital of Japan?, expect: {contains: Tokyo}, must_pass: true}
  - {id: peru, prompt: Capital of Peru?, expect: Lima, skip: not yet}
  - {id: chile, prompt: Capital of Chile?, expect: [{contains: Santiago}, {cost: {at_most: 1}}]}
  - {id: kenya, category: edge_case, prompt: Capital of Kenya?, expect: Nairobi}
  - {id: ghana, category: edge_case, prompt: Capital of Ghana?, expect: Accra}
"""

GENERAL = """
suite: sums
role: general
cases:
  - {id: two, prompt: 1 + 1?, expect: '2'}
  - {id: three, prompt: 1 + 2?, expect: '3'}
  - {id: four, prompt: 2 + 2?, expect: '4'}
  - {id: five, prompt: 2 + 3?, expect: '5'}
"""

TESTS = """
import pytest

@pytest.mark.eval_case("evals/capitals.evalcase.yaml", category="simple")
def test_brief(eval_case, model, baseline):
    for answer in (model(eval_case), baseline(eval_case)):
        with eval_case.judge(answer):
            assert len(answer.text) < 12

def test_plain():
    pass
"""

RIGHT = {
    "france": "Paris", "italy": "Rome", "spain": "Madrid", "japan": "Tokyo", "chile": "Santiago",
    "kenya": "Nairobi", "ghana": "Accra", "two": "2", "three": "3", "four": "4", "five": "5",
}  # fmt: skip
#: What the arms get wrong.
WRONG = {
    "model": {"spain": "Barcelona", "three": "4"},
    "baseline": {"kenya": "I do not know it", "five": "6"},
}


def write_project(folder: Path) -> None:
    """Two suites, tests in Python, and answers of both arms: some unverified, two that nobody needs."""
    rows: list[dict[str, object]] = [
        {"id": case, "arm": arm, "text": WRONG[arm].get(case, text), "repeat": repeat}
        for arm in ("model", "baseline")
        for case, text in RIGHT.items()
        for repeat in ((1, 2, 3) if case == "italy" else (1,))
    ]
    rows += [
        {"id": case, "arm": arm, "text": "x"}
        for arm in ("model", "baseline")
        for case in ("atlantis", "zembla")
    ]
    files = {
        "pytest.ini": "[pytest]\n",
        "ftgate.yaml": GATE,
        "evals/capitals.evalcase.yaml": TARGET,
        "evals/sums.evalcase.yaml": GENERAL,
        "tests/test_brief.py": TESTS,
        "answers.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def settled(path: Path) -> str:
    """The text of a verdict file or JSON report, without when it ran."""
    return re.sub(r'("(?:started|finished)": )"[^"]*"', r'\1"..."', path.read_text(encoding="utf-8"))

"""Real answers of real models: counts and verdicts against published ones (skipped without the data)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.data import data_folder
from tests.plugin.conftest import Project

Rows = list[dict[str, Any]]

BFCL_SUITE = """
suite: bfcl
defaults: {{category: '{{{{{category}}}}}'}}
datasets:
  - path: cases.jsonl
    where: {{expected.kind: tool_calls}}
    id: '{{{{id}}}}'
    messages: '{{{{messages}}}}'
    tools: '{{{{tools}}}}'
    expect: {{tool_calls: {{calls: '{{{{expected.calls}}}}', order: any}}}}
  - path: cases.jsonl
    where: {{expected.kind: some_call}}
    id: '{{{{id}}}}'
    messages: '{{{{messages}}}}'
    tools: '{{{{tools}}}}'
    expect: {{any_tool_call: true}}
  - path: cases.jsonl
    where: {{expected.kind: no_call}}
    id: '{{{{id}}}}'
    messages: '{{{{messages}}}}'
    tools: '{{{{tools}}}}'
    expect: {{no_tool_call: true}}
"""

PER_CATEGORY = """
gate:
  criteria:
    no_worse: {metric: pass_rate, per: category, compare: delta, at_least: -5%}
"""


def read(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def save(project: Project, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    project.write(name, "".join(json.dumps(row) + "\n" for row in rows))


def report(project: Project) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project.pytester.path / "report.json").read_text(encoding="utf-8"))
    return content


def counts(project: Project, arm: str) -> dict[str, tuple[float, int]]:
    return {
        group["value"]: (group[arm]["passed"], group["n"])
        for group in report(project)["groups"]
        if group["by"] == "category"
    }


def run_pair(project: Project) -> pytest.RunResult:
    return project.run(
        "--model=recorded:model.jsonl", "--baseline=recorded:baseline.jsonl", "--ftgate-report=report.json"
    )


def as_text(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "text": row["output"]}


def as_calls(row: Mapping[str, Any]) -> dict[str, Any]:
    calls = row["output_calls"]
    return as_text(row) if calls is None else {"id": row["id"], "text": "", "tool_calls": calls}


def bfcl(
    project: Project, category: str, answer: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    folder = data_folder("bfcl_toolcalling")
    project.write("ftgate.yaml", PER_CATEGORY)
    (project.pytester.path / "evals/capitals.evalcase.yaml").unlink()
    save(project, "evals/cases.jsonl", read(folder / "cases.jsonl"))
    project.write("evals/bfcl.evalcase.yaml", BFCL_SUITE.format(category=category))
    save(project, "model.jsonl", map(answer, read(folder / "outputs_model_toolace-2-8b.jsonl")))
    save(
        project, "baseline.jsonl", map(answer, read(folder / "outputs_baseline_llama-3.1-8b-instruct.jsonl"))
    )
    published: dict[str, Any] = json.loads((folder / "published.json").read_text(encoding="utf-8"))
    return published


@pytest.mark.parametrize("answer", [as_text, as_calls])
def test_bfcl_counts_by_category_are_the_published_ones(
    project: Project, answer: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> None:
    published = bfcl(project, "bfcl_category", answer)["sample_counts_by_bfcl_category"]

    run_pair(project)

    assert counts(project, "model") == {
        name: (row["model_correct"], row["n"]) for name, row in published.items()
    }
    assert counts(project, "baseline") == {
        name: (row["baseline_correct"], row["n"]) for name, row in published.items()
    }


def test_bfcl_counts_by_seed_category_are_the_published_ones(project: Project) -> None:
    bfcl(project, "seed_category", as_text)

    run_pair(project)

    assert counts(project, "baseline") == {
        "simple": (107, 123),
        "edge_case": (153, 179),
        "adversarial": (40, 139),
    }
    assert counts(project, "model") == {
        "simple": (107, 123),
        "edge_case": (154, 179),
        "adversarial": (128, 139),
    }


def test_bfcl_is_iterate_for_the_two_categories_that_dropped(project: Project) -> None:
    bfcl(project, "bfcl_category", as_text)

    result = run_pair(project)

    statuses = {
        each["name"]: each["status"] for each in report(project)["criteria"] if each["name"] != "other_cases"
    }
    assert result.ret == 1
    assert project.verdict["verdict"] == "ITERATE"
    assert sorted(name for name, status in statuses.items() if status == "NO-GO") == [
        "no_worse[live_relevance]",
        "no_worse[parallel_multiple]",
    ]
    assert len(statuses) == 9
    assert sum(status == "GO" for status in statuses.values()) == 7


STRICT = """
gate:
  evidence: strict
  criteria:
    relevance: {metric: pass_rate, category: live_relevance, compare: delta, at_least: -5%}
"""
ADVERSARIAL = """
gate:
  evidence: EVIDENCE
  criteria:
    improved: {metric: pass_rate, category: adversarial, compare: delta, at_least: 5%}
    robust: {metric: pass_rate, category: adversarial, at_least: 90%}
"""


def criterion(project: Project, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in report(project)["criteria"] if each["name"] == name)
    return found


def test_bfcl_relevance_dropped_by_22_points_and_18_cases_do_not_show_it(project: Project) -> None:
    bfcl(project, "bfcl_category", as_text)
    project.write("ftgate.yaml", STRICT)

    run_pair(project)

    found = criterion(project, "relevance")
    group = next(each for each in report(project)["groups"] if each["value"] == "live_relevance")
    assert (found["status"], found["n"]) == ("INCONCLUSIVE", 18)
    assert found["observed"] == pytest.approx(-4 / 18)
    assert found["reason"].endswith(" more cases would decide")
    assert group["delta"]["p_value"] == pytest.approx(0.289, abs=5e-4)
    assert group["delta"]["interval"] == found["interval"]
    assert project.verdict["verdict"] != "SHIP"


@pytest.mark.parametrize(("evidence", "robust"), [("point", "GO"), ("strict", "INCONCLUSIVE")])
def test_bfcl_adversarial_cases_improved_beyond_doubt_and_their_90_percent_are_in_doubt(
    project: Project, evidence: str, robust: str
) -> None:
    bfcl(project, "seed_category", as_text)
    project.write("ftgate.yaml", ADVERSARIAL.replace("EVIDENCE", evidence))

    run_pair(project)

    assert criterion(project, "improved")["status"] == "GO"
    assert criterion(project, "improved")["observed"] == pytest.approx(88 / 139)
    assert criterion(project, "robust")["status"] == robust
    assert criterion(project, "robust")["observed"] == pytest.approx(128 / 139)
    if evidence == "point":
        assert criterion(project, "robust")["reason"].endswith("; noise could explain it")


def test_gsm8k_agrees_with_every_recorded_judgement(project: Project) -> None:
    rows = read(data_folder("gsm8k_numeric") / "solutions.jsonl")
    (project.pytester.path / "evals/capitals.evalcase.yaml").unlink()
    save(
        project,
        "evals/gsm8k.jsonl",
        [row | {"number": row["reference"].rpartition("A: ")[2]} for row in rows],
    )
    project.write(
        "evals/gsm8k.evalcase.yaml",
        "datasets:\n  - path: gsm8k.jsonl\n    id: '{{id}}'\n    prompt: '{{question}}'\n"
        "    expect: {numeric: {reference: '{{number}}', after: 'A:'}}\n",
    )
    save(
        project, "model.jsonl", [{"id": row["id"], "text": row["6b_verification"]["output"]} for row in rows]
    )
    save(
        project, "baseline.jsonl", [{"id": row["id"], "text": row["6b_finetuning"]["output"]} for row in rows]
    )

    run_pair(project)

    judged = {
        (case["id"], trial["arm"]): trial["outcome"] == "passed"
        for case in report(project)["cases"]
        for trial in case["trials"]
    }
    assert len(judged) == 440
    assert judged == {
        (row["id"], arm): row[name]["is_correct"]
        for row in rows
        for arm, name in (("model", "6b_verification"), ("baseline", "6b_finetuning"))
    }


def test_general_knowledge_flags_the_two_categories_that_dropped(project: Project) -> None:
    folder = data_folder("general_knowledge_regression")
    rows = read(folder / "outputs.jsonl")
    (project.pytester.path / "evals/capitals.evalcase.yaml").unlink()
    save(project, "evals/rows.jsonl", rows)
    project.write(
        "evals/general.evalcase.yaml",
        "role: general\ndefaults:\n"
        "  answer: {after: 'the answer is', which: first, ignore_case: true, lines: 1, strip: ' .'}\n"
        "datasets:\n  - path: rows.jsonl\n    id: '{{id}}'\n    prompt: '{{question}}'\n"
        "    category: '{{category}}'\n    expect: {exact_match: '{{reference}}'}\n",
    )
    save(project, "model.jsonl", [{"id": row["id"], "text": row["cot"]} for row in rows])
    save(project, "baseline.jsonl", [{"id": row["id"], "text": row["direct"]} for row in rows])

    run_pair(project)

    everything = next(group for group in report(project)["groups"] if group["by"] == "all")
    flagged = sorted(
        group["value"]
        for group in report(project)["groups"]
        if group["by"] == "category" and group["flagged"]
    )
    assert (everything["baseline"]["passed"], everything["model"]["passed"], everything["n"]) == (
        174,
        190,
        274,
    )
    assert flagged == ["snarks", "word_sorting"]
    assert counts(project, "model")["snarks"] == (22, 36)
    assert counts(project, "baseline")["word_sorting"] == (27, 50)
